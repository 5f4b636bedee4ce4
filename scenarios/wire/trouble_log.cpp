#include "scenarios/wire/trouble_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "engine/errno_name.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr auto told_every = std::chrono::minutes(1);

std::string_view remedy_of(trouble what, int error) {
  switch (error) {
    case EMFILE:
      return "raise `ulimit -n`: each connection takes two descriptors";
    case ENFILE:
      return "the whole system has no descriptors left: see fs.file-max";
    case ECONNREFUSED:
      return "nobody listens there: start the server, or mend \"to\"";
    case ENOENT:
      return what == trouble::dial ? "there is no such socket: start the server, or mend \"to\""
                                   : "";
    case EACCES:
    case EPERM:
      return "this program's user may not connect there";
    case EADDRNOTAVAIL:
      return "no local port is left for it: fewer connections, or a wider ip_local_port_range";
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ETIMEDOUT:
      return "no answer from there: look at the route and at firewalls";
    default:
      return {};
  }
}

}  // namespace

std::string_view trouble_name(trouble what) {
  return what == trouble::dial ? "dial" : "accept";
}

void trouble_log::note(trouble what, std::string_view proxy, const uring::socket_address* server,
                       int error, uring::time_point now) {
  const auto is_it = [&](const entry& each) {
    return each.what == what && each.proxy == proxy && each.error == error;
  };
  auto found = std::ranges::find_if(entries_, is_it);
  if (found == entries_.end())
    found = entries_.insert(entries_.end(), entry{what, std::string(proxy), error, 0, 0, {}});
  ++found->times;
  if (found->told != 0 && now - found->told_at < told_every) return;
  const std::uint64_t since = found->times - found->told - 1;
  const std::string more =
      found->told == 0 || since == 0 ? "" : fmt::format(" ({} more since it was told)", since);
  found->told = found->times;
  found->told_at = now;
  if (!tell_) return;
  const char* const name = uring::errno_name(error);
  const std::string_view remedy = remedy_of(what, error);
  tell_(fmt::format("{}: {}: {}{}{}{}{}{}", visible(proxy),
                    what == trouble::dial
                        ? fmt::format("no connection to {}",
                                      server != nullptr ? visible(server->url()) : "the server")
                        : std::string("connections can't be accepted"),
                    std::strerror(error), name != nullptr ? ", " : "", name != nullptr ? name : "",
                    more, remedy.empty() ? "" : "; ", remedy));
}

}  // namespace scenarios
