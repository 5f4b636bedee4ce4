#include "engine/decode.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "engine/kernel_compat.hpp"

using namespace uring;

namespace {

std::string text_of(const io_uring_sqe& sqe) {
  return to_text(decode(sqe, process_memory{}));
}

template <class Prepare>
std::string shown(Prepare prepare) {
  io_uring_sqe sqe;
  std::memset(&sqe, 0, sizeof sqe);
  prepare(&sqe);
  return text_of(sqe);
}

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Two pages, the second one not mapped.
class page_before_a_hole {
 public:
  page_before_a_hole() {
    size_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    memory_ = static_cast<char*>(
        mmap(nullptr, 2 * size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(memory_ + size_, size_);
  }
  ~page_before_a_hole() { munmap(memory_, size_); }
  page_before_a_hole(const page_before_a_hole&) = delete;
  page_before_a_hole& operator=(const page_before_a_hole&) = delete;
  char* last(size_t bytes) const { return memory_ + size_ - bytes; }

 private:
  char* memory_;
  size_t size_;
};

const auto nowhere = reinterpret_cast<char*>(0x10);  // below vm.mmap_min_addr

}  // namespace

TEST_CASE("a submission reads like the call it is", "[decode]") {
  char buffer[16];
  CHECK(shown([&](auto* s) { io_uring_prep_recv(s, 5, buffer, 16, MSG_WAITALL); }) ==
        "recv(fd=5, len=16, msg_flags=waitall)");
  CHECK(shown([&](auto* s) { io_uring_prep_send(s, 5, "GET /\r\n", 7, 0); }) ==
        R"(send(fd=5, data="GET /\r\n"))");
  CHECK(shown([](auto* s) { io_uring_prep_nop(s); }) == "nop()");
  CHECK(shown([](auto* s) { io_uring_prep_close(s, 7); }) == "close(fd=7)");
  CHECK(shown([](auto* s) { io_uring_prep_close_direct(s, 2); }) == "close(file_index=3)");
  CHECK(shown([](auto* s) { io_uring_prep_poll_add(s, 5, 0x2001); }) ==
        "poll_add(fd=5, events=in|rdhup)");
  CHECK(shown([](auto* s) { io_uring_prep_poll_multishot(s, 5, 1); }) ==
        "poll_add(fd=5, events=in, multishot=true)");
  CHECK(shown([](auto* s) { io_uring_prep_shutdown(s, 5, SHUT_RD); }) == "shutdown(fd=5, how=rd)");
  CHECK(shown([](auto* s) {
          io_uring_prep_socket(s, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, 0);
        }) == "socket(domain=inet, type=stream|cloexec)");
}

TEST_CASE("common flags, slots and multishot are shown once, by name", "[decode]") {
  CHECK(shown([](auto* s) {
          io_uring_prep_recv_multishot(s, 3, nullptr, 0, 0);
          s->flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT | IOSQE_IO_LINK;
          s->ioprio |= IORING_RECVSEND_POLL_FIRST;
          s->buf_group = 9;
        }) ==
        "recv(fd=slot 3, ioprio=poll_first, multishot=true, buf_group=9, "
        "sqe_flags=fixed_file|io_link|buffer_select)");
}

TEST_CASE("times, addresses, paths and messages are read through their pointers", "[decode]") {
  __kernel_timespec ts{0, 50'000'000};
  CHECK(shown([&](auto* s) { io_uring_prep_timeout(s, &ts, 0, 0); }) == "timeout(ts=50ms)");
  ts = {1, 500'000'000};
  CHECK(shown([&](auto* s) { io_uring_prep_link_timeout(s, &ts, IORING_TIMEOUT_ABS); }) ==
        "link_timeout(ts=1.5s, timeout_flags=abs)");
  ts = {3, 0};
  CHECK(shown([&](auto* s) { io_uring_prep_timeout_update(s, &ts, 77, 0); }) ==
        "timeout_remove(target=77, ts=3s, timeout_flags=update)");
  CHECK(shown([&](auto* s) {
          io_uring_prep_timeout(s, reinterpret_cast<__kernel_timespec*>(2'000'000), 0,
                                compat::timeout_immediate_arg);
        }) == "timeout(ts=2ms, timeout_flags=immediate_arg)");

  const sockaddr_in address = loopback(8080);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  CHECK(shown([&](auto* s) { io_uring_prep_connect(s, 5, generic, sizeof address); }) ==
        "connect(fd=5, addr=127.0.0.1:8080)");

  CHECK(shown([](auto* s) { io_uring_prep_openat(s, AT_FDCWD, "a\tb", O_RDWR | O_CREAT, 0644); }) ==
        R"(openat(path="a\tb", open_flags=rdwr|creat, mode=0644))");
  CHECK(shown([](auto* s) { io_uring_prep_renameat(s, AT_FDCWD, "a", 7, "b", 1); }) ==
        R"(renameat(path="a", newdirfd=7, newpath="b", rename_flags=noreplace))");
  struct open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH;
  CHECK(shown([&](auto* s) { io_uring_prep_openat2(s, AT_FDCWD, "x", &how); }) ==
        R"(openat2(path="x", open_how=rdonly|cloexec, beneath))");

  char first[] = "ab", second[] = "cde";
  iovec parts[] = {{first, 2}, {second, 3}};
  CHECK(shown([&](auto* s) { io_uring_prep_writev(s, 5, parts, 2, 0); }) ==
        R"(writev(fd=5, iov="abcde"))");
  CHECK(shown([&](auto* s) { io_uring_prep_readv(s, 5, parts, 2, 0); }) ==
        "readv(fd=5, iov=[2, 3])");
  msghdr message{};
  message.msg_name = const_cast<sockaddr_in*>(&address);
  message.msg_namelen = sizeof address;
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  CHECK(shown([&](auto* s) { io_uring_prep_sendmsg(s, 5, &message, 0); }) ==
        R"(sendmsg(fd=5, msg={name=127.0.0.1:8080, data="abcde"}))");
  CHECK(shown([&](auto* s) { io_uring_prep_recvmsg(s, 5, &message, 0); }) ==
        "recvmsg(fd=5, msg={iov=[2, 3]})");

  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = 4;
  CHECK(shown([&](auto* s) { io_uring_prep_epoll_ctl(s, 4, 6, EPOLL_CTL_ADD, &event); }) ==
        "epoll_ctl(fd=4, op=add, target_fd=6, event=in|et, 4)");
  int slots[] = {3, -1};
  CHECK(shown([&](auto* s) { io_uring_prep_files_update(s, slots, 2, 0); }) ==
        "files_update(fds=[3, -1])");
}

TEST_CASE("a cancel shows the key that it goes by", "[decode]") {
  CHECK(shown([](auto* s) { io_uring_prep_cancel64(s, 77, 0); }) == "async_cancel(target=77)");
  CHECK(shown([](auto* s) { io_uring_prep_cancel_fd(s, 5, IORING_ASYNC_CANCEL_ALL); }) ==
        "async_cancel(fd=5, cancel_flags=all|fd)");
  CHECK(shown([](auto* s) {
          io_uring_prep_cancel64(s, 0, static_cast<int>(compat::cancel_op));
          s->len = IORING_OP_ACCEPT;
        }) == "async_cancel(op=accept, cancel_flags=op)");
}

TEST_CASE("long data is cut and says how much there is", "[decode]") {
  const std::string body(1000, 'x');
  io_uring_sqe sqe;
  std::memset(&sqe, 0, sizeof sqe);
  io_uring_prep_write(&sqe, 5, body.data(), 1000, 0);
  const auto submission = decode(sqe, process_memory{}, {.data = 4});
  CHECK(to_text(submission) == R"(write(fd=5, data="xxxx"... (1000 bytes)))");
  const auto& data = std::get<data_bytes>(submission.fields[1].value);
  CHECK(data.bytes == "xxxx");
  CHECK(data.total == 1000);
}

TEST_CASE("bytes that are no text are escaped", "[decode]") {
  const char bytes[] = {'"', '\\', '\0', '\x7f', '\n'};
  CHECK(shown([&](auto* s) { io_uring_prep_send(s, 5, bytes, sizeof bytes, 0); }) ==
        R"(send(fd=5, data="\"\\\x00\x7f\n"))");
}

TEST_CASE("a bad pointer is shown as a number and crashes nothing", "[decode]") {
  CHECK(shown([](auto* s) { io_uring_prep_openat(s, AT_FDCWD, nowhere, 0, 0); }) ==
        "openat(path=0x10)");
  CHECK(shown([](auto* s) { io_uring_prep_openat(s, AT_FDCWD, nullptr, 0, 0); }) ==
        "openat(path=null)");
  CHECK(shown([](auto* s) { io_uring_prep_send(s, 5, nowhere, 10, 0); }) ==
        "send(fd=5, data=0x10)");
  CHECK(shown([](auto* s) {
          io_uring_prep_timeout(s, reinterpret_cast<__kernel_timespec*>(nowhere), 0, 0);
        }) == "timeout(ts=0x10)");
  CHECK(shown([](auto* s) {
          io_uring_prep_writev(s, 5, reinterpret_cast<iovec*>(nowhere), 2, 0);
        }) == "writev(fd=5, iov=0x10)");
  CHECK(shown([](auto* s) {
          io_uring_prep_connect(s, 5, reinterpret_cast<sockaddr*>(nowhere), 16);
        }) == "connect(fd=5, addr=0x10)");
  CHECK(shown([](auto* s) {
          io_uring_prep_sendmsg(s, 5, reinterpret_cast<msghdr*>(nowhere), 0);
        }) == "sendmsg(fd=5, msg=0x10)");
}

TEST_CASE("memory is read up to the edge of what is mapped", "[decode]") {
  const page_before_a_hole memory;
  char* end = memory.last(3);
  std::memcpy(end, "abc", 3);
  char copy[8] = {};
  const process_memory self;
  CHECK(self.read(reinterpret_cast<uint64_t>(end), copy, 8) == 3);
  CHECK(std::string(copy) == "abc");
  CHECK(self.read(reinterpret_cast<uint64_t>(end) + 3, copy, 1) == 0);

  CHECK(shown([&](auto* s) { io_uring_prep_send(s, 5, end, 8, 0); }) ==
        R"(send(fd=5, data="abc"... (8 bytes)))");
  // A path without an end is a fault for the kernel, too.
  CHECK(std::holds_alternative<bad_pointer>([&] {
    io_uring_sqe sqe;
    std::memset(&sqe, 0, sizeof sqe);
    io_uring_prep_openat(&sqe, AT_FDCWD, end, 0, 0);
    return decode(sqe, self).fields[1].value;
  }()));
  end[2] = '\0';
  CHECK(shown([&](auto* s) { io_uring_prep_openat(s, AT_FDCWD, end, 0, 0); }) ==
        R"(openat(path="ab"))");
}

TEST_CASE("another process's arguments are read from its own memory", "[decode]") {
  char path[] = "/in/the/parent";
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::strcpy(path, "/in/the/child");
    const ssize_t written = write(ready[1], "x", 1);
    pause();
    _exit(written == 1 ? 0 : 1);
  }
  char byte;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  io_uring_sqe sqe;
  std::memset(&sqe, 0, sizeof sqe);
  io_uring_prep_openat(&sqe, AT_FDCWD, path, O_RDONLY, 0);
  const std::string remote = to_text(decode(sqe, process_memory{child}));
  const std::string local = text_of(sqe);
  const std::string gone = to_text(decode(sqe, no_memory{}));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  CHECK(remote == R"(openat(path="/in/the/child"))");
  CHECK(local == R"(openat(path="/in/the/parent"))");
  CHECK(gone.starts_with("openat(path=0x"));
}

TEST_CASE("an opcode without a row is still shown", "[decode]") {
  io_uring_sqe sqe;
  std::memset(&sqe, 0, sizeof sqe);
  sqe.opcode = 99;
  CHECK(text_of(sqe) == "op_99()");
}

TEST_CASE("every opcode decodes random bytes without harm", "[decode]") {
  // Not a fuzzer, only the certainty that no field kind trusts its input.
  uint64_t state = 1;
  for (unsigned round = 0; round < 65 * 40; ++round) {
    io_uring_sqe sqe;
    auto* bytes = reinterpret_cast<uint8_t*>(&sqe);
    for (size_t n = 0; n < sizeof sqe; ++n) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      bytes[n] = static_cast<uint8_t>(state >> 56);
    }
    // Half of the pointers are small lengths or lead into our own memory.
    if (round % 2 == 0) {
      sqe.addr = reinterpret_cast<uint64_t>(&sqe);
      sqe.off = reinterpret_cast<uint64_t>(bytes + 8);
    }
    sqe.opcode = static_cast<uint8_t>(round % 65);
    const std::string text = text_of(sqe);
    CHECK(text.starts_with(std::string(op_name(sqe.opcode)) + "("));
  }
}

TEST_CASE("socket addresses of each family have a text", "[decode]") {
  const sockaddr_in in = loopback(80);
  CHECK(address_text(&in, sizeof in) == "127.0.0.1:80");
  CHECK(address_text(&in, 4).empty());
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(443);
  in6.sin6_addr = in6addr_loopback;
  CHECK(address_text(&in6, sizeof in6) == "[::1]:443");
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  CHECK(address_text(&un, sizeof un.sun_family) == "unix://");
  std::strcpy(un.sun_path, "/run/x");
  CHECK(address_text(&un, sizeof un) == "unix:///run/x");
  std::memcpy(un.sun_path, "\0name", 5);
  CHECK(address_text(&un, sizeof un.sun_family + 5) == "unix://@name");
  sockaddr_storage other{};
  other.ss_family = AF_NETLINK;
  CHECK(address_text(&other, sizeof other).empty());
}

TEST_CASE("a completion's result names its error and its flags", "[decode]") {
  completion_record completion{};
  completion.res = 16;
  CHECK(result_text(completion) == "= 16");
  completion.res = -ECONNRESET;
  CHECK(result_text(completion) == "= -104 ECONNRESET");
  completion.res = 5;
  completion.flags = IORING_CQE_F_MORE | IORING_CQE_F_BUFFER | 3U << 16;
  CHECK(result_text(completion) == "= 5 [buffer|more 3]");
  completion.res = -512;
  completion.flags = 0;
  CHECK(result_text(completion) == "= -512 ERESTARTSYS");
  completion.res = compat::notif_usage_zc_copied;
  completion.flags = IORING_CQE_F_NOTIF;
  CHECK(result_text(completion) == "= -2147483648 [notif]");
}
