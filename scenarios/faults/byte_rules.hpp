// The rules of one actor that are about the bytes its operations move.
//
// Each descriptor has two streams, what is sent and what is received, counted from where it was
// opened; all operations of the actor on it count, whichever of them a rule may hit. `after_bytes`
// passes the operations that begin at that byte or behind it; one that would move bytes on both
// sides of it is shortened, so that one begins exactly there (datagrams stay whole). `match` passes
// the operation that moves the last byte of what is looked for. What is sent is known when it is
// submitted; what is received, and what becomes of a service, is decided when it has come. Bytes
// that only the kernel sees (provided buffers that are sent, splice) are counted and not searched.
//
// Owned by the fault_counter of the actor, and made only where a rule is about bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "scenarios/faults/fault_rules.hpp"

namespace scenarios {

class byte_rules {
 public:
  explicit byte_rules(fault_counter& of);

  void at_submission(const uring::operation& op, const fault_victim& of,
                     const std::vector<const fault_plan*>& watching, fault_decision& into);
  void at_completion(const uring::operation& op, const fault_victim& of,
                     const std::vector<const fault_plan*>& watching, std::int32_t res,
                     std::uint32_t flags, fault_decision& into);
  // It ended without having moved anything that at_completion was not told of.
  void ended(const uring::operation& op);
  void new_descriptor(int fd);

 private:
  struct stream {
    std::uint64_t offset = 0;
    std::uint64_t in_flight = 0;  // sent, and not known yet how much of it
    bool datagrams = false;
    std::vector<stream_trigger> triggers;  // of each rule; used where it looks for a match
    // Where a request that only looked was counted: the one that then takes it is not another one.
    std::vector<std::optional<std::uint64_t>> looked_at;
  };
  // A request that moves bytes, until its completion.
  struct transfer {
    const uring::operation* op;
    stream* on;
    std::uint64_t asked;
    bool out, peek;
    bool told;  // a completion has said what became of it, and others may follow
    // Of rules that were decided at submission: how they stood, should nothing go out.
    std::vector<std::pair<std::size_t, stream_trigger>> before;
  };
  // What the rules are held against: an operation and where it begins.
  struct question {
    const uring::operation& op;
    const fault_victim& of;
    const std::vector<const fault_plan*>& watching;
    stream& on;
    std::uint64_t begin;
    std::optional<std::string> bytes;
    fault_decision& into;
  };
  using stream_key = std::tuple<int, bool, bool>;  // number, whether a slot, whether sent

  [[nodiscard]] const fault_plan& rule(std::size_t i) const;
  [[nodiscard]] bool concerns(const fault_plan& rule, const question& of) const;
  [[nodiscard]] bool may_hit(std::size_t i) const;
  stream& stream_of(const io_uring_sqe& sqe, bool out);
  void begins(std::size_t i, const question& of, const transfer& now);
  static void put_back(const transfer& now);
  void search(std::size_t i, const question& of);
  void passes(std::size_t i, const question& of, std::uint64_t before, std::uint64_t after);
  bool place(std::size_t i, const question& of);

  fault_counter& counter_;
  std::vector<std::size_t> rules_;  // those that are about bytes, in the order of the file
  std::map<stream_key, stream> streams_;
  std::vector<transfer> in_flight_;
};

}  // namespace scenarios
