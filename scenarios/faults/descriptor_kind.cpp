#include "scenarios/faults/descriptor_kind.hpp"

#include <sys/socket.h>
#include <sys/stat.h>

namespace scenarios {
namespace {

constexpr std::string_view kinds[] = {"tcp",  "udp",       "unix",   "pipe",
                                      "file", "directory", "device", "anon"};

int option_of(int fd, int name) {
  int content = -1;
  socklen_t size = sizeof(content);
  return getsockopt(fd, SOL_SOCKET, name, &content, &size) == 0 ? content : -1;
}

std::string_view kind_of_socket(int fd) {
  const int domain = option_of(fd, SO_DOMAIN);
  if (domain == AF_UNIX) return "unix";
  if (domain != AF_INET && domain != AF_INET6) return {};
  const int type = option_of(fd, SO_TYPE);
  if (type == SOCK_STREAM) return "tcp";
  return type == SOCK_DGRAM ? "udp" : std::string_view();
}

}  // namespace

std::string_view kind_of_descriptor(int fd) {
  struct stat about{};
  if (fstat(fd, &about) != 0) return {};
  switch (about.st_mode & S_IFMT) {
    case S_IFSOCK:
      return kind_of_socket(fd);
    case S_IFIFO:
      return "pipe";
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "directory";
    case S_IFCHR:
    case S_IFBLK:
      return "device";
    default:
      return "anon";
  }
}

std::span<const std::string_view> descriptor_kinds() {
  return kinds;
}

}  // namespace scenarios
