// What a descriptor is, as `where.fd_kind` names it.
//
// tcp and udp are sockets of IPv4 and IPv6, unix those of any type; anon is what has no place in
// the file system: eventfd, timerfd, epoll, pidfd, a ring.
#pragma once

#include <span>
#include <string_view>

namespace scenarios {

/// Of an open descriptor; empty when it is none of those.
std::string_view kind_of_descriptor(int fd);
std::span<const std::string_view> descriptor_kinds();

}  // namespace scenarios
