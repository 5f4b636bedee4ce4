// The stream ops: connect, listen, accept, send, recv, half_close, rst, close.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/compile_strand.hpp"
#include "scenarios/compile_tls.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using mode = recv_step::mode;

constexpr std::int64_t received_bytes_max = std::int64_t{64} << 20;
constexpr std::int64_t backlog_max = 65'535;

struct recv_form {
  std::string_view key;
  mode how;
};
constexpr recv_form recv_forms[] = {
    {"exactly", mode::exactly},   {"until", mode::until},    {"line", mode::line},
    {"some", mode::some},         {"eof", mode::eof},        {"nothing_for", mode::nothing_for},
    {"at_least", mode::at_least}, {"message", mode::message}};

std::string in_ticks(std::string_view key) {
  return fmt::format("`{}`", key);
}

/// What goes to or comes from a datagram socket says so.
void compile_target(strand_context& in, const node* to, send_step& made, const step_plan& into) {
  if (to != nullptr) {
    made.to = in.scope().read_address(*to, address_use::send, "an address");
    if (!in.is_peer() && in.has_connection() && into.handle == 0) {
      in.out().error(code::conflicting_keys, to->at(),
                     "this goes to the connection's other end, not to an address");
    }
  } else if (in.is_peer() && into.handle == 0 && !in.is_connected_peer()) {
    in.out()
        .error(code::missing_key, into.op_at, "a datagram of this peer needs \"to\": an address")
        .help =
        "{ \"send\": { \"data\": …, \"to\": \"${NAME.addr}\" } }, or give the peer itself a \"to\"";
  }
}

/// A user's own note says it better.
void note(step_plan& into, std::string text) {
  if (into.note.empty()) into.note = std::move(text);
}

/// Nobody else could say where the message ends.
void compile_layout(strand_context& in, const node& given, recv_step& made) {
  made.layout = read_layout(given, in.in().files.messages, in.out());
  made.max = message_bytes_max;
  if (made.layout == nullptr) return;
  in.received = made.layout.get();
  if (made.layout->says_its_end) return;
  in.out()
      .error(code::missing_key, given.at(),
             fmt::format("nothing says where the message {} ends", in_quotes(made.layout->name)))
      .help = "in a stream its last field needs a `len`, an `until` or a `count`";
}

/// None at all is a mistake where it is written, but a computed number may come to it.
expression read_bytes(strand_context& in, const node& given, std::string_view what) {
  expression made = in.scope().read_count(given, {1, received_bytes_max}, what);
  return made.is_valid() && !made.is_constant() ? made.within(0, received_bytes_max, what) : made;
}

/// Fills the form that was given: a count, a delimiter, a time, or just `true`.
void compile_form(strand_context& in, const recv_form& form, const node& given, recv_step& made) {
  switch (form.how) {
    case mode::exactly:
    case mode::at_least:
      made.count = read_bytes(in, given, in_ticks(form.key));
      made.has_count = true;
      return;
    case mode::until:
      made.delimiter = in.scope().read_data(given);
      if (made.delimiter.is_constant() && made.delimiter.constant().empty())
        in.out().error(code::empty_value, given.at(), "`until` needs at least one byte");
      return;
    case mode::nothing_for:
      made.quiet = in.scope().read_duration(given, "`nothing_for`");
      return;
    case mode::some:
      if (given.is(node_kind::boolean)) break;
      made.count = read_bytes(in, given, "`some`");
      made.has_count = true;
      return;
    case mode::message:
      return compile_layout(in, given, made);
    case mode::line:
    case mode::eof:
      break;
  }
  if (!given.boolean())
    in.out().error(code::value_out_of_range, given.at(), fmt::format("`{}` takes true", form.key));
}

std::string describe_form(const recv_form& form, const node& given, const recv_step& made) {
  if (made.has_count) return fmt::format("{} {}", form.key, shown(made.count, given));
  if (form.how == mode::nothing_for)
    return fmt::format("nothing for {}", shown_duration(made.quiet, given));
  if (form.how == mode::message) return fmt::format("message {}", compact_text(given, 40));
  if (form.how == mode::until) return fmt::format("until {}", compact_text(given, 40));
  return std::string(form.key);
}

void compile_max(strand_context& in, const node& max, const recv_form& form, recv_step& made) {
  if (form.how != mode::until && form.how != mode::line && form.how != mode::eof &&
      form.how != mode::message) {
    in.out()
        .error(code::conflicting_keys, max.at(),
               fmt::format("`max` has no meaning beside `{}`", form.key))
        .help = "it bounds `until`, `line`, `eof` and `message`";
    return;
  }
  const expression bytes = in.scope().read_count(max, {1, received_bytes_max}, "`max`");
  if (!bytes.is_valid()) return;
  if (bytes.is_constant() && bytes.constant().is(value_type::integer)) {
    made.max = static_cast<std::uint64_t>(bytes.constant().integer());
  } else if (!bytes.is_constant()) {
    in.out().error(code::not_yet_available, max.at(),
                   "`max` must be known when the file is loaded");
  }
}

}  // namespace

void compile_connect(strand_context& in, const step_arguments& given, step_plan& into) {
  connect_step made;
  if (const node* to = given.find("to")) {
    made.to = in.scope().read_address(*to, address_use::connect, "an address");
    note(into, shown(made.to, *to));
  }
  if (const node* bind = given.find("bind"))
    made.bind = in.scope().read_address(*bind, address_use::bind, "an address");
  if (const node* tls = given.find("tls"))
    made.tls = compile_tls(in.scope(), *tls, tls_role::client);
  into.body = std::move(made);
}

void compile_listen(strand_context& in, const step_arguments& given, step_plan& into) {
  listen_step made;
  if (const node* address = given.find("address")) {
    made.address = in.scope().read_address(*address, address_use::listen, "an address");
    note(into, shown(made.address, *address));
  }
  if (const node* backlog = given.find("backlog"))
    made.backlog = static_cast<int>(
        in.scope().read_integer(*backlog, {0, backlog_max}, "the backlog").value_or(128));
  if (const node* tls = given.find("tls"))
    made.tls = compile_tls(in.scope(), *tls, tls_role::server);
  into.body = std::move(made);
}

void compile_accept(strand_context&, const step_arguments&, step_plan& into) {
  into.body = accept_step{};
}

void compile_send(strand_context& in, const step_arguments& given, step_plan& into) {
  send_step made;
  if (const node* data = given.find("data")) {
    made.data = in.scope().read_data(*data);
    note(into, compact_text(*data, 40));
  }
  compile_target(in, given.find("to"), made, into);
  into.body = std::move(made);
}

void compile_recv(strand_context& in, const step_arguments& given, step_plan& into) {
  const node& whole = given.whole();
  if (whole.find("datagram") != nullptr || whole.find("datagrams") != nullptr)
    return compile_recv_datagram(in, given, into);
  recv_step made;
  const recv_form* chosen = nullptr;
  for (const member& m : given.whole().members()) {
    const auto* form = std::ranges::find(recv_forms, m.key, &recv_form::key);
    if (form == std::end(recv_forms)) continue;
    if (chosen != nullptr) {
      in.out().error(
          code::conflicting_keys, m.key_at,
          fmt::format("`recv` reads in one way; this has `{}` and `{}`", chosen->key, form->key));
      continue;
    }
    chosen = form;
    made.how = form->how;
    const node* value = given.find(m.key);
    if (value == nullptr) continue;
    compile_form(in, *form, *value, made);
    note(into, describe_form(*form, *value, made));
  }
  if (chosen == nullptr) {
    if (given.sound())
      in.out().error(code::missing_key, given.whole().at(), "`recv` needs a way of reading").help =
          in.is_peer() ? "one of datagram, datagrams, nothing_for"
                       : "one of exactly, at_least, until, line, message, some, eof, nothing_for";
  } else if (in.is_peer() && into.handle == 0 && chosen->how != mode::nothing_for) {
    in.out()
        .error(code::conflicting_keys, given.whole().at(),
               fmt::format("`{}` reads a stream, and a peer receives datagrams", chosen->key))
        .help = "{ \"recv\": { \"datagram\": true } }";
  } else if (const node* max = given.find("max")) {
    compile_max(in, *max, *chosen, made);
  }
  in.note_reader(into);
  into.body = std::move(made);
}

void compile_half_close(strand_context&, const step_arguments&, step_plan& into) {
  into.body = half_close_step{};
}
void compile_rst(strand_context&, const step_arguments&, step_plan& into) {
  into.body = rst_step{};
}
void compile_close(strand_context&, const step_arguments& given, step_plan& into) {
  close_step made;
  if (const node* notify = given.find("notify")) made.notify = notify->boolean();
  into.body = made;
}

}  // namespace scenarios
