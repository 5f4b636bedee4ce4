// The echo load on epoll, by hand: non-blocking sockets, level-triggered, each tried until it would
// block. Interest in writing is only registered while a send is stuck.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "rivals.hpp"

namespace {

enum class step { blocked, over };

// Goes on until the socket has nothing more to give or to take. After a receive the answer goes out
// at once, without asking epoll; after a send the next receive would only say "not yet".
step drive(echo_end& end) {
  bool sent = false;
  while (end.sending || !sent) {
    const bool was_sending = end.sending;
    const ssize_t count = was_sending
                              ? send(end.fd, end.data(), end.missing(), MSG_NOSIGNAL | MSG_DONTWAIT)
                              : recv(end.fd, end.data(), end.missing(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return step::blocked;
    if (!end.advance(count)) return step::over;
    sent = was_sending && !end.sending;
  }
  return step::blocked;
}

class poller {
 public:
  poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
    if (fd_ >= 0) return;
    std::perror("epoll_create1");
    std::exit(1);
  }
  ~poller() { close(fd_); }
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  void watch(int how, echo_end& end) const {
    epoll_event event{};
    event.events = end.sending ? EPOLLOUT : EPOLLIN;
    event.data.ptr = &end;
    epoll_ctl(fd_, how, end.fd, &event);
  }
  int wait(std::span<epoll_event> into) const {
    return epoll_wait(fd_, into.data(), static_cast<int>(into.size()), -1);
  }

 private:
  int fd_;
};

}  // namespace

echo_tally run_on_epoll(std::span<const int> clients, std::span<const int> servers,
                        const echo_load& load) {
  const poller events;
  std::vector<echo_end> ends = echo_ends(clients, servers, load);
  std::size_t open = ends.size();
  const auto go_on = [&](echo_end& end, int how) {
    const bool was_sending = how == EPOLL_CTL_MOD && end.sending;
    if (drive(end) == step::over) {
      close(end.fd);
      --open;
    } else if (how == EPOLL_CTL_ADD || was_sending || end.sending) {
      events.watch(how, end);
    }
  };
  for (echo_end& end : ends) go_on(end, EPOLL_CTL_ADD);
  std::array<epoll_event, 256> ready{};
  while (open > 0) {
    const int count = events.wait(ready);
    for (int i = 0; i < count; ++i) {
      go_on(*static_cast<echo_end*>(ready[static_cast<std::size_t>(i)].data.ptr), EPOLL_CTL_MOD);
    }
  }
  return tally_of(ends, load);
}
