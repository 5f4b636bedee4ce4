#include <fmt/format.h>

#include "scenarios/compile_strand.hpp"
#include "scenarios/follow/rules.hpp"

namespace scenarios::follow {
namespace {

bool changes_pace(const step_body& body) {
  return std::holds_alternative<trickle_step>(body) || std::holds_alternative<split_step>(body);
}

bool sends(const step_body& body) {
  return std::holds_alternative<send_step>(body) || changes_pace(body);
}

bool moves_bytes(const step_body& body) {
  const auto* recv = std::get_if<recv_step>(&body);
  return sends(body) || std::holds_alternative<start_tls_step>(body) ||
         (recv != nullptr && recv->how != recv_step::mode::nothing_for);
}

bool is_for_sockets(const step_body& body) {
  return moves_bytes(body) || std::holds_alternative<half_close_step>(body) ||
         std::holds_alternative<accept_step>(body) || std::holds_alternative<option_step>(body) ||
         std::holds_alternative<recv_datagram_step>(body);
}

bool works_on_connection(const step_body& body) {
  return sends(body) || std::holds_alternative<recv_step>(body) ||
         std::holds_alternative<half_close_step>(body) ||
         std::holds_alternative<close_step>(body) || std::holds_alternative<rst_step>(body) ||
         std::holds_alternative<start_tls_step>(body) ||
         std::holds_alternative<stop_tls_step>(body) ||
         std::holds_alternative<stall_reads_step>(body);
}

bool is_own(const followed& in, const step_plan& step) {
  return in.has_own && step.handle == 0;
}

void check_closed(const followed& in, const step_plan& step, const descriptor_facts& on) {
  if (!works_on_connection(step.body) || !must_end_well(step)) return;
  if (on.closed_by != nullptr) {
    tell(in, step, fmt::format("`{}` can't succeed: the connection was closed before", step.op),
         "if that is what is tested, say with `expect` how it fails", on.closed_by);
  } else if (on.shut_by != nullptr && sends(step.body)) {
    tell(in, step,
         fmt::format("`{}` after `half_close` can't succeed: nothing is sent any more", step.op),
         "if that is what is tested, say \"expect\": \"EPIPE\"", on.shut_by);
  }
}

void check_on_kind(const followed& in, const step_plan& step, const descriptor_facts& on) {
  if (on.is_no_socket() && is_for_sockets(step.body)) {
    tell(in, step, fmt::format("`{}` works on sockets, and this is none", step.op),
         "`sqe.read`, `sqe.write` and `close` work on any descriptor", on.made_by);
  } else if (on.what == carrier::listener && moves_bytes(step.body)) {
    tell(in, step, fmt::format("`{}` needs a connection, and this socket listens", step.op),
         "`accept` makes a connection of it", on.made_by);
  } else if ((on.what == carrier::stream || on.what == carrier::datagrams) &&
             std::holds_alternative<accept_step>(step.body)) {
    tell(in, step, "`accept` needs a socket that listens", "`listen` makes one", on.made_by);
  }
}

// Of an actor's own connection compile_stream.cpp tells what stands in the step itself.
void check_on_datagrams(const followed& in, const step_plan& step) {
  const auto* recv = std::get_if<recv_step>(&step.body);
  const bool told = in.is_peer && is_own(in, step);
  if (recv != nullptr && !told && recv->how != recv_step::mode::nothing_for) {
    tell(in, step, "this socket receives datagrams", R"({ "recv": { "datagram": true } })");
  } else if (changes_pace(step.body)) {
    tell(in, step,
         fmt::format("`{}` sends pieces of a stream, and this socket sends datagrams", step.op),
         "one `send` is one datagram");
  } else if (std::holds_alternative<start_tls_step>(step.body)) {
    tell(in, step, "TLS is laid over streams, and this is a socket for datagrams",
         "use a stream: tcp:// or unix:");
  }
}

void check_on_stream(const followed& in, const step_plan& step) {
  const auto* send = std::get_if<send_step>(&step.body);
  if (std::holds_alternative<recv_datagram_step>(step.body)) {
    tell(in, step, "this is a stream, which has no datagrams",
         R"(say how much to take: { "recv": { "exactly": 4 } })");
  } else if (send != nullptr && send->to && !is_own(in, step)) {
    tell(in, step, "a stream goes to its other end, not to an address",
         "leave \"to\" out; a peer's socket sends to addresses");
  }
}

void check_tls(const followed& in, const step_plan& step, const descriptor_facts& on) {
  const auto* begun = std::get_if<start_tls_step>(&step.body);
  const auto* close = std::get_if<close_step>(&step.body);
  if (begun != nullptr && begun->context != nullptr && on.tls == true) {
    tell(in, step, "TLS is spoken here already", "`stop_tls` ends it", on.tls_by);
  } else if (std::holds_alternative<stop_tls_step>(step.body) && on.tls == false) {
    tell(in, step, "no TLS is spoken here", "`start_tls` begins it, or an address tls://",
         on.tls_by);
  } else if (close != nullptr && close->notify && on.tls == false) {
    tell(in, step, "`notify` is about TLS, and none is spoken here",
         "`close` alone ends a stream without TLS", on.tls_by);
  }
}

}  // namespace

void check_stream(const followed& in, const step_plan& step, const descriptor_facts& on) {
  check_closed(in, step, on);
  if (on.what == carrier::datagrams) check_on_datagrams(in, step);
  if (on.what == carrier::stream) check_on_stream(in, step);
  if (must_end_well(step)) check_on_kind(in, step, on);
  check_tls(in, step, on);
}

}  // namespace scenarios::follow
