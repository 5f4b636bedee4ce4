// Single submissions: the kernel refuses them on the wrong kind of descriptor, and says so late.
//
// Sources: the man pages of the system calls (ENOTSOCK, EBADF, ESPIPE, EINVAL), and runs on Linux
// 6.18 of what they leave open.

#include <fmt/format.h>
#include <liburing.h>

#include <algorithm>

#include "engine/kernel_compat.hpp"
#include "engine/request_data.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/follow/rules.hpp"

namespace scenarios::follow {
namespace {

enum class need : std::uint8_t { socket, epoll, file };

struct need_row {
  std::uint8_t opcode;
  need what;
};
constexpr need_row needs[] = {{IORING_OP_SEND, need::socket},
                              {IORING_OP_RECV, need::socket},
                              {IORING_OP_SENDMSG, need::socket},
                              {IORING_OP_RECVMSG, need::socket},
                              {IORING_OP_SEND_ZC, need::socket},
                              {IORING_OP_SENDMSG_ZC, need::socket},
                              {IORING_OP_ACCEPT, need::socket},
                              {IORING_OP_CONNECT, need::socket},
                              {IORING_OP_SHUTDOWN, need::socket},
                              {uring::compat::op_bind, need::socket},
                              {uring::compat::op_listen, need::socket},
                              {uring::compat::op_epoll_wait, need::epoll},
                              {IORING_OP_EPOLL_CTL, need::epoll},
                              {IORING_OP_FALLOCATE, need::file},
                              {IORING_OP_FSYNC, need::file},
                              {IORING_OP_SYNC_FILE_RANGE, need::file},
                              {uring::compat::op_ftruncate, need::file}};

std::string_view words_of(need what) {
  return what == need::socket ? "a socket" : what == need::epoll ? "an epoll descriptor" : "a file";
}

std::string_view words_of(const descriptor_facts& on) {
  switch (on.is) {
    case object::socket:
      return "a socket";
    case object::opened:
      return "a file";
    case object::memory:
      return "a file in memory";
    case object::pipe:
      return "an end of a pipe";
    case object::epoll:
      return "an epoll descriptor";
    case object::program:
      return "a program";
    default:
      return "something else";
  }
}

bool meets(const descriptor_facts& on, need what) {
  if (on.is == object::unknown) return true;
  if (what == need::socket) return on.is == object::socket;
  if (what == need::epoll) return on.is == object::epoll;
  return on.is == object::opened || on.is == object::memory;
}

bool has_field(const sqe_step& of, std::string_view name) {
  return std::ranges::any_of(of.fields,
                             [&](const sqe_field& field) { return field.row->name == name; });
}

bool moves_data(std::uint8_t opcode, uring::data_way way) {
  io_uring_sqe sqe{};
  sqe.opcode = opcode;
  return uring::way_of(sqe) == way;
}

/// Why a socket that nothing was done with refuses it, or "".
std::string_view wrong_when_fresh(const sqe_step& step, const descriptor_facts& on) {
  const std::uint8_t opcode = step.row->opcode;
  // TCP fast open connects while it sends.
  if (has_field(step, "msg_flags")) return "";
  if (opcode == IORING_OP_ACCEPT) return "this socket does not listen";
  const bool moves =
      moves_data(opcode, uring::data_way::out) || moves_data(opcode, uring::data_way::in);
  const bool shuts = opcode == IORING_OP_SHUTDOWN && on.family != AF_UNIX;
  return moves || shuts ? "this socket is not connected" : "";
}

/// The same of one whose state is known.
std::string_view wrong_state(const sqe_step& step, const descriptor_facts& on) {
  const std::uint8_t opcode = step.row->opcode;
  if (on.is_fresh) return wrong_when_fresh(step, on);
  const bool listens = opcode == uring::compat::op_listen || opcode == IORING_OP_ACCEPT;
  if (on.type == SOCK_DGRAM && listens) return "nobody connects to a socket for datagrams";
  if (on.what == carrier::stream && listens) return "this socket is connected";
  if (on.what != carrier::listener || has_field(step, "msg_flags")) return "";
  const bool moves =
      moves_data(opcode, uring::data_way::out) || moves_data(opcode, uring::data_way::in);
  return moves ? "this socket listens" : "";
}

void check_direction(const followed& in, const step_plan& step, const descriptor_facts& on) {
  const std::uint8_t opcode = single_of(step)->row->opcode;
  const bool writes = moves_data(opcode, uring::data_way::out) || opcode == IORING_OP_SPLICE ||
                      opcode == IORING_OP_TEE;
  const bool reads = moves_data(opcode, uring::data_way::in);
  if ((!writes || on.writes) && (!reads || on.reads)) return;
  tell(in, step,
       fmt::format("`{}` can't succeed: this is {} that is not open for {}", step.op, words_of(on),
                   writes ? "writing" : "reading"),
       on.is == object::opened ? "\"open_flags\" say how it is opened: rdonly, wronly or rdwr"
                               : "if that is what is tested, say with `expect` how it fails",
       on.made_by);
}

void check_family(const followed& in, const step_plan& step, const descriptor_facts& on) {
  const sqe_step& single = *single_of(step);
  const bool connects = single.row->opcode == IORING_OP_CONNECT;
  if (!connects && single.row->opcode != uring::compat::op_bind) return;
  const auto addr = std::ranges::find_if(
      single.fields, [](const sqe_field& field) { return field.row->name == "addr"; });
  if (addr == single.fields.end() || !addr->number) return;
  const dialled there = find_dialled(in.listeners, *addr->number);
  const bool same =
      there.family == AF_UNSPEC || on.family == AF_UNSPEC || there.family == on.family;
  // A socket of UDP over IPv6 reaches IPv4, too.
  const bool reaches =
      connects && on.family == AF_INET6 && on.type == SOCK_DGRAM && there.family == AF_INET;
  if (same || reaches) return;
  diagnostic& told =
      in.out.error(code::misplaced_step, addr->at,
                   fmt::format("`{}` can't succeed: this is {} address, and {} socket", step.op,
                               family_words(there.family), family_words(on.family)));
  told.help = "its \"domain\" and the address go together";
}

void check_on(const followed& in, const step_plan& step, const descriptor_facts& on) {
  const sqe_step& single = *single_of(step);
  if (on.closed_by != nullptr) {
    tell(in, step, fmt::format("`{}` can't succeed: the descriptor was closed before", step.op),
         "if that is what is tested, say with `expect` how it fails", on.closed_by);
    return;
  }
  const auto* needed = std::ranges::find(needs, single.row->opcode, &need_row::opcode);
  if (needed != std::end(needs) && !meets(on, needed->what)) {
    tell(in, step,
         fmt::format("`{}` works on {}, and this is {}", step.op, words_of(needed->what),
                     words_of(on)),
         "if that is what is tested, say with `expect` how it fails", on.made_by);
    return;
  }
  if (const std::string_view wrong = wrong_state(single, on); !wrong.empty()) {
    tell(in, step, fmt::format("`{}` can't succeed: {}", step.op, wrong),
         "if that is what is tested, say with `expect` how it fails", on.made_by);
    return;
  }
  if (on.is != object::socket) check_direction(in, step, on);
  check_family(in, step, on);
}

/// Between a pipe and something else, or between two pipes.
void check_pipes(const followed& in, const step_plan& step, const descriptor_facts& to,
                 const descriptor_facts& from) {
  const bool tees = single_of(step)->row->opcode == IORING_OP_TEE;
  const auto is_none = [](const descriptor_facts& one) {
    return one.is != object::unknown && one.is != object::pipe && one.is != object::opened;
  };
  const bool wrong = tees ? is_none(to) || is_none(from) : is_none(to) && is_none(from);
  if (!from.reads) {
    tell(in, step, fmt::format("`{}` can't succeed: `fd_in` can't be read from", step.op),
         "of the ends of a pipe the first is the one to read", from.made_by);
  } else if (wrong) {
    tell(in, step,
         tees ? "`sqe.tee` copies between two pipes" : "`sqe.splice` needs a pipe at one end",
         "`make` a pipe, and go through it");
  }
}

}  // namespace

const sqe_step* single_of(const step_plan& step) {
  const auto* single = std::get_if<sqe_step>(&step.body);
  return single != nullptr && single->row != nullptr ? single : nullptr;
}

void check_single(const followed& in, const step_plan& step, const facts_map& known) {
  const sqe_step* single = single_of(step);
  if (single == nullptr || !must_end_well(step)) return;
  const auto on = known.find(step.handle);
  const bool by_name = on != known.end() && step.handle != no_index;
  if (by_name) check_on(in, step, on->second);
  if (single->row->opcode != IORING_OP_SPLICE && single->row->opcode != IORING_OP_TEE) return;
  const auto field = std::ranges::find_if(
      single->fields, [](const sqe_field& each) { return each.row->name == "fd_in"; });
  if (field == single->fields.end()) return;
  const auto from = known.find(field->handle);
  if (by_name && from != known.end()) check_pipes(in, step, on->second, from->second);
}

}  // namespace scenarios::follow
