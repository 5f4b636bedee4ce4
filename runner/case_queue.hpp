// The scenarios that have not started yet, in declaration order, for the workers to pull from.
//
// Thread safe. A plan leaves the queue when it is taken, so that it can be freed when it has run.
// Heavy ones (footprint.hpp) are passed over while the worker has no room for them: what is light
// need not wait for them. So are those of whose locks one is held: all that have locks go to one
// worker, which is told by the end of its own scenarios when a lock is free.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runner/footprint.hpp"
#include "runner/load.hpp"

namespace runner {

struct ticket {
  std::size_t index = 0;  ///< in declaration order; where its result goes
  shared_plan what;
  footprint needs;
};

/// What a worker has left.
struct room {
  std::size_t descriptors = 0;
  bool heavy = false;
  bool idle = false;  ///< nothing runs there: anything may start, however large
  bool locks = true;  ///< it is the one worker that runs what holds locks
};

class case_queue {
 public:
  explicit case_queue(std::vector<shared_plan> plans);

  struct answer {
    std::optional<ticket> taken;
    bool empty = false;  ///< there will be no more
  };
  /// Neither taken nor empty: what is there does not fit now.
  answer take(const room& left);

  /// What a scenario held when it was taken is free again.
  void release(const scenarios::plan& of);

  /// From now on it is empty.
  void close();
  /// After close(): what was never taken.
  std::vector<ticket> rest();

  std::size_t largest_descriptors() const { return largest_descriptors_; }

 private:
  bool is_free(const scenarios::plan& of, bool may_lock) const;
  std::size_t next_of(std::size_t from, bool heavy, bool may_lock) const;
  ticket remove(std::size_t index);

  std::mutex mutex_;
  std::vector<shared_plan> plans_;
  std::vector<footprint> needs_;
  std::size_t next_light_ = 0;  // never past the first of its kind that is left
  std::size_t next_heavy_ = 0;
  std::size_t largest_descriptors_ = 0;
  std::set<std::string, std::less<>> held_;  // locks of those that run
  bool closed_ = false;
};

}  // namespace runner
