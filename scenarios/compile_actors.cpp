#include "scenarios/compile_actors.hpp"

#include <fmt/format.h>

#include <array>

#include "scenarios/compile_tls.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t backlog_max = 65'535;
constexpr std::int64_t accept_max = 1'000'000;
constexpr std::int64_t grace_default_ns = 1'000'000'000;

struct kind_word {
  std::string_view name;
  actor_kind kind;
};
constexpr kind_word kind_words[] = {{"server", actor_kind::server},
                                    {"client", actor_kind::client},
                                    {"peer", actor_kind::peer},
                                    {"task", actor_kind::task}};

strand_role role_of(actor_kind kind) {
  switch (kind) {
    case actor_kind::server:
      return strand_role::handler;
    case actor_kind::client:
      return strand_role::client;
    case actor_kind::peer:
      return strand_role::peer;
    case actor_kind::task:
      break;
  }
  return strand_role::task;
}

/// Of an actor's address, which stands under `server` or `peer`; nothing where it is not known yet.
std::optional<bool> may_speak_tls(const node& from) {
  const node* address = from.is(node_kind::object) ? from.find("address") : &from;
  const node* tls = from.is(node_kind::object) ? from.find("tls") : nullptr;
  const bool is_known = address != nullptr && address->is(node_kind::string) &&
                        address->text().find("${") == std::string::npos;
  if (!is_known) return std::nullopt;
  return tls != nullptr || address->text().starts_with("tls://");
}

}  // namespace

// ---- Declaring ---------------------------------------------------------------------------------

void actor_compiler::declare(const checked_object& top) {
  const member* actors = top.find_member("actors");
  const member* steps = top.find_member("steps");
  if (actors != nullptr && steps != nullptr) {
    in_.out
        .error(code::conflicting_keys, steps->key_at,
               "a scenario has either \"actors\" or \"steps\"")
        .help = "\"steps\" is short for one task called main";
  } else if (!top.has("actors") && !top.has("steps")) {
    in_.out.error(code::missing_key, top.whole().at(), "a scenario needs \"actors\" or \"steps\"");
  }
  if (actors != nullptr) add_actors(actors->value);
  if (actors == nullptr && steps != nullptr) add_main(*steps);
  if (const node* setup = top.find("setup")) add_setup(*setup);
  if (const node* teardown = top.find("teardown")) add_teardown(*teardown);
  // All parties are known by now: a step's name must not be one of them.
  if (setup_) setup_->declare(*setup_steps_);
  for (entry& each : entries_)
    if (each.steps != nullptr) each.strand->declare(*each.steps);
  if (teardown_ && teardown_steps_ != nullptr) teardown_->declare(*teardown_steps_);
}

void actor_compiler::add_actors(const node& actors) {
  bool any = false;
  for (const member& m : actors.members()) {
    if (m.key.starts_with("x-")) continue;
    any = true;
    add_actor(m);
  }
  if (!any) in_.out.error(code::empty_value, actors.at(), "\"actors\" has no actor");
}

void actor_compiler::add_actor(const member& from) {
  if (!check_name(from.key, from.key_at, "an actor", in_.out)) return;
  entry& made = entries_.emplace_back();
  made.name = from.key;
  made.at = from.key_at;
  made.keys.emplace(from.value, keys::actor, in_.out);
  made.steps = made.keys->find("do");
  const bool known = from.value.is(node_kind::object) && find_kind(made);
  if (known) read_counts(made);
  add_party(made);
}

bool actor_compiler::find_kind(entry& into) {
  for (const kind_word& word : kind_words) {
    const member* m = into.keys->whole().find_member(word.name);
    if (m == nullptr) continue;
    if (into.kind_key != nullptr) {
      in_.out.error(code::conflicting_keys, m->key_at,
                    fmt::format("an actor is one of server, client, peer and task, not {} and {}",
                                into.kind_key->key, m->key));
      return false;
    }
    into.kind_key = m;
    into.kind = word.kind;
  }
  if (into.kind_key == nullptr) {
    in_.out
        .error(code::missing_key, into.at,
               fmt::format("the actor {} has no kind", in_quotes(into.name)))
        .help =
        "\"server\": an address, \"client\": an address, \"peer\": an address, or \"task\": true";
    return false;
  }
  if (into.kind == actor_kind::task && into.kind_key->value.is(node_kind::boolean) &&
      !into.kind_key->value.boolean())
    in_.out.error(code::value_out_of_range, into.kind_key->value.at(), "\"task\" takes true");
  return true;
}

void actor_compiler::read_counts(entry& into) {
  compile_scope scope(name_scope(in_.names, name_stage::constants), in_.files, in_.out);
  const bool serves = into.kind == actor_kind::server;
  for (const std::string_view key : {"count", "accept", "grace"}) {
    const member* m = into.keys->find_member(key);
    if (m == nullptr || serves == (key != "count")) continue;
    in_.out
        .error(code::conflicting_keys, m->key_at,
               fmt::format("a {} has no {}", into.kind_key->key, in_quotes(key)))
        .help = serves ? "its handlers run beside each other already: \"accept\": N" : "";
  }
  if (const member* options = into.keys->find_member("socket");
      options != nullptr && into.kind == actor_kind::task) {
    in_.out.error(code::conflicting_keys, options->key_at, "a task has no socket of its own").help =
        "`setsockopt` sets an option of a descriptor";
  }
  if (const node* count = into.keys->find("count"); count != nullptr && !serves) {
    into.has_count = true;
    into.copies = scope.read_integer(*count, {1, copies_max}, "\"count\"").value_or(1);
  }
  copies_ += into.copies;
  if (copies_ > copies_max && copies_ - into.copies <= copies_max) {
    in_.out.error(code::value_out_of_range, into.at,
                  fmt::format("a scenario has at most {} actors, copies counted", copies_max));
  }
  if (serves) read_accept(into);
}

void actor_compiler::read_accept(entry& into) {
  compile_scope scope(name_scope(in_.names, name_stage::constants), in_.files, in_.out);
  if (const node* accept = into.keys->find("accept")) {
    const auto given =
        scope.read_constant(*accept, value_type::integer | value_type::text, "\"accept\"");
    if (given && given->is(value_type::text)) {
      into.accept_each = given->data() == "each";
      if (!into.accept_each) {
        in_.out.error(
            code::unknown_constant, accept->at(),
            fmt::format("\"accept\" is a number or \"each\", not {}", in_quotes(given->data())));
      }
    } else if (given && check_range(given->integer(), {1, accept_max}, accept->at(), "\"accept\"",
                                    in_.out)) {
      into.accept = given->integer();
    }
  }
  if (const member* grace = into.keys->find_member("grace"); grace != nullptr && !into.accept_each)
    in_.out.error(code::conflicting_keys, grace->key_at,
                  "\"grace\" goes with \"accept\": \"each\"");
}

void actor_compiler::add_party(entry& into) {
  const bool serves = into.kind == actor_kind::server;
  if (into.name == "conn") {
    in_.out.error(code::bad_name, into.at, "conn is the connection of a client or server");
  } else if (into.name == "socket") {
    in_.out.error(code::bad_name, into.at, "socket is the socket of a peer");
  } else if (in_.names.find_var(into.name) != nullptr) {
    in_.out.error(code::duplicate_name, into.at,
                  fmt::format("{} is a variable already", in_quotes(into.name)));
  } else if (in_.names.find_party(into.name) != nullptr) {
    in_.out.error(
        code::duplicate_name, into.at,
        fmt::format("{} is a {} already", in_quotes(into.name),
                    in_.names.find_party(into.name)->what == named_party::kind::proxy ? "proxy"
                                                                                      : "service"));
  }
  into.body = std::make_shared<strand_plan>();
  strand_names& names =
      in_.names.add_strand(into.name, !serves && !into.has_count, !serves, *into.body);
  const auto parties = serves ? (into.accept_each ? 0 : into.accept) : into.copies;
  into.strand.emplace(in_, names, role_of(into.kind), static_cast<std::uint64_t>(parties));
  named_party party;
  party.what = serves ? named_party::kind::server : named_party::kind::actor;
  party.name = into.name;
  party.at = into.at;
  party.strand = &names;
  party.copied = into.has_count;
  const bool is_peer = into.kind == actor_kind::peer;
  if (serves || (is_peer && !into.has_count)) {
    party.addr = into.addr = {no_index, in_.names.add_shared(into.name + ".addr")};
    party.port = into.port = {no_index, in_.names.add_shared(into.name + ".port")};
    if (into.kind_key != nullptr)
      in_.tls_at[into.addr.shared] = may_speak_tls(into.kind_key->value);
  }
  in_.names.add_party(std::move(party));
}

void actor_compiler::add_main(const member& steps) {
  entry& made = entries_.emplace_back();
  made.name = "main";
  made.at = steps.key_at;
  made.steps = &steps.value;
  if (steps.value.items().empty())
    in_.out.error(code::empty_value, steps.value.at(), "\"steps\" has no step");
  add_party(made);
}

void actor_compiler::add_setup(const node& steps) {
  strand_names& names = in_.names.add_strand("setup", true, false, in_.into.setup);
  setup_.emplace(in_, names, strand_role::setup, 0);
  setup_steps_ = &steps;
  named_party party;
  party.what = named_party::kind::setup;
  party.name = "setup";
  party.strand = &names;
  in_.names.add_party(std::move(party));
}

void actor_compiler::add_teardown(const node& from) {
  strand_names& names = in_.names.add_strand("teardown", false, false, in_.into.teardown);
  teardown_.emplace(in_, names, strand_role::teardown, 0);
  if (from.is(node_kind::array)) {
    teardown_steps_ = &from;
    return;
  }
  const checked_object keys(from, keys::teardown, in_.out);
  teardown_steps_ = keys.find("do");
  if (const node* timeout = keys.find("timeout"))
    in_.into.teardown_timeout = teardown_->scope()
                                    .read_fixed_duration(*timeout, "the timeout of the teardown")
                                    .value_or(in_.into.teardown_timeout);
}

// ---- Compiling ---------------------------------------------------------------------------------

/// Servers that wait for the others to end, where there are no others, end at once.
void actor_compiler::check_ends() {
  const auto waits = [](const entry& each) { return each.accept_each; };
  if (entries_.empty() || !std::ranges::all_of(entries_, waits)) return;
  const member* accept = entries_.front().keys->find_member("accept");
  in_.out
      .error(
          code::value_out_of_range, accept->value.at(),
          "\"each\" ends when every other actor has ended, and there is no other: it ends at once")
      .help = "say how many connections it serves: \"accept\": 5";
}

void actor_compiler::compile() {
  check_ends();
  if (setup_) setup_->compile(*setup_steps_);
  for (entry& each : entries_) compile_actor(each);
  if (teardown_ && teardown_steps_ != nullptr) teardown_->compile(*teardown_steps_);
}

void actor_compiler::compile_server(entry& from, actor_plan& into) {
  compile_scope scope(name_scope(in_.names, name_stage::addresses), in_.files, in_.out);
  server_plan& made = into.server.emplace();
  made.accept = static_cast<std::uint32_t>(from.accept);
  made.accept_each = from.accept_each;
  made.addr = from.addr;
  made.port = from.port;
  made.grace = expression(value(grace_default_ns));
  if (const node* grace = from.keys->find("grace"))
    made.grace = scope.read_duration(*grace, "\"grace\"");
  const node* server = from.keys->find("server");
  if (server == nullptr) return;
  compile_handshake(from, made);
  if (server->is(node_kind::string)) {
    made.address = scope.read_address(*server, address_use::listen, "an address");
    return;
  }
  const checked_object keys(*server, keys::server, in_.out);
  if (const node* address = keys.find("address"))
    made.address = scope.read_address(*address, address_use::listen, "an address");
  if (const node* backlog = keys.find("backlog"))
    made.backlog = static_cast<int>(
        scope.read_integer(*backlog, {0, backlog_max}, "the backlog").value_or(made.backlog));
  if (const node* tls = keys.find("tls")) {
    made.tls = compile_tls(scope, *tls, tls_role::server);
    if (made.tls) made.handshake.body = handshake_of_server(made.tls);
  }
}

/// Step 0 of a handler, in case the address is a tls:// one: some are known only later.
void actor_compiler::compile_handshake(entry& from, server_plan& into) {
  const step_row& row = *find_step("start_tls");
  into.handshake.op = row.name;
  into.handshake.note = "server";
  into.handshake.at = from.kind_key->value.at();
  into.handshake.op_at = from.kind_key->key_at;
  into.handshake.handle = 0;
  into.handshake.body = handshake_of_server(tls_context::usual(tls_role::server));
  bound_by_default(from, into.handshake);
  in_.steps.push_back(see_step(in_, from.name, row, into.handshake, true));
  // Where the address says that it is none it sends nothing.
  if (!into.tls && in_.tls_at[from.addr.shared] == false) in_.steps.back().bytes_out = 0;
}

void actor_compiler::note_scheme(entry& from, const expression& address) {
  if (address.is_valid() && address.is_constant() && address.constant().is(value_type::data) &&
      address.constant().data().starts_with("udp://"))
    from.strand->send_by_udp();
}

void actor_compiler::compile_peer(entry& from, actor_plan& into) {
  compile_scope scope(name_scope(in_.names, name_stage::addresses), in_.files, in_.out);
  peer_plan& made = into.peer.emplace();
  made.addr = from.addr;
  made.port = from.port;
  const node* peer = from.keys->find("peer");
  if (peer == nullptr) return;
  if (peer->is(node_kind::string)) {
    made.address = scope.read_address(*peer, address_use::receive, "an address");
    note_scheme(from, made.address);
    return;
  }
  const checked_object keys(*peer, keys::peer, in_.out);
  if (const node* address = keys.find("address")) {
    made.address = scope.read_address(*address, address_use::receive, "an address");
    note_scheme(from, made.address);
  }
  const node* to = keys.find("to");
  if (to == nullptr) return;
  from.strand->connect_peer();
  step_plan connect = step_zero(from);
  connect.handle = 0;
  from.strand->scope().note_reads(&connect.reads);
  connect_peer_step body;
  body.to = from.strand->scope().read_address(*to, address_use::send, "an address");
  from.strand->scope().note_reads(nullptr);
  connect.note = shown(body.to, *to);
  connect.body = std::move(body);
  see_step_zero(from, connect);
  made.connect = std::move(connect);
}

/// What `defaults` say of the timeout of a step that is not in a list: for its op, or else for all.
void actor_compiler::bound_by_default(entry& from, step_plan& step) {
  if (in_.defaults == nullptr) return;
  const json_types accepts = find_modifier("timeout")->key.accepts;
  const node* of_op = in_.defaults->find(step.op);
  const node* timeout =
      of_op != nullptr && of_op->is(node_kind::object) ? of_op->find("timeout") : nullptr;
  if (timeout == nullptr) timeout = in_.defaults->find("timeout");
  if (timeout == nullptr || (json_type_of(timeout->kind()) & accepts) == 0) return;
  compile_scope& scope = from.strand->scope();
  scope.note_reads(&step.reads);
  step.timeout = scope.read_duration(*timeout, "a timeout");
  scope.note_reads(nullptr);
}

/// Connecting, which no step of the list does.
step_plan actor_compiler::step_zero(entry& from) {
  step_plan made;
  made.op = "connect";
  made.at = from.kind_key->value.at();
  made.op_at = from.kind_key->key_at;
  bound_by_default(from, made);
  return made;
}

void actor_compiler::see_step_zero(const entry& from, const step_plan& made) {
  in_.steps.push_back(see_step(in_, from.name, *find_step("connect"), made, true));
}

void actor_compiler::compile_client(entry& from, actor_plan& into) {
  const step_row& row = *find_step("connect");
  step_plan made = step_zero(from);
  made.as_handle = 0;
  made.as_name = "conn";
  compile_scope& scope = from.strand->scope();
  scope.note_reads(&made.reads);
  connect_step body;
  if (const node* options = from.keys->find("socket"))
    body.options = compile_socket_options(scope, *options);
  if (const node* client = from.keys->find("client")) {
    const node* to = client;
    if (client->is(node_kind::object)) {
      const checked_object keys(*client, keys::client, in_.out);
      to = keys.find("to");
      if (const node* bind = keys.find("bind"))
        body.bind = scope.read_address(*bind, address_use::bind, "an address");
      if (const node* tls = keys.find("tls")) body.tls = compile_tls(scope, *tls, tls_role::client);
      if (const node* timeout = keys.find("timeout"))
        made.timeout = scope.read_duration(*timeout, "a timeout");
      if (const node* expect = keys.find("expect"))
        made.expect = compile_expectation(*from.strand, *expect, row, nullptr);
    }
    if (to != nullptr) {
      body.to = scope.read_address(*to, address_use::connect, "an address");
      in_.dials.push_back({from.name, "conn", body.to});
      made.note = shown(body.to, *to);
    }
  }
  scope.note_reads(nullptr);
  made.body = std::move(body);
  see_step_zero(from, made);
  check_contradictions(*from.strand, made, row);
  into.client = client_plan{std::move(made)};
}

void actor_compiler::compile_actor(entry& from) {
  actor_plan made;
  made.name = made.base = from.name;
  made.kind = from.kind;
  made.at = from.at;
  if (from.kind_key != nullptr && from.kind == actor_kind::server) compile_server(from, made);
  if (from.kind_key != nullptr && from.kind == actor_kind::client) compile_client(from, made);
  if (from.kind_key != nullptr && from.kind == actor_kind::peer) compile_peer(from, made);
  if (from.keys && (made.server || made.peer)) {
    compile_scope scope(name_scope(in_.names, name_stage::addresses), in_.files, in_.out);
    if (const node* options = from.keys->find("socket"))
      made.options = compile_socket_options(scope, *options);
  }
  if (from.keys)
    if (const node* ring = from.keys->find("ring")) from.strand->use_ring(find_ring(in_, *ring));
  if (from.keys)
    if (const node* thread = from.keys->find("thread")) made.thread = thread->boolean();
  in_.into.has_threads |= made.thread;
  if (from.keys) {
    if (const node* timeout = from.keys->find("timeout")) {
      compile_scope scope(name_scope(in_.names, name_stage::addresses), in_.files, in_.out);
      made.timeout = scope.read_duration(*timeout, "the actor's timeout");
    }
  }
  if (from.steps != nullptr) from.strand->compile(*from.steps);
  made.body = from.body;
  if (!from.has_count) {
    in_.into.actors.push_back(std::move(made));
    return;
  }
  for (std::int64_t i = 0; i < from.copies; ++i) {
    actor_plan& copy = in_.into.actors.emplace_back(made);
    copy.name = fmt::format("{}[{}]", from.name, i);
    copy.index = static_cast<std::uint32_t>(i);
  }
}

}  // namespace scenarios
