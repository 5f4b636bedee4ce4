#include "engine/op_table.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <set>
#include <string>

#include "engine/kernel_compat.hpp"

using namespace uring;

namespace {

struct argument {
  std::string_view field;
  uint64_t value;
  uint64_t length = 0;
};

constexpr uint64_t minus_one = ~uint64_t{0};

io_uring_sqe encode(const op_row& row, std::initializer_list<argument> arguments) {
  io_uring_sqe sqe;
  begin_sqe(sqe, row);
  for (const argument& each : arguments) {
    const field_row* field = find_field(row, each.field);
    INFO("op " << row.name << " has no field " << each.field);
    REQUIRE(field != nullptr);
    store_field(sqe, *field, each.value, each.length);
  }
  return sqe;
}

// Encodes through the table and compares all 64 bytes with what liburing's own function made.
void same_as_liburing(std::string_view name, std::initializer_list<argument> arguments,
                      const std::function<void(io_uring_sqe*)>& prepare) {
  const op_row* row = find_op(name);
  REQUIRE(row != nullptr);
  io_uring_sqe expected;
  std::memset(&expected, 0, sizeof expected);
  prepare(&expected);
  const io_uring_sqe made = encode(*row, arguments);
  INFO("op " << name);
  for (size_t n = 0; n < sizeof made; ++n) {
    INFO("byte " << n);
    REQUIRE(int{reinterpret_cast<const uint8_t*>(&made)[n]} ==
            int{reinterpret_cast<const uint8_t*>(&expected)[n]});
  }
}

// Recognisable pointers that nothing dereferences.
char* const p1 = reinterpret_cast<char*>(0x1122334455667788);
char* const p2 = reinterpret_cast<char*>(0x0102030405060708);
const auto v1 = reinterpret_cast<uint64_t>(p1);
const auto v2 = reinterpret_cast<uint64_t>(p2);

}  // namespace

TEST_CASE("every opcode from 0 to 64 has exactly one row, in order and with its words",
          "[op_table]") {
  const auto table = op_table();
  REQUIRE(table.size() == 65);
  std::set<std::string_view> names;
  for (size_t n = 0; n < table.size(); ++n) {
    const op_row& row = table[n];
    INFO("opcode " << n << " " << row.name);
    CHECK(row.opcode == n);
    CHECK_FALSE(row.name.empty());
    CHECK(names.insert(row.name).second);
    CHECK(newer_than(row.since, "5.0"));
    CHECK(newer_than("7.0", row.since));
    CHECK(row.doc.size() > 20);
    CHECK(row.doc.back() == '.');
    CHECK(find_op(row.name) == &row);
    CHECK(find_op(static_cast<uint8_t>(n)) == &row);
    CHECK(op_name(static_cast<uint8_t>(n)) == row.name);
  }
  CHECK(find_op("recvfrom") == nullptr);
  CHECK(find_op(uint8_t{65}) == nullptr);
  CHECK(op_name(200) == "unknown");
}

TEST_CASE("opcodes appear in the order of kernel versions", "[op_table]") {
  std::string_view last = "5.1";
  for (const op_row& row : op_table()) {
    INFO(row.name << " since " << row.since << " after " << last);
    CHECK_FALSE(newer_than(last, row.since));
    last = row.since;
  }
}

TEST_CASE("every field is consistent with its kind", "[op_table]") {
  for (const op_row& row : op_table()) {
    std::set<std::string_view> names;
    for (const field_row& field : row.fields) {
      INFO(row.name << "." << field.name);
      CHECK(names.insert(field.name).second);
      CHECK(field.at != sqe_member::none);
      CHECK_FALSE(field.doc.empty());
      const bool named = field.kind == field_kind::flags || field.kind == field_kind::choice;
      CHECK((field.flags != nullptr) == named);
      if (named)
        CHECK((field.flags->kind == set_kind::choice) == (field.kind == field_kind::choice));
      CHECK((field.bit != 0) == (field.kind == field_kind::flag_bit));
      const bool sized =
          field.kind == field_kind::data_out || field.kind == field_kind::buffer_in ||
          field.kind == field_kind::iov_in || field.kind == field_kind::iov_out ||
          field.kind == field_kind::address_in || field.kind == field_kind::address_out ||
          field.kind == field_kind::open_how || field.kind == field_kind::fixed_buffer;
      if (sized) CHECK(field.length_at != sqe_member::none);
      // A flag's bit must fit the member, or it would vanish in silence.
      if (field.kind == field_kind::flags)
        for (const flag_name& flag : field.flags->names)
          if (width(field.at) < 8) CHECK(flag.bits >> (8 * width(field.at)) == 0);
    }
    const bool has_descriptor = std::ranges::any_of(row.fields, [](const field_row& f) {
      return f.kind == field_kind::descriptor && f.at == sqe_member::fd;
    });
    INFO(row.name);
    if (row.takes_descriptor) CHECK(has_descriptor);
  }
}

TEST_CASE("what is stored in an SQE member is loaded again, cut to its width", "[op_table]") {
  for (unsigned n = 1; n < static_cast<unsigned>(sqe_member::count_); ++n) {
    const auto member = static_cast<sqe_member>(n);
    INFO("member " << n);
    io_uring_sqe sqe{};
    store(sqe, member, minus_one);
    const uint64_t all = width(member) == 8 ? minus_one : (uint64_t{1} << 8 * width(member)) - 1;
    CHECK(load(sqe, member) == all);
    CHECK(load_signed(sqe, member) == -1);
    size_t touched = 0;
    for (size_t byte = 0; byte < sizeof sqe; ++byte)
      touched += reinterpret_cast<const uint8_t*>(&sqe)[byte] != 0;
    CHECK(touched == width(member));
    store(sqe, member, 0x5a);
    CHECK(load(sqe, member) == 0x5a);
  }
  io_uring_sqe sqe{};
  store(sqe, sqe_member::none, 7);
  CHECK(load(sqe, sqe_member::none) == 0);
  CHECK(width(sqe_member::none) == 0);
}

TEST_CASE("data operations are encoded as liburing encodes them", "[op_table]") {
  const auto* vec = reinterpret_cast<const iovec*>(p1);
  same_as_liburing("nop", {}, [](auto* s) { io_uring_prep_nop(s); });
  same_as_liburing("readv", {{"fd", 5}, {"iov", v1, 3}, {"offset", 4096}, {"rw_flags", 8}},
                   [&](auto* s) { io_uring_prep_readv2(s, 5, vec, 3, 4096, 8); });
  same_as_liburing("writev", {{"fd", 5}, {"iov", v1, 3}, {"offset", minus_one}, {"rw_flags", 16}},
                   [&](auto* s) { io_uring_prep_writev2(s, 5, vec, 3, minus_one, 16); });
  same_as_liburing("read", {{"fd", 5}, {"len", v1, 100}, {"offset", 7}},
                   [](auto* s) { io_uring_prep_read(s, 5, p1, 100, 7); });
  same_as_liburing("write", {{"fd", 5}, {"data", v1, 100}, {"offset", 7}},
                   [](auto* s) { io_uring_prep_write(s, 5, p1, 100, 7); });
  same_as_liburing("read_fixed", {{"fd", 5}, {"buf_index", 2}, {"buf_off", v1, 64}, {"offset", 1}},
                   [](auto* s) { io_uring_prep_read_fixed(s, 5, p1, 64, 1, 2); });
  same_as_liburing("write_fixed", {{"fd", 5}, {"buf_index", 2}, {"buf_off", v1, 64}, {"offset", 1}},
                   [](auto* s) { io_uring_prep_write_fixed(s, 5, p1, 64, 1, 2); });
  same_as_liburing("fsync", {{"fd", 5}, {"fsync_flags", 1}},
                   [](auto* s) { io_uring_prep_fsync(s, 5, IORING_FSYNC_DATASYNC); });
  same_as_liburing("sync_file_range",
                   {{"fd", 5}, {"len", 9}, {"offset", 8}, {"sync_range_flags", 7}},
                   [](auto* s) { io_uring_prep_sync_file_range(s, 5, 9, 8, 7); });
  same_as_liburing("fallocate", {{"fd", 5}, {"mode", 3}, {"offset", 10}, {"len", 1ULL << 40}},
                   [](auto* s) { io_uring_prep_fallocate(s, 5, 3, 10, off_t{1} << 40); });
  same_as_liburing("fadvise", {{"fd", 5}, {"offset", 10}, {"len", 20}, {"advice", 4}},
                   [](auto* s) { io_uring_prep_fadvise(s, 5, 10, 20, 4); });
  same_as_liburing("madvise", {{"addr", v1}, {"len", 20}, {"advice", 4}},
                   [](auto* s) { io_uring_prep_madvise(s, p1, 20, 4); });
  same_as_liburing("splice",
                   {{"fd_in", 5},
                    {"off_in", minus_one},
                    {"fd", 6},
                    {"offset", 12},
                    {"len", 99},
                    {"splice_flags", 2}},
                   [](auto* s) { io_uring_prep_splice(s, 5, -1, 6, 12, 99, 2); });
  same_as_liburing("tee", {{"fd_in", 5}, {"fd", 6}, {"len", 99}, {"splice_flags", 2}},
                   [](auto* s) { io_uring_prep_tee(s, 5, 6, 99, 2); });
}

TEST_CASE("socket operations are encoded as liburing encodes them", "[op_table]") {
  auto* address = reinterpret_cast<sockaddr*>(p1);
  auto* address_length = reinterpret_cast<socklen_t*>(p2);
  auto* message = reinterpret_cast<msghdr*>(p1);
  same_as_liburing("socket", {{"domain", 2}, {"type", 1 | 2048}, {"protocol", 6}},
                   [](auto* s) { io_uring_prep_socket(s, 2, 1 | 2048, 6, 0); });
  same_as_liburing("socket", {{"domain", 2}, {"type", 1}, {"file_index", 8}},
                   [](auto* s) { io_uring_prep_socket_direct(s, 2, 1, 0, 7, 0); });
  same_as_liburing("socket", {{"domain", 2}, {"type", 1}, {"file_index", IORING_FILE_INDEX_ALLOC}},
                   [](auto* s) { io_uring_prep_socket_direct_alloc(s, 2, 1, 0, 0); });
  same_as_liburing("accept", {{"fd", 5}, {"want_addr", v1, v2}, {"accept_flags", 2048}},
                   [&](auto* s) { io_uring_prep_accept(s, 5, address, address_length, 2048); });
  same_as_liburing("accept", {{"fd", 5}, {"multishot", 1}},
                   [](auto* s) { io_uring_prep_multishot_accept(s, 5, nullptr, nullptr, 0); });
  same_as_liburing("accept", {{"fd", 5}, {"file_index", 4}},
                   [](auto* s) { io_uring_prep_accept_direct(s, 5, nullptr, nullptr, 0, 3); });
  same_as_liburing("connect", {{"fd", 5}, {"addr", v1, 16}},
                   [&](auto* s) { io_uring_prep_connect(s, 5, address, 16); });
  same_as_liburing("send", {{"fd", 5}, {"data", v1, 10}, {"msg_flags", MSG_WAITALL}},
                   [](auto* s) { io_uring_prep_send(s, 5, p1, 10, MSG_WAITALL); });
  same_as_liburing("send", {{"fd", 5}, {"data", v2, 10}, {"addr", v1, 28}}, [&](auto* s) {
    io_uring_prep_send(s, 5, p2, 10, 0);
    io_uring_prep_send_set_addr(s, address, 28);
  });
  same_as_liburing("recv", {{"fd", 5}, {"len", v1, 10}, {"msg_flags", MSG_PEEK}},
                   [](auto* s) { io_uring_prep_recv(s, 5, p1, 10, MSG_PEEK); });
  same_as_liburing("recv", {{"fd", 5}, {"multishot", 1}, {"buf_group", 3}}, [](auto* s) {
    io_uring_prep_recv_multishot(s, 5, nullptr, 0, 0);
    s->flags |= IOSQE_BUFFER_SELECT;
    s->buf_group = 3;
  });
  same_as_liburing("sendmsg", {{"fd", 5}, {"msg", v1}, {"msg_flags", MSG_MORE}},
                   [&](auto* s) { io_uring_prep_sendmsg(s, 5, message, MSG_MORE); });
  same_as_liburing("recvmsg", {{"fd", 5}, {"msg", v1}, {"multishot", 1}},
                   [&](auto* s) { io_uring_prep_recvmsg_multishot(s, 5, message, 0); });
  same_as_liburing("send_zc", {{"fd", 5}, {"data", v1, 10}, {"ioprio", IORING_RECVSEND_POLL_FIRST}},
                   [](auto* s) { io_uring_prep_send_zc(s, 5, p1, 10, 0, 1); });
  same_as_liburing(
      "send_zc",
      {{"fd", 5}, {"data", v1, 10}, {"ioprio", IORING_RECVSEND_FIXED_BUF}, {"buf_index", 4}},
      [](auto* s) { io_uring_prep_send_zc_fixed(s, 5, p1, 10, 0, 0, 4); });
  same_as_liburing("sendmsg_zc", {{"fd", 5}, {"msg", v1}, {"msg_flags", MSG_MORE}},
                   [&](auto* s) { io_uring_prep_sendmsg_zc(s, 5, message, MSG_MORE); });
  same_as_liburing("shutdown", {{"fd", 5}, {"how", SHUT_WR}},
                   [](auto* s) { io_uring_prep_shutdown(s, 5, SHUT_WR); });
}

TEST_CASE("file operations are encoded as liburing encodes them", "[op_table]") {
  const auto cwd = static_cast<uint64_t>(AT_FDCWD);
  same_as_liburing("openat",
                   {{"dirfd", 9}, {"path", v1}, {"open_flags", O_CREAT | O_RDWR}, {"mode", 0644}},
                   [](auto* s) { io_uring_prep_openat(s, 9, p1, O_CREAT | O_RDWR, 0644); });
  same_as_liburing("openat", {{"path", v1}, {"file_index", 2}},
                   [](auto* s) { io_uring_prep_openat_direct(s, AT_FDCWD, p1, 0, 0, 1); });
  same_as_liburing("openat2", {{"path", v1}, {"open_how", v2, 24}}, [](auto* s) {
    io_uring_prep_openat2(s, AT_FDCWD, p1, reinterpret_cast<struct open_how*>(p2));
  });
  same_as_liburing("close", {{"fd", 5}}, [](auto* s) { io_uring_prep_close(s, 5); });
  same_as_liburing("close", {{"file_index", 3}}, [](auto* s) { io_uring_prep_close_direct(s, 2); });
  same_as_liburing("statx", {{"path", v1}, {"statx_flags", 0x1000}, {"mask", 0xfff}, {"statx", v2}},
                   [](auto* s) {
                     io_uring_prep_statx(s, AT_FDCWD, p1, 0x1000, 0xfff,
                                         reinterpret_cast<struct statx*>(p2));
                   });
  same_as_liburing(
      "renameat",
      {{"dirfd", 3}, {"path", v1}, {"newdirfd", 4}, {"newpath", v2}, {"rename_flags", 1}},
      [](auto* s) { io_uring_prep_renameat(s, 3, p1, 4, p2, 1); });
  same_as_liburing("renameat", {{"path", v1}, {"newpath", v2}, {"newdirfd", cwd}},
                   [](auto* s) { io_uring_prep_rename(s, p1, p2); });
  same_as_liburing("unlinkat", {{"path", v1}, {"unlink_flags", 0x200}},
                   [](auto* s) { io_uring_prep_unlink(s, p1, 0x200); });
  same_as_liburing("mkdirat", {{"path", v1}, {"mode", 0755}},
                   [](auto* s) { io_uring_prep_mkdir(s, p1, 0755); });
  same_as_liburing("symlinkat", {{"target", v1}, {"path", v2}},
                   [](auto* s) { io_uring_prep_symlink(s, p1, p2); });
  same_as_liburing("linkat", {{"path", v1}, {"newpath", v2}, {"link_flags", 0x400}},
                   [](auto* s) { io_uring_prep_link(s, p1, p2, 0x400); });
  same_as_liburing("fsetxattr", {{"fd", 5}, {"attribute", v1}, {"data", v2, 6}, {"xattr_flags", 1}},
                   [](auto* s) { io_uring_prep_fsetxattr(s, 5, p1, p2, 1, 6); });
  same_as_liburing("fgetxattr", {{"fd", 5}, {"attribute", v1}, {"len", v2, 6}},
                   [](auto* s) { io_uring_prep_fgetxattr(s, 5, p1, p2, 6); });
  const char* path = reinterpret_cast<const char*>(0x42);
  same_as_liburing("setxattr",
                   {{"path", 0x42}, {"attribute", v1}, {"data", v2, 6}, {"xattr_flags", 2}},
                   [&](auto* s) { io_uring_prep_setxattr(s, p1, p2, path, 2, 6); });
  same_as_liburing("getxattr", {{"path", 0x42}, {"attribute", v1}, {"len", v2, 6}},
                   [&](auto* s) { io_uring_prep_getxattr(s, p1, p2, path, 6); });
}

TEST_CASE("ring operations are encoded as liburing encodes them", "[op_table]") {
  auto* ts = reinterpret_cast<__kernel_timespec*>(p1);
  same_as_liburing("poll_add", {{"fd", 5}, {"events", 0x2001}},
                   [](auto* s) { io_uring_prep_poll_add(s, 5, 0x2001); });
  same_as_liburing("poll_add", {{"fd", 5}, {"events", 1}, {"multishot", 1}},
                   [](auto* s) { io_uring_prep_poll_multishot(s, 5, 1); });
  same_as_liburing("poll_remove", {{"target", 77}},
                   [](auto* s) { io_uring_prep_poll_remove(s, 77); });
  same_as_liburing("poll_remove",
                   {{"target", 77}, {"new_user_data", 78}, {"events", 4}, {"poll_flags", 6}},
                   [](auto* s) { io_uring_prep_poll_update(s, 77, 78, 4, 6); });
  same_as_liburing("timeout", {{"ts", v1}, {"count", 3}, {"timeout_flags", 1}},
                   [&](auto* s) { io_uring_prep_timeout(s, ts, 3, 1); });
  same_as_liburing("timeout", {{"ts", v1}, {"multishot", 1}},
                   [&](auto* s) { io_uring_prep_timeout(s, ts, 0, compat::timeout_multishot); });
  same_as_liburing("timeout_remove", {{"target", 77}},
                   [](auto* s) { io_uring_prep_timeout_remove(s, 77, 0); });
  same_as_liburing("timeout_remove",
                   {{"target", 77}, {"ts", v1}, {"timeout_flags", IORING_TIMEOUT_UPDATE}},
                   [&](auto* s) { io_uring_prep_timeout_update(s, ts, 77, 0); });
  same_as_liburing("link_timeout", {{"ts", v1}, {"timeout_flags", 1}},
                   [&](auto* s) { io_uring_prep_link_timeout(s, ts, 1); });
  same_as_liburing("async_cancel", {{"target", 77}, {"cancel_flags", IORING_ASYNC_CANCEL_ALL}},
                   [](auto* s) { io_uring_prep_cancel64(s, 77, IORING_ASYNC_CANCEL_ALL); });
  same_as_liburing("async_cancel", {{"fd", 5}, {"cancel_flags", IORING_ASYNC_CANCEL_FD}},
                   [](auto* s) { io_uring_prep_cancel_fd(s, 5, 0); });
  same_as_liburing("files_update", {{"fds", v1, 4}, {"offset", 2}}, [](auto* s) {
    io_uring_prep_files_update(s, reinterpret_cast<int*>(p1), 4, 2);
  });
  same_as_liburing(
      "epoll_ctl", {{"fd", 5}, {"target_fd", 6}, {"op", 1}, {"event", v1}},
      [](auto* s) { io_uring_prep_epoll_ctl(s, 5, 6, 1, reinterpret_cast<epoll_event*>(p1)); });
  same_as_liburing("provide_buffers",
                   {{"addr", v1}, {"len", 64}, {"count", 8}, {"group", 2}, {"buf_id", 16}},
                   [](auto* s) { io_uring_prep_provide_buffers(s, p1, 64, 8, 2, 16); });
  same_as_liburing("remove_buffers", {{"count", 8}, {"group", 2}},
                   [](auto* s) { io_uring_prep_remove_buffers(s, 8, 2); });
  same_as_liburing("msg_ring", {{"fd", 5}, {"result", 10}, {"data", 77}, {"msg_ring_flags", 0}},
                   [](auto* s) { io_uring_prep_msg_ring(s, 5, 10, 77, 0); });
}

// liburing 2.3 has no functions for these: the layout is that of io_uring_enter(2).
TEST_CASE("operations newer than liburing 2.3 are encoded where the kernel reads them",
          "[op_table]") {
  io_uring_sqe s = encode(op(compat::op_bind), {{"fd", 5}, {"addr", v1, 16}});
  CHECK((s.opcode == 56 && s.fd == 5 && s.addr == v1 && s.addr2 == 16));
  s = encode(op(compat::op_listen), {{"fd", 5}, {"backlog", 128}});
  CHECK((s.opcode == 57 && s.fd == 5 && s.len == 128));
  s = encode(op(compat::op_futex_wait),
             {{"word", v1}, {"value", 9}, {"mask", 0xff}, {"futex_flags", 0x82}});
  CHECK((s.fd == 0x82 && s.addr == v1 && s.addr2 == 9 && s.addr3 == 0xff && s.rw_flags == 0));
  s = encode(op(compat::op_futex_waitv), {{"words", v1, 2}});
  CHECK((s.fd == 0 && s.addr == v1 && s.len == 2));
  s = encode(op(compat::op_waitid), {{"idtype", 1}, {"id", 4242}, {"options", 4}, {"siginfo", v1}});
  CHECK((s.fd == 4242 && s.len == 1 && s.file_index == 4 && s.addr2 == v1));
  s = encode(op(compat::op_ftruncate), {{"fd", 5}, {"len", minus_one}});
  CHECK((s.fd == 5 && s.off == minus_one));
  s = encode(op(compat::op_pipe), {{"fds", v1}, {"pipe_flags", O_CLOEXEC}});
  CHECK((s.fd == 0 && s.addr == v1 && s.rw_flags == O_CLOEXEC));
  s = encode(op(IORING_OP_NOP), {{"nop_flags", compat::nop_inject_result},
                                 {"result", static_cast<uint64_t>(-ECONNRESET)}});
  CHECK((s.rw_flags == 1 && static_cast<int>(s.len) == -ECONNRESET));
  s = encode(op(IORING_OP_ASYNC_CANCEL), {{"op", IORING_OP_RECV}, {"cancel_flags", 32}});
  CHECK((s.len == IORING_OP_RECV && s.cancel_flags == 32 && s.fd == -1));
  s = encode(op(compat::op_read_multishot), {{"fd", 5}, {"buf_group", 7}});
  CHECK((s.buf_group == 7 && s.flags == IOSQE_BUFFER_SELECT));
  s = encode(op(compat::op_nop128), {{"nop_flags", compat::nop_inject_result},
                                     {"result", static_cast<uint64_t>(-ECONNRESET)}});
  CHECK((s.opcode == 63 && s.rw_flags == 1 && static_cast<int>(s.len) == -ECONNRESET));
  s = encode(op(compat::op_uring_cmd128),
             {{"fd", 5}, {"command", 3}, {"option", 9}, {"option_len", 4}});
  CHECK((s.opcode == 64 && s.fd == 5 && s.cmd_op == 3 && s.addr >> 32 == 9 && s.file_index == 4));
}

TEST_CASE("flags of several fields in one member add up", "[op_table]") {
  const op_row& recv = op(IORING_OP_RECV);
  const io_uring_sqe sqe =
      encode(recv, {{"multishot", 1}, {"ioprio", IORING_RECVSEND_POLL_FIRST}, {"sqe_flags", 16}});
  CHECK(sqe.ioprio == (IORING_RECV_MULTISHOT | IORING_RECVSEND_POLL_FIRST));
  CHECK(sqe.flags == IOSQE_ASYNC);
}

TEST_CASE("success is judged by each opcode's own rule", "[op_table]") {
  CHECK(succeeded(op(IORING_OP_RECV), 0));
  CHECK(succeeded(op(IORING_OP_RECV), 5));
  CHECK_FALSE(succeeded(op(IORING_OP_RECV), -ECONNRESET));
  CHECK_FALSE(succeeded(op(IORING_OP_CONNECT), 1));
  CHECK(succeeded(op(IORING_OP_TIMEOUT), -ETIME));
  CHECK(succeeded(op(IORING_OP_TIMEOUT), 0));
  CHECK_FALSE(succeeded(op(IORING_OP_TIMEOUT), -ECANCELED));
  CHECK(succeeded(op(IORING_OP_LINK_TIMEOUT), -ECANCELED));
  CHECK(succeeded(op(IORING_OP_LINK_TIMEOUT), 1));
  CHECK_FALSE(succeeded(op(IORING_OP_LINK_TIMEOUT), -EINVAL));
  CHECK_FALSE(succeeded(op(IORING_OP_POLL_ADD), 0));
  CHECK(succeeded(op(IORING_OP_ASYNC_CANCEL), 3));
  // The notification of a zero-copy send that was copied after all.
  CHECK(succeeded(op(IORING_OP_SEND_ZC), compat::notif_usage_zc_copied, IORING_CQE_F_NOTIF));
  CHECK_FALSE(succeeded(op(IORING_OP_SEND_ZC), -EPIPE, IORING_CQE_F_MORE));
}

TEST_CASE("errors an operation can return are its own and the common ones", "[op_table]") {
  CHECK(can_return(op(IORING_OP_RECV), ECONNRESET));
  CHECK(can_return(op(IORING_OP_RECV), ENOBUFS));
  CHECK_FALSE(can_return(op(IORING_OP_RECV), EADDRINUSE));
  CHECK_FALSE(can_return(op(IORING_OP_SHUTDOWN), ECONNREFUSED));
  CHECK(can_return(op(IORING_OP_NOP), EXDEV));
  CHECK(can_return(op(IORING_OP_SPLICE), 512));
  CHECK_FALSE(can_return(op(IORING_OP_RECV), 512));
  CHECK_FALSE(can_return(op(IORING_OP_RECV), 0));
  for (const op_row& row : op_table()) {
    INFO(row.name);
    CHECK(can_return(row, EINVAL));
    CHECK(can_return(row, ECANCELED));
    CHECK(can_return(row, EBADF) >= row.takes_descriptor);
    const std::vector<int> codes = possible_errnos(row);
    CHECK(std::ranges::is_sorted(codes));
    for (int code : codes) CHECK(code > 0);
  }
}

TEST_CASE("faults an operation can suffer follow from its kind", "[op_table]") {
  using enum cqe_fault;
  CHECK(can_suffer(op(IORING_OP_RECV), short_read));
  CHECK(can_suffer(op(IORING_OP_RECV), eof));
  CHECK(can_suffer(op(IORING_OP_RECV), nobufs));
  CHECK_FALSE(can_suffer(op(IORING_OP_RECV), short_write));
  CHECK(can_suffer(op(IORING_OP_SEND), short_write));
  CHECK_FALSE(can_suffer(op(IORING_OP_SEND), eof));
  CHECK(can_suffer(op(IORING_OP_SEND_ZC), notif_drop));
  CHECK_FALSE(can_suffer(op(IORING_OP_SEND), notif_drop));
  CHECK(can_suffer(op(IORING_OP_ACCEPT), multishot_end));
  CHECK_FALSE(can_suffer(op(IORING_OP_ACCEPT), short_read));
  CHECK_FALSE(can_suffer(op(IORING_OP_SOCKET), cancel_race));
  CHECK(can_suffer(op(IORING_OP_CONNECT), cancel_race));
  CHECK(can_suffer(op(IORING_OP_SPLICE), short_read));
  CHECK(can_suffer(op(IORING_OP_WRITE_FIXED), short_write));
  CHECK(can_suffer(op(compat::op_read_multishot), short_read));
  for (const op_row& row : op_table()) CHECK(can_suffer(row, errno_));
  for (unsigned n = 0; n < static_cast<unsigned>(count_); ++n) {
    const auto fault = static_cast<cqe_fault>(n);
    CHECK(find_fault(fault_name(fault)) == fault);
  }
  CHECK_FALSE(find_fault("explode").has_value());
}

TEST_CASE("kernel versions compare by number, not by letter", "[op_table]") {
  CHECK(newer_than("6.11", "6.9"));
  CHECK_FALSE(newer_than("6.9", "6.11"));
  CHECK_FALSE(newer_than("6.1", "6.1"));
  CHECK(newer_than("6.0", "5.19"));
  CHECK(newer_than("5.1", ""));
}
