// The low-level steps that are plain system calls: make, socket options, recycling buffers.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "scenarios/make_table.hpp"
#include "scenarios/services/low_descriptors.hpp"
#include "scenarios/sqe_builder.hpp"
#include "scenarios/step_runner.hpp"

namespace scenarios {
namespace {

step_end ended_with(std::int64_t res) {
  step_end end;
  end.res = res;
  end.natural = res >= 0;
  if (res < 0) end.outcome = step_outcome::error;
  return end;
}

// Makes one thing; the descriptors that it consists of are in `made`.
class maker {
 public:
  maker(const make_step& body, sqe_builder& values) : body_(body), values_(values) {}

  /// 0, or -errno; nothing when a value could not be had.
  std::optional<int> make();

  std::vector<int> made;
  std::uint32_t word = 0;
  pid_t child = 0;

 private:
  const sqe_field* find(std::string_view name) const {
    const auto found = std::ranges::find_if(
        body_.fields, [&](const sqe_field& each) { return each.row->name == name; });
    return found == body_.fields.end() ? nullptr : &*found;
  }
  std::int64_t number(std::string_view name, std::int64_t otherwise) {
    const sqe_field* field = find(name);
    if (field == nullptr) return otherwise;
    const auto value = values_.integer(*field);
    bad_ |= !value;
    return value.value_or(otherwise);
  }
  std::string text(std::string_view name) {
    const sqe_field* field = find(name);
    if (field == nullptr) return {};
    const auto value = values_.text(*field);
    bad_ |= !value;
    return value.value_or("");
  }
  __kernel_timespec time(std::string_view name) {
    const sqe_field* field = find(name);
    if (field == nullptr) return {};
    const auto value = values_.time(*field);
    bad_ |= !value;
    return value.value_or(__kernel_timespec{});
  }
  int nonblock(int flag) { return number("nonblock", 0) != 0 ? flag : 0; }
  int one(int fd) {
    if (fd < 0) return -errno;
    made.push_back(fd);
    return 0;
  }
  int pipe(int flags) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | flags) != 0) return -errno;
    made.insert(made.end(), ends.begin(), ends.end());
    return 0;
  }
  int make_socketpair();
  int make_timer();
  int make_memory();
  int make_inotify();
  int make_fifo();
  int make_child();
  int by_kind();

  const make_step& body_;
  sqe_builder& values_;
  bool bad_ = false;
};

std::optional<int> maker::make() {
  const int result = by_kind();
  if (!bad_) return result;
  for (const int fd : made) ::close(fd);
  return std::nullopt;
}

int maker::by_kind() {
  switch (body_.row->kind) {
    case make_kind::socketpair:
      return make_socketpair();
    case make_kind::pipe:
      return pipe(nonblock(O_NONBLOCK));
    case make_kind::pair_of_pipes: {
      const int first = pipe(0);
      return first != 0 ? first : pipe(0);
    }
    case make_kind::eventfd: {
      const int flags = number("semaphore", 0) != 0 ? EFD_SEMAPHORE : 0;
      return one(::eventfd(static_cast<unsigned>(number("value", 0)),
                           EFD_CLOEXEC | flags | nonblock(EFD_NONBLOCK)));
    }
    case make_kind::timerfd:
      return make_timer();
    case make_kind::epoll:
      return one(::epoll_create1(EPOLL_CLOEXEC));
    case make_kind::memfd:
      return make_memory();
    case make_kind::inotify:
      return make_inotify();
    case make_kind::fifo:
      return make_fifo();
    case make_kind::futex:
      word = static_cast<std::uint32_t>(number("value", 0));
      return 0;
    case make_kind::child:
      return make_child();
  }
  return -EINVAL;
}

int maker::make_socketpair() {
  const auto domain = static_cast<int>(number("domain", AF_UNIX));
  const auto type = static_cast<int>(number("type", SOCK_STREAM));
  std::array<int, 2> ends{};
  if (::socketpair(domain, type | SOCK_CLOEXEC, 0, ends.data()) != 0) return -errno;
  made.insert(made.end(), ends.begin(), ends.end());
  return 0;
}

int maker::make_timer() {
  const int result = one(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | nonblock(TFD_NONBLOCK)));
  if (result != 0) return result;
  const __kernel_timespec after = time("after");
  const __kernel_timespec every = time("every");
  const itimerspec set{{every.tv_sec, every.tv_nsec}, {after.tv_sec, after.tv_nsec}};
  return ::timerfd_settime(made.front(), 0, &set, nullptr) != 0 ? -errno : 0;
}

int maker::make_memory() {
  const int result = one(::memfd_create("scenario", MFD_CLOEXEC));
  const sqe_field* field = find("data");
  if (result != 0 || field == nullptr) return result;
  const auto octets = values_.data(*field);
  bad_ |= !octets;
  if (!octets) return 0;
  const ssize_t written = ::pwrite(made.front(), octets->data(), octets->size(), 0);
  return written == static_cast<ssize_t>(octets->size()) ? 0 : -EIO;
}

int maker::make_inotify() {
  const int result = one(::inotify_init1(IN_CLOEXEC | nonblock(IN_NONBLOCK)));
  if (result != 0) return result;
  const auto mask = static_cast<std::uint32_t>(number("mask", IN_ALL_EVENTS));
  return ::inotify_add_watch(made.front(), text("path").c_str(), mask) < 0 ? -errno : 0;
}

int maker::make_fifo() {
  const std::string path = text("path");
  if (bad_) return 0;
  return ::mkfifo(path.c_str(), static_cast<mode_t>(number("mode", 0600))) != 0 ? -errno : 0;
}

// Between clone and exit only calls that are safe with other threads around. The child never has
// copies of our descriptors (low_descriptors.hpp): ends of pipes would hide ends of streams.
int maker::make_child() {
  const auto status = static_cast<int>(number("exit", 0));
  const __kernel_timespec after = time("after");
  timespec left{after.tv_sec, after.tv_nsec};
  if (bad_) return 0;
  low_descriptors::hold();
  child = static_cast<pid_t>(
      syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  const int error = errno;
  if (child == 0) {
    if (syscall(SYS_close_range, 0U, UINT_MAX, CLOSE_RANGE_UNSHARE) != 0) ::_exit(127);
    while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
    ::_exit(status);
  }
  if (child < 0) return -error;
  return one(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
}

}  // namespace

void step_runner::name_descriptors(std::span<const int> made) {
  for (std::size_t i = 0; i < made.size(); ++i) {
    const std::uint32_t name = i == 0                         ? step_.as_handle
                               : i - 1 < step_.as_more.size() ? step_.as_more[i - 1]
                                                              : no_index;
    if (name != no_index) {
      strand_.make_handle(name, made[i]);
    } else {
      ::close(made[i]);
    }
  }
}

uring::task<step_end> step_runner::on(const make_step& body) {
  submission_memory memory;
  sqe_builder values(strand_, nullptr, memory);
  maker making(body, values);
  const std::optional<int> result = making.make();
  if (!result) co_return broken(values.why(), step_.op_at);
  if (making.child > 0 && !making.made.empty() && step_.as_handle != no_index) {
    strand_.handle_at(step_.as_handle)
        .adopt_child(making.made.front(), making.child, strand_.next_handle_name());
    strand_.refresh_handle(step_.as_handle);
  } else if (body.row->kind == make_kind::futex && step_.as_handle != no_index) {
    strand_.handle_at(step_.as_handle).adopt_word(making.word, strand_.next_handle_name());
  } else {
    name_descriptors(making.made);
  }
  co_return ended_with(*result);
}

uring::task<step_end> step_runner::on(const option_step& body) {
  const int fd = own().fd();
  if (body.sets) {
    std::string octets;
    if (body.data) {
      evaluation made = body.data->eval(strand_);
      if (!made) co_return broken(made.message(), step_.op_at);
      octets = (*std::move(made)).take_data();
    } else if (body.number) {
      const evaluation made = body.number->eval(strand_);
      if (!made) co_return broken(made.message(), body.number->at());
      const auto number = static_cast<int>(made->integer());
      octets.assign(reinterpret_cast<const char*>(&number), sizeof number);
    }
    const int result = ::setsockopt(fd, body.level, body.name, octets.data(),
                                    static_cast<socklen_t>(octets.size()));
    co_return ended_with(result == 0 ? 0 : -errno);
  }
  const evaluation length = body.length.eval(strand_);
  if (!length) co_return broken(length.message(), body.length.at());
  std::string room(static_cast<std::size_t>(length->integer()), '\0');
  auto size = static_cast<socklen_t>(room.size());
  if (::getsockopt(fd, body.level, body.name, room.data(), &size) != 0)
    co_return ended_with(-errno);
  step_end end = ended_with(0);
  room.resize(std::min<std::size_t>(size, room.size()));
  value found = value::bytes(room);
  if (room.size() == sizeof(int)) {
    int number = 0;
    std::memcpy(&number, room.data(), sizeof number);
    found = value(number);
  }
  end.fields = value::record({{"value", std::move(found)}});
  co_return end;
}

uring::task<step_end> step_runner::on(const recycle_step& body) {
  const evaluation id = body.group.eval(strand_);
  if (!id) co_return broken(id.message(), step_.op_at);
  private_ring& ring = *run_.rings[step_.ring];
  buffer_group* group = ring.find_group(static_cast<std::uint16_t>(id->integer()));
  if (group == nullptr)
    co_return broken(fmt::format("the ring {} has no such buffer group", ring.name()), step_.op_at);
  std::vector<std::uint16_t> buffers;
  for (const expression& each : body.buffers) {
    const evaluation number = each.eval(strand_);
    if (!number) co_return broken(number.message(), each.at());
    buffers.push_back(static_cast<std::uint16_t>(number->integer()));
  }
  if (body.buffers.empty()) buffers = group->used();
  for (const std::uint16_t number : buffers) {
    if (!group->recycle(number))
      co_return broken(fmt::format("the buffer {} is not in use", number), step_.op_at);
  }
  step_end end;
  end.res = static_cast<std::int64_t>(buffers.size());
  co_return end;
}

}  // namespace scenarios
