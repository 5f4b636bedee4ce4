#include "scenarios/make_table.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include "scenarios/sqe_parts.hpp"

namespace scenarios {
namespace {

using uring::field_kind;
using uring::field_row;
using place = uring::sqe_member;

constexpr uring::flag_name inotify_names[] = {
    {"access", IN_ACCESS, IN_ACCESS}, {"attrib", IN_ATTRIB, IN_ATTRIB},
    {"create", IN_CREATE, IN_CREATE}, {"delete", IN_DELETE, IN_DELETE},
    {"modify", IN_MODIFY, IN_MODIFY}, {"open", IN_OPEN, IN_OPEN}};
constexpr uring::flag_set inotify_mask{"mask", uring::set_kind::flags, inotify_names};

constexpr field_row make(std::string_view name, field_kind kind, std::string_view doc,
                         const uring::flag_set* set = nullptr, bool required = false) {
  field_row made{.name = name, .kind = kind, .at = place::off};
  made.flags = set;
  made.required = required;
  made.doc = doc;
  return made;
}

constexpr field_row nonblock = make("nonblock", field_kind::flag_bit, "true: O_NONBLOCK");
constexpr field_row socketpair_fields[] = {
    make("domain", field_kind::choice, "address family (default unix)",
         &uring::flags::socket_domain),
    make("type", field_kind::flags, "kind of socket (default stream)", &uring::flags::socket_type)};
constexpr field_row pipe_fields[] = {nonblock};
constexpr field_row eventfd_fields[] = {
    make("value", field_kind::number, "its first value (default 0)"),
    make("semaphore", field_kind::flag_bit, "true: each read takes one"), nonblock};
constexpr field_row timerfd_fields[] = {
    make("after", field_kind::timespec_in, "when it first expires (default never)"),
    make("every", field_kind::timespec_in, "how often from then on"), nonblock};
constexpr field_row memfd_fields[] = {make("data", field_kind::data_out, "what it holds")};
constexpr field_row inotify_fields[] = {
    make("path", field_kind::path, "what to watch", nullptr, true),
    make("mask", field_kind::flags, "what to tell (default all)", &inotify_mask), nonblock};
constexpr field_row fifo_fields[] = {make("path", field_kind::path, "its name", nullptr, true),
                                     make("mode", field_kind::mode, "permissions (default 0600)")};
constexpr field_row futex_fields[] = {make("value", field_kind::number, "its value (default 0)")};
constexpr field_row child_fields[] = {
    make("exit", field_kind::number, "its exit status (default 0)"),
    make("after", field_kind::timespec_in, "how long it lives (default: ends at once)")};

constexpr make_row rows[] = {
    {"socketpair", make_kind::socketpair, 2, socketpair_fields, "two connected sockets"},
    {"pipe", make_kind::pipe, 2, pipe_fields, "a pipe: the end to read, the end to write"},
    {"pair_of_pipes", make_kind::pair_of_pipes, 4, {}, "two pipes: read, write, read, write"},
    {"eventfd", make_kind::eventfd, 1, eventfd_fields, "an eventfd"},
    {"timerfd", make_kind::timerfd, 1, timerfd_fields, "a timerfd on the monotonic clock"},
    {"epoll", make_kind::epoll, 1, {}, "an epoll descriptor"},
    {"memfd", make_kind::memfd, 1, memfd_fields, "a file in memory"},
    {"inotify", make_kind::inotify, 1, inotify_fields, "an inotify descriptor with one watch"},
    {"fifo", make_kind::fifo, 0, fifo_fields, "a named pipe, in the file system only"},
    {"futex", make_kind::futex, 1, futex_fields, "a 32-bit word in memory"},
    {"child", make_kind::child, 1, child_fields, "a child process, as a pidfd; it publishes .pid"},
};

#define SOCKET(name, number) {"socket", name, SOL_SOCKET, number}
#define TCP(name, number) {"tcp", name, IPPROTO_TCP, number}
constexpr option_row options[] = {
    SOCKET("reuseaddr", SO_REUSEADDR),
    SOCKET("type", SO_TYPE),
    SOCKET("error", SO_ERROR),
    SOCKET("broadcast", SO_BROADCAST),
    SOCKET("sndbuf", SO_SNDBUF),
    SOCKET("rcvbuf", SO_RCVBUF),
    SOCKET("keepalive", SO_KEEPALIVE),
    SOCKET("oobinline", SO_OOBINLINE),
    SOCKET("linger", SO_LINGER),
    SOCKET("reuseport", SO_REUSEPORT),
    SOCKET("passcred", SO_PASSCRED),
    SOCKET("rcvlowat", SO_RCVLOWAT),
    SOCKET("rcvtimeo", SO_RCVTIMEO),
    SOCKET("sndtimeo", SO_SNDTIMEO),
    SOCKET("acceptconn", SO_ACCEPTCONN),
    SOCKET("timestamp", SO_TIMESTAMP),
    SOCKET("protocol", SO_PROTOCOL),
    SOCKET("domain", SO_DOMAIN),
    SOCKET("zerocopy", SO_ZEROCOPY),
    SOCKET("incoming_napi_id", SO_INCOMING_NAPI_ID),
    TCP("nodelay", TCP_NODELAY),
    TCP("maxseg", TCP_MAXSEG),
    TCP("cork", TCP_CORK),
    TCP("keepidle", TCP_KEEPIDLE),
    TCP("keepintvl", TCP_KEEPINTVL),
    TCP("keepcnt", TCP_KEEPCNT),
    TCP("syncnt", TCP_SYNCNT),
    TCP("linger2", TCP_LINGER2),
    TCP("defer_accept", TCP_DEFER_ACCEPT),
    TCP("window_clamp", TCP_WINDOW_CLAMP),
    TCP("quickack", TCP_QUICKACK),
    TCP("user_timeout", TCP_USER_TIMEOUT),
    TCP("fastopen", TCP_FASTOPEN),
    {"ip", "tos", IPPROTO_IP, IP_TOS},
    {"ip", "ttl", IPPROTO_IP, IP_TTL},
    {"ip", "pktinfo", IPPROTO_IP, IP_PKTINFO},
    {"ipv6", "v6only", IPPROTO_IPV6, IPV6_V6ONLY},
    {"udp", "segment", IPPROTO_UDP, UDP_SEGMENT},
    {"udp", "gro", IPPROTO_UDP, UDP_GRO},
};
#undef SOCKET
#undef TCP

}  // namespace

std::span<const make_row> make_table() {
  return rows;
}

const make_row* find_make(std::string_view name) {
  const auto* found = std::ranges::find(rows, name, &make_row::name);
  return found == std::end(rows) ? nullptr : found;
}

std::span<const key_row> make_keys() {
  static const std::vector<key_row> keys = [] {
    std::vector<key_row> made{{"kind", json::string, key_state::required,
                               "socketpair, pipe, pair_of_pipes, eventfd, timerfd, epoll, memfd, "
                               "inotify, fifo, futex or child"}};
    for (const make_row& row : rows) {
      for (const field_row& field : row.fields) {
        const auto same = std::ranges::find(made, field.name, &key_row::name);
        if (same == made.end()) {
          made.push_back({field.name, types_of(field), key_state::optional, field.doc});
        } else {
          same->accepts |= types_of(field);
        }
      }
    }
    return made;
  }();
  return keys;
}

std::span<const option_row> option_table() {
  return options;
}

}  // namespace scenarios
