// The nodes of the native report: one JSON object for each step, actor, fault, service and failure.
//
// A node has its stable fields and, where there is something to put into it, one sub-object
// `volatile` with all that two runs of the same scenario may legitimately see differently. With
// `detail::stable` the sub-objects are not written at all. What is stable when:
//  * What came of a step (outcome, res, data) is volatile where the expectation admits several
//    results, and where a failure elsewhere cut the step short; data or res alone where it leaves
//    that one open.
//  * Completions and submissions are stable in low-level steps, sorted by request (main, then
//    link_timeout, then cancel), each with its own `volatile`; in stream steps they are volatile.
//    The flag sock_nonempty is volatile: it tells how far the peer had got by then. So is what came
//    of a multishot timeout: how often it fires until it is removed is up to the clock.
//  * What a stream step sent is stable only if it sent all: how much of it a full socket took
//  isn't.
//  * The length of data that holds a port or a temporary path is volatile, since theirs is.
//  * A failure's code and place are stable, its words are not: they speak of numbers and times.
//  * Whether a fault fired is stable, its counters are not: they count chunks and attempts.
// Every text passes scenario_result::stable. A function that writes fields does so in ascending
// order of their names, once for each half of the node.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "reports/json_writer.hpp"
#include "scenarios/outcome.hpp"

namespace reports {

enum class detail : std::uint8_t { stable, all };

/// Writes the node of one scenario, and of what it consists of. Refers to the result and the
/// writer.
class node_writer {
 public:
  node_writer(json_writer& to, const scenarios::scenario_result& of, detail level)
      : to_(to), of_(of), all_(level == detail::all) {}

  void scenario();

 private:
  enum class half : std::uint8_t { firm, loose };
  template <typename Fields>
  void node(Fields fields);
  template <typename Nodes, typename Write>
  void list(std::string_view key, const Nodes& nodes, Write write);

  void scenario_fields(half which);
  void actor(const scenarios::actor_result& of);
  void step(const scenarios::step_result& of);
  void step_fields(const scenarios::step_result& of, half which);
  void submissions(const scenarios::step_result& of, bool firm);
  void completions(const scenarios::step_result& of, bool firm);
  void completion(const scenarios::completion_event& event, const scenarios::step_result& of,
                  bool firm);
  void fault(const scenarios::fault_result& of);
  void stray(const scenarios::fault_stray& of);
  void put_sites(const scenarios::fault_result& of);
  void account(const scenarios::request_account& of);
  void service(const scenarios::service_result& of);
  void failure(const scenarios::diagnostic& of);
  void failures(std::string_view key, const std::vector<scenarios::diagnostic>& all);

  std::string text(std::string_view unredacted) const { return of_.stable(unredacted); }
  void put_text(std::string_view key, std::string_view unredacted);
  void put_texts(std::string_view key, const std::vector<std::string>& unredacted);
  void put_place(const scenarios::span& at);
  bool length_varies(const scenarios::step_result& of) const;
  nlohmann::json bytes(std::string_view octets) const;
  nlohmann::json data(const scenarios::value& v) const;
  std::vector<std::string> logs_by_actor() const;

  json_writer& to_;
  const scenarios::scenario_result& of_;
  bool all_;
};

}  // namespace reports
