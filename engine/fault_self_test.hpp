// Whether the mechanisms of faults work on this kernel and this kind of ring, found by using them.
#pragma once

#include <string>
#include <vector>

#include "engine/loop.hpp"

namespace uring {

struct mechanism_state {
  std::string name;     // "cqe.delay", "ring.cq_overflow" …: those of the faults
  std::string why_not;  // empty: it works
  [[nodiscard]] bool works() const { return why_not.empty(); }
};

/// Does each fault to requests of its own, on socket pairs, and looks at what came of it: the
/// result, what became of the bytes, and what strayed. Some thirty milliseconds. What the kernel
/// lacks an opcode for (zero-copy sends) is not tried. The loop must be idle; its seam is replaced
/// meanwhile, and put back.
std::vector<mechanism_state> test_fault_mechanisms(loop& on);

}  // namespace uring
