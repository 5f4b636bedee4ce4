#include "engine/registrations.hpp"

#include <fcntl.h>
#include <linux/time_types.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

#include "engine/kernel_compat.hpp"
#include "engine/op_table.hpp"
#include "engine/own_thread.hpp"

namespace uring {
namespace {

constexpr unsigned trial_entries = 8;
constexpr size_t page_bytes = 4096;

int call(int ring, unsigned number, const void* argument, unsigned count) {
  const long result = syscall(__NR_io_uring_register, ring, number, argument, count);
  return result < 0 ? -errno : static_cast<int>(result);
}

class trial_ring {
 public:
  explicit trial_ring(uint32_t flags = 0) {
    io_uring_params params{};
    params.flags = flags;
    fd_ = static_cast<int>(syscall(__NR_io_uring_setup, trial_entries, &params));
  }
  ~trial_ring() {
    if (fd_ >= 0) close(fd_);
  }
  trial_ring(const trial_ring&) = delete;
  trial_ring& operator=(const trial_ring&) = delete;
  int fd() const { return fd_; }
  int call(unsigned number, const void* argument, unsigned count) const {
    return uring::call(fd_, number, argument, count);
  }

 private:
  int fd_;
};

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// A page of this process, for what wants memory. Lives as long as the program: registrations of
// rings that are being torn down may still hold it.
void* trial_page() {
  static void* const memory = mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return memory;
}

// Memory that nobody has: a call that gets as far as reading it answers EFAULT, and one that the
// kernel lacks EINVAL.
const void* nowhere() {
  return reinterpret_cast<const void*>(8);
}

constexpr std::array<int, 1> no_file{-1};

int register_buffer(const trial_ring& ring) {
  const iovec buffer{trial_page(), page_bytes};
  return ring.call(IORING_REGISTER_BUFFERS, &buffer, 1);
}
int register_file_table(const trial_ring& ring) {
  return ring.call(IORING_REGISTER_FILES, no_file.data(), 1);
}
int register_eventfd(const trial_ring& ring, unsigned number) {
  const descriptor event(eventfd(0, EFD_CLOEXEC));
  const int fd = event.get();
  return ring.call(number, &fd, 1);
}
int register_buffer_ring(const trial_ring& ring) {
  compat::buf_reg group{};
  group.ring_addr = reinterpret_cast<uint64_t>(trial_page());
  group.ring_entries = trial_entries;
  return ring.call(IORING_REGISTER_PBUF_RING, &group, 1);
}

// The second of two calls that belong together, or the failure of the first.
template <class Second>
int after(int first, Second&& second) {
  return first < 0 ? first : second();
}

int try_files_update(const trial_ring& ring) {
  return after(register_file_table(ring), [&] {
    io_uring_files_update update{};
    update.fds = reinterpret_cast<uint64_t>(no_file.data());
    return ring.call(IORING_REGISTER_FILES_UPDATE, &update, 1);
  });
}

int try_probe(const trial_ring& ring) {
  alignas(io_uring_probe) std::array<std::byte, sizeof(io_uring_probe)> room{};
  return ring.call(IORING_REGISTER_PROBE, room.data(), 0);
}

int try_personality(const trial_ring& ring) {
  return ring.call(IORING_REGISTER_PERSONALITY, nullptr, 0);
}

int try_restrictions(const trial_ring& /*unused*/) {
  const trial_ring disabled(IORING_SETUP_R_DISABLED);
  io_uring_restriction only{};
  only.opcode = IORING_RESTRICTION_SQE_OP;
  only.sqe_op = IORING_OP_NOP;
  return disabled.call(IORING_REGISTER_RESTRICTIONS, &only, 1);
}

int try_enable_rings(const trial_ring& /*unused*/) {
  const trial_ring disabled(IORING_SETUP_R_DISABLED);
  return disabled.call(IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

int register_sparse(const trial_ring& ring, unsigned number) {
  io_uring_rsrc_register table{};
  table.nr = 1;
  table.flags = IORING_RSRC_REGISTER_SPARSE;
  return ring.call(number, &table, sizeof table);
}

int try_files_update2(const trial_ring& ring) {
  return after(register_sparse(ring, IORING_REGISTER_FILES2), [&] {
    io_uring_rsrc_update2 update{};
    update.data = reinterpret_cast<uint64_t>(no_file.data());
    update.nr = 1;
    return ring.call(IORING_REGISTER_FILES_UPDATE2, &update, sizeof update);
  });
}

int try_buffers_update(const trial_ring& ring) {
  return after(register_sparse(ring, IORING_REGISTER_BUFFERS2), [&] {
    const iovec buffer{trial_page(), page_bytes};
    io_uring_rsrc_update2 update{};
    update.data = reinterpret_cast<uint64_t>(&buffer);
    update.nr = 1;
    return ring.call(IORING_REGISTER_BUFFERS_UPDATE, &update, sizeof update);
  });
}

int try_iowq_aff(const trial_ring& ring) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -errno;
  return ring.call(IORING_REGISTER_IOWQ_AFF, &allowed, sizeof allowed);
}

int try_iowq_max_workers(const trial_ring& ring) {
  std::array<unsigned, 2> as_they_are{};
  return ring.call(IORING_REGISTER_IOWQ_MAX_WORKERS, as_they_are.data(), 2);
}

int register_ring_fd(const trial_ring& ring, io_uring_rsrc_update& slot) {
  slot = {};
  slot.offset = ~0U;  // any
  slot.data = static_cast<uint64_t>(ring.fd());
  return ring.call(IORING_REGISTER_RING_FDS, &slot, 1);
}

int try_ring_fds(const trial_ring& ring, bool give_back) {
  io_uring_rsrc_update slot{};
  const int registered = register_ring_fd(ring, slot);
  if (registered < 0) return registered;
  slot.data = 0;
  const int dropped = ring.call(IORING_UNREGISTER_RING_FDS, &slot, 1);
  return give_back ? dropped : registered;
}

int try_unregister_pbuf_ring(const trial_ring& ring) {
  return after(register_buffer_ring(ring), [&] {
    const compat::buf_reg group{};
    return ring.call(IORING_UNREGISTER_PBUF_RING, &group, 1);
  });
}

// Nothing has this user_data; that there is nothing to cancel is the answer of a call that works.
int try_sync_cancel(const trial_ring& ring) {
  compat::sync_cancel_reg nothing{};
  nothing.addr = 1;
  nothing.timeout.tv_nsec = 1'000'000;
  const int result = ring.call(IORING_REGISTER_SYNC_CANCEL, &nothing, 1);
  return result == -ENOENT ? 0 : result;
}

int try_file_alloc_range(const trial_ring& ring) {
  return after(register_file_table(ring), [&] {
    io_uring_file_index_range range{};
    range.len = 1;
    return ring.call(IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0);
  });
}

int try_pbuf_status(const trial_ring& ring) {
  return after(register_buffer_ring(ring), [&] {
    compat::buf_status status{};
    return ring.call(compat::register_pbuf_status, &status, 1);
  });
}

int try_napi(const trial_ring& ring, bool give_back) {
  compat::napi none{};
  const int registered = ring.call(compat::register_napi, &none, 1);
  return give_back ? after(registered, [&] { return ring.call(compat::unregister_napi, &none, 1); })
                   : registered;
}

int try_clock(const trial_ring& ring) {
  compat::clock_register clock{};
  clock.clockid = CLOCK_MONOTONIC;
  return ring.call(compat::register_clock, &clock, 0);
}

int try_clone_buffers(const trial_ring& ring) {
  const trial_ring source;
  return after(register_buffer(source), [&] {
    compat::clone_buffers clone{};
    clone.src_fd = static_cast<uint32_t>(source.fd());
    return ring.call(compat::register_clone_buffers, &clone, 1);
  });
}

// A message to a ring that nobody reads, sent by no ring.
int try_send_msg_ring(const trial_ring& ring) {
  io_uring_sqe message{};
  message.opcode = IORING_OP_MSG_RING;
  message.fd = ring.fd();
  return call(-1, compat::register_send_msg_ring, &message, 1);
}

// Only with a network card that has a queue to give. That the kernel came to reading the request is
// all that can be asked for.
int try_zcrx(unsigned number) {
  const trial_ring deferred(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                            IORING_SETUP_CQE32);
  const int result = deferred.call(number, nowhere(), number == compat::register_zcrx_ifq ? 1 : 0);
  return result == -EFAULT ? 0 : result;
}

int try_resize_rings(const trial_ring& /*unused*/) {
  const trial_ring deferred(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
  io_uring_params params{};
  params.sq_entries = 2 * trial_entries;
  params.cq_entries = 4 * trial_entries;
  params.flags = IORING_SETUP_CQSIZE;
  return deferred.call(compat::register_resize_rings, &params, 1);
}

int try_mem_region(const trial_ring& ring) {
  compat::region_desc region{};
  region.user_addr = reinterpret_cast<uint64_t>(trial_page());
  region.size = page_bytes;
  region.flags = compat::mem_region_type_user;
  compat::mem_region_reg request{};
  request.region_uptr = reinterpret_cast<uint64_t>(&region);
  return ring.call(compat::register_mem_region, &request, 1);
}

using trial = int (*)(const trial_ring&);

struct trial_row {
  registration_row about;
  trial attempt;
};

// `[](const trial_ring& on) { return EXPRESSION; }`, where naming a function would say no more.
#define TRIAL(expression) [](const trial_ring& on) -> int { return expression; }

constexpr std::array<trial_row, 37> rows{{
    {{"buffers", 0, "5.1"}, &register_buffer},
    {{"unregister_buffers", 1, "5.1"},
     TRIAL(after(register_buffer(on), [&] { return on.call(1, nullptr, 0); }))},
    {{"files", 2, "5.1"}, &register_file_table},
    {{"unregister_files", 3, "5.1"},
     TRIAL(after(register_file_table(on), [&] { return on.call(3, nullptr, 0); }))},
    {{"eventfd", 4, "5.2"}, TRIAL(register_eventfd(on, 4))},
    {{"unregister_eventfd", 5, "5.2"},
     TRIAL(after(register_eventfd(on, 4), [&] { return on.call(5, nullptr, 0); }))},
    {{"files_update", 6, "5.5"}, &try_files_update},
    {{"eventfd_async", 7, "5.6"}, TRIAL(register_eventfd(on, 7))},
    {{"probe", 8, "5.6"}, &try_probe},
    {{"personality", 9, "5.6"}, &try_personality},
    {{"unregister_personality", 10, "5.6"}, TRIAL([&](int id) {
       return id < 0 ? id : on.call(10, nullptr, static_cast<unsigned>(id));
     }(try_personality(on)))},
    {{"restrictions", 11, "5.10"}, &try_restrictions},
    {{"enable_rings", 12, "5.10"}, &try_enable_rings},
    {{"files2", 13, "5.13"}, TRIAL(register_sparse(on, 13))},
    {{"files_update2", 14, "5.13"}, &try_files_update2},
    {{"buffers2", 15, "5.13"}, TRIAL(register_sparse(on, 15))},
    {{"buffers_update", 16, "5.13"}, &try_buffers_update},
    {{"iowq_aff", 17, "5.14"}, &try_iowq_aff},
    {{"unregister_iowq_aff", 18, "5.14"}, TRIAL(on.call(18, nullptr, 0))},
    {{"iowq_max_workers", 19, "5.15"}, &try_iowq_max_workers},
    {{"ring_fds", 20, "5.18"}, TRIAL(try_ring_fds(on, false))},
    {{"unregister_ring_fds", 21, "5.18"}, TRIAL(try_ring_fds(on, true))},
    {{"pbuf_ring", 22, "5.19"}, &register_buffer_ring},
    {{"unregister_pbuf_ring", 23, "5.19"}, &try_unregister_pbuf_ring},
    {{"sync_cancel", 24, "6.0"}, &try_sync_cancel},
    {{"file_alloc_range", 25, "6.0"}, &try_file_alloc_range},
    {{"pbuf_status", compat::register_pbuf_status, "6.8"}, &try_pbuf_status},
    {{"napi", compat::register_napi, "6.9"}, TRIAL(try_napi(on, false))},
    {{"unregister_napi", compat::unregister_napi, "6.9"}, TRIAL(try_napi(on, true))},
    {{"clock", compat::register_clock, "6.12"}, &try_clock},
    {{"clone_buffers", compat::register_clone_buffers, "6.12"}, &try_clone_buffers},
    {{"send_msg_ring", compat::register_send_msg_ring, "6.13"}, &try_send_msg_ring},
    {{"zcrx_ifq", compat::register_zcrx_ifq, "6.15"}, TRIAL((void(on), try_zcrx(32)))},
    {{"resize_rings", compat::register_resize_rings, "6.13"}, &try_resize_rings},
    {{"mem_region", compat::register_mem_region, "6.13"}, &try_mem_region},
    // An empty list of questions.
    {{"query", compat::register_query, "6.18"}, TRIAL(on.call(compat::register_query, nullptr, 0))},
    {{"zcrx_ctrl", compat::register_zcrx_ctrl, "6.19"}, TRIAL((void(on), try_zcrx(36)))},
}};

#undef TRIAL

constexpr auto abouts = [] {
  std::array<registration_row, rows.size()> all{};
  for (size_t i = 0; i < all.size(); ++i) all[i] = rows[i].about;
  return all;
}();

registration_answer answer_of(int result) {
  if (result >= 0) return {registration_state::works, 0};
  if (result == -EINVAL) return {registration_state::unknown, 0};
  return {registration_state::refused, -result};
}

void try_all(std::vector<registration_answer>& found) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const trial_ring fresh;
    // Without a ring there is nothing to ask: the one errno says it for all.
    found[i] = fresh.fd() < 0 ? registration_answer{registration_state::refused, errno}
                              : answer_of(rows[i].attempt(fresh));
  }
}

}  // namespace

std::span<const registration_row> registration_table() {
  return abouts;
}

std::vector<registration_answer> try_registrations() {
  std::vector<registration_answer> found(rows.size());
  // No thread to be had: on this one, the affinity of its workers may change and change back.
  if (!run_on_own_thread([&found] { try_all(found); })) try_all(found);
  return found;
}

void mask_registrations(std::vector<registration_answer>& found, std::string_view version) {
  for (size_t i = 0; i < found.size(); ++i) {
    if (newer_than(rows[i].about.since, version)) found[i] = {};
  }
}

}  // namespace uring
