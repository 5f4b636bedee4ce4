// Lines from many coroutines to one descriptor, never interleaved.
//
// What is printed while a write is under way waits for the next one, which takes all of it at once.
// Writes are never in flight side by side: the kernel may take a part of each, and to a file both
// would go to the same place. Belongs to one loop's thread; must outlive every print() on it. The
// descriptor is the caller's. Each caller waits for its own line, so memory is bounded by the
// number of callers.
#pragma once

#include <cerrno>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/event.hpp"
#include "engine/loop.hpp"
#include "engine/task.hpp"

class line_writer {
 public:
  line_writer(uring::loop& on, int fd) : loop_(on), fd_(fd) {}

  // Returns when the line and its end have been written: 0, or the errno of the first write that
  // failed. After a failure nothing more is written.
  uring::task<int> print(std::string_view line) {
    waiting_.append(line) += '\n';
    const std::uint64_t mine = next_batch_;
    while (written_ <= mine) {
      // The first to find nobody writing writes for all who came meanwhile.
      if (busy_) {
        co_await batch_done_.wait();
      } else {
        co_await write_batch();
      }
    }
    co_return error_;
  }

 private:
  uring::task<void> write_batch() {
    busy_ = true;
    std::swap(waiting_, going_out_);
    ++next_batch_;
    auto rest = std::as_bytes(std::span(going_out_));
    while (!rest.empty() && error_ == 0) {
      const uring::completion c = co_await loop_.write(fd_, rest);
      if (c.res > 0) {
        rest = rest.subspan(static_cast<std::size_t>(c.res));
      } else {
        error_ = c.res < 0 ? -c.res : EIO;
      }
    }
    going_out_.clear();
    busy_ = false;
    ++written_;
    batch_done_.set();
    batch_done_.reset();
  }

  uring::loop& loop_;
  int fd_;
  std::string waiting_;           // lines of the batch that is being collected
  std::string going_out_;         // lines of the batch that is being written
  std::uint64_t next_batch_ = 0;  // the number of the one that is being collected
  std::uint64_t written_ = 0;     // how many have been written
  uring::event batch_done_;
  bool busy_ = false;
  int error_ = 0;
};
