// What a proxy could not do for its connections, and how often: a server that could not be dialled,
// a connection that could not be accepted.
//
// Each cause is told at once, and while it goes on once a minute with how often it came meanwhile:
// a server that is away must neither be a riddle nor fill a disk. Counts are kept for `proxyctl`
// and the summary. Owned by proxy_host; on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/loop.hpp"
#include "engine/socket_address.hpp"

namespace scenarios {

enum class trouble : std::uint8_t { dial, accept };
/// "dial", "accept".
std::string_view trouble_name(trouble what);

class trouble_log {
 public:
  /// Gets one line for people, without its end.
  using teller = std::function<void(const std::string& line)>;
  struct entry {
    trouble what{};
    std::string proxy;
    int error = 0;  // an errno
    std::uint64_t times = 0;
    std::uint64_t told = 0;  // of those
    uring::time_point told_at{};
  };

  explicit trouble_log(teller tell) : tell_(std::move(tell)) {}

  /// `server` is whom it dialled, or nothing.
  void note(trouble what, std::string_view proxy, const uring::socket_address* server, int error,
            uring::time_point now);
  /// In the order in which they first came.
  [[nodiscard]] const std::vector<entry>& all() const { return entries_; }

 private:
  teller tell_;
  std::vector<entry> entries_;  // a few: one for each proxy and errno
};

}  // namespace scenarios
