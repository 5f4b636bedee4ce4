#include "scenarios/wire/listen_remedy.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace scenarios {
namespace {

std::string taken(const uring::socket_address& where) {
  const std::string path = where.path();
  if (!path.empty())
    return fmt::format(
        "there is a file at {0} already: `ss -lxp src {0}` tells who listens there; if nobody "
        "does, it was left behind: remove it",
        path);
  if (where.is_unix()) return "choose another name: `ss -lxp` tells who has it";
  return fmt::format(
      "`ss -l{}np sport = :{}` tells who has it, unless it is another scenario or case of this "
      "run: `locks` keeps those apart; with port 0 the kernel chooses a free one",
      where.is_datagram() ? 'u' : 't', where.port());
}

}  // namespace

std::string listen_remedy(const uring::socket_address& where, int error) {
  switch (error) {
    case EADDRINUSE:
      return taken(where);
    case EACCES:
      if (where.is_unix()) return "its directory must be writable by the user of this program";
      return "ports below 1024 want more rights: choose a higher one, or 0 for a free one";
    case EADDRNOTAVAIL:
      return "listen on an address of this machine: `ip -brief address` lists them; 127.0.0.1 is "
             "one";
    case ENOENT:
      return where.is_unix() ? "the directory must be there before" : "";
    case EMFILE:
    case ENFILE:
      return "raise `ulimit -n`";
    default:
      return {};
  }
}

}  // namespace scenarios
