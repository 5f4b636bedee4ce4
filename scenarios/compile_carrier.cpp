// What a connection carries, where that is known when the file is loaded: a stream or datagrams,
// and whether TLS is laid over it; and whether a descriptor is a connection at all.
//
// Only what is certain is told: an address that is known later, a block in between or a step that
// may not run leaves it open. What a stream or datagrams don't have is refused at run time, too,
// whatever is expected; what is no connection the kernel refuses, and that can be expected.

#include <fmt/format.h>
#include <liburing.h>

#include <map>

#include "engine/kernel_compat.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/make_table.hpp"

namespace scenarios {
namespace {

bool changes_pace(const step_body& body) {
  return std::holds_alternative<trickle_step>(body) || std::holds_alternative<split_step>(body);
}

bool moves_bytes(const step_body& body) {
  const auto* recv = std::get_if<recv_step>(&body);
  return std::holds_alternative<send_step>(body) || changes_pace(body) ||
         std::holds_alternative<start_tls_step>(body) ||
         (recv != nullptr && recv->how != recv_step::mode::nothing_for);
}

bool is_for_sockets(const step_body& body) {
  return moves_bytes(body) || std::holds_alternative<half_close_step>(body) ||
         std::holds_alternative<accept_step>(body) || std::holds_alternative<option_step>(body) ||
         std::holds_alternative<recv_datagram_step>(body);
}

/// What comes out of a step that makes no connection.
carrier made_by(const step_body& body) {
  if (std::holds_alternative<listen_step>(body)) return carrier::listener;
  if (const auto* make = std::get_if<make_step>(&body))
    return make->row == nullptr || make->row->kind == make_kind::socketpair ? carrier::unknown
                                                                            : carrier::no_socket;
  const auto* sqe = std::get_if<sqe_step>(&body);
  if (sqe == nullptr || sqe->row == nullptr) return carrier::unknown;
  const std::uint8_t opcode = sqe->row->opcode;
  const bool opens =
      opcode == IORING_OP_OPENAT || opcode == IORING_OP_OPENAT2 || opcode == uring::compat::op_pipe;
  return opens ? carrier::no_socket : carrier::unknown;
}

class carriers {
 public:
  explicit carriers(strand_context& in) : in_(in) { known_[0] = in.connection(); }

  void follow(const step_plan& step) {
    if (holds_others(step.body)) forget();
    const auto make = [&](std::uint32_t made, connection_facts facts) {
      facts.made_by = &step;
      // One that may not be made leaves what had the name before.
      known_[made] = step.when ? connection_facts{} : facts;
    };
    for (const std::uint32_t made : step.as_more) make(made, {.what = made_by(step.body)});
    if (step.as_handle != no_index) make(step.as_handle, facts_of(in_.in(), step));
    const auto found = known_.find(step.handle);
    if (found == known_.end()) return;
    const bool may_not_run = step.when.has_value();
    if (!may_not_run) check(step, found->second);
    const auto* begun = std::get_if<start_tls_step>(&step.body);
    const bool starts = begun != nullptr;
    if (!starts && !std::holds_alternative<stop_tls_step>(step.body)) return;
    const bool sound = !starts || begun->context != nullptr;
    const bool ends_well = sound && !may_not_run && !step.expect && step.async == no_index &&
                           step.severity == step_severity::must;
    found->second.tls = ends_well ? std::optional(starts) : std::nullopt;
    found->second.tls_by = &step;
  }

 private:
  /// Only the actor's own connection is the same behind it, and still a stream, or not.
  void forget() {
    std::erase_if(known_, [](const auto& each) { return each.first != 0; });
    const bool own = in_.has_connection();
    known_[0] = {.what = own ? known_[0].what : carrier::unknown};
  }

  void check(const step_plan& step, const connection_facts& on) {
    if (on.what == carrier::datagrams) check_on_datagrams(step);
    if (on.what == carrier::stream) check_on_stream(step);
    if (must_end_well(step)) check_on_kind(step, on);
    const auto* begun = std::get_if<start_tls_step>(&step.body);
    if (begun != nullptr && begun->context != nullptr && on.tls == true) {
      tell(step, "TLS is spoken here already", "`stop_tls` ends it", on.tls_by);
    } else if (std::holds_alternative<stop_tls_step>(step.body) && on.tls == false) {
      tell(step, "no TLS is spoken here", "`start_tls` begins it, or an address tls://", on.tls_by);
    } else if (const auto* close = std::get_if<close_step>(&step.body);
               close != nullptr && close->notify && on.tls == false) {
      tell(step, "`notify` is about TLS, and none is spoken here",
           "`close` alone ends a stream without TLS", on.tls_by);
    }
  }

  void check_on_kind(const step_plan& step, const connection_facts& on) {
    if (on.what == carrier::no_socket && is_for_sockets(step.body)) {
      tell(step, fmt::format("`{}` works on sockets, and this is none", step.op),
           "`sqe.read`, `sqe.write` and `close` work on any descriptor", on.made_by);
    } else if (on.what == carrier::listener && moves_bytes(step.body)) {
      tell(step, fmt::format("`{}` needs a connection, and this socket listens", step.op),
           "`accept` makes a connection of it", on.made_by);
    } else if ((on.what == carrier::stream || on.what == carrier::datagrams) &&
               std::holds_alternative<accept_step>(step.body)) {
      tell(step, "`accept` needs a socket that listens", "`listen` makes one", on.made_by);
    }
  }

  // Of an actor's own connection compile_stream.cpp tells what stands in the step itself.
  void check_on_datagrams(const step_plan& step) {
    const auto* recv = std::get_if<recv_step>(&step.body);
    const bool told = in_.is_peer() && is_own(step);
    if (recv != nullptr && !told && recv->how != recv_step::mode::nothing_for) {
      tell(step, "this socket receives datagrams", R"({ "recv": { "datagram": true } })");
    } else if (changes_pace(step.body)) {
      tell(step,
           fmt::format("`{}` sends pieces of a stream, and this socket sends datagrams", step.op),
           "one `send` is one datagram");
    } else if (std::holds_alternative<start_tls_step>(step.body)) {
      tell(step, "TLS is laid over streams, and this is a socket for datagrams",
           "use a stream: tcp:// or unix:");
    }
  }

  void check_on_stream(const step_plan& step) {
    const auto* send = std::get_if<send_step>(&step.body);
    if (std::holds_alternative<recv_datagram_step>(step.body)) {
      tell(step, "this is a stream, which has no datagrams",
           R"(say how much to take: { "recv": { "exactly": 4 } })");
    } else if (send != nullptr && send->to && !is_own(step)) {
      tell(step, "a stream goes to its other end, not to an address",
           "leave \"to\" out; a peer's socket sends to addresses");
    }
  }

  bool is_own(const step_plan& step) const { return in_.has_connection() && step.handle == 0; }

  void tell(const step_plan& step, std::string message, std::string help,
            const step_plan* since = nullptr) {
    diagnostic& told = in_.out().error(code::misplaced_step, step.op_at, std::move(message));
    told.help = std::move(help);
    if (since != nullptr)
      told.notes.push_back(fmt::format("since `{}` in line {}", since->op,
                                       since->op_at.in->locate(since->op_at.begin).line));
  }

  strand_context& in_;
  std::map<std::uint32_t, connection_facts> known_;
};

}  // namespace

connection_facts facts_of_listener(const node& from, bool is_peer) {
  connection_facts facts{.what = is_peer ? carrier::datagrams : carrier::stream};
  const node* address = from.is(node_kind::object) ? from.find("address") : &from;
  const node* tls = from.is(node_kind::object) ? from.find("tls") : nullptr;
  if (address == nullptr || !address->is(node_kind::string)) return facts;
  if (address->text().find("${") == std::string::npos)
    facts.tls = tls != nullptr || address->text().starts_with("tls://");
  return facts;
}

connection_facts facts_of(const case_context& in, const step_plan& step) {
  if (std::holds_alternative<accept_step>(step.body)) return {.what = carrier::stream};
  const auto* connect = std::get_if<connect_step>(&step.body);
  if (connect == nullptr) return {.what = made_by(step.body)};
  if (!connect->to.is_valid()) return {};
  connection_facts facts;
  const bool with_tls = connect->tls != nullptr;
  if (connect->to.is_constant() && connect->to.constant().is(value_type::data)) {
    std::string ignored;
    const auto known = parse_endpoint(connect->to.constant().data(), ignored);
    if (!known) return {};
    facts.what = known->address.is_datagram() ? carrier::datagrams : carrier::stream;
    facts.tls = known->tls;
  } else if (step.reads.size() == 1 && step.reads.front().space == shared_space) {
    const auto known = in.listeners.find(step.reads.front().index);
    if (known != in.listeners.end()) facts = known->second;
  }
  if (with_tls) facts.tls = true;
  return facts;
}

void check_carriers(strand_context& in, const block& steps) {
  carriers all(in);
  for (const step_plan& step : steps) all.follow(step);
}

}  // namespace scenarios
