// What a step can't do with what it works on, as far as that is known (descriptor_facts.hpp).
//
// Each function tells what is wrong with one step. What the harness itself refuses at run time is
// told whatever is expected; what the kernel or a peer refuses is told only of a step that says
// nothing of how it fails.
#pragma once

#include <string>

#include "scenarios/compile_case.hpp"
#include "scenarios/follow/descriptor_facts.hpp"

namespace scenarios::follow {

/// The strand that is followed.
struct followed {
  const listener_map& listeners;
  diagnostics& out;
  bool has_own = false;     // handle 0 is the actor's own connection or socket
  bool is_peer = false;     // and takes datagrams
  bool starts_tls = false;  // some step of it begins TLS
};

/// `since`: the step before that is the reason, or null.
void tell(const followed& in, const step_plan& step, std::string message, std::string help,
          const step_plan* since = nullptr);
/// The same at another place than the op.
void tell_at(const followed& in, span at, std::string message, std::string help);

/// Streams, datagrams, TLS, and what was closed (stream_rules.cpp).
void check_stream(const followed& in, const step_plan& step, const descriptor_facts& on);
/// Single submissions (single_rules.cpp).
void check_single(const followed& in, const step_plan& step, const facts_map& known);
/// Programs that steps started (program_rules.cpp).
void check_program(const followed& in, const step_plan& step, const facts_map& known);
/// Where a step connects or sends to (dial_rules.cpp). `on`: what it sends from, or null.
void check_dial(const followed& in, const step_plan& step, const descriptor_facts* on);

/// "an IPv4".
std::string_view family_words(int family);
/// The submission of a step, or null.
const sqe_step* single_of(const step_plan& step);

}  // namespace scenarios::follow
