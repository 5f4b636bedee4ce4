#include "scenarios/private_ring.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "engine/kernel_compat.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

// Many rings may be open at once: their threads must not burn what the one that has work needs.
constexpr unsigned sqpoll_idle_ms = 1;
// How long a request that was cancelled may take to end.
constexpr auto give_up_after = 2s;
constexpr auto look_again_after = 5ms;
constexpr auto look_every = 1ms;
constexpr auto poller_patience = 2s;
// A completion that another eventfd's wake-up causes is told late, and on a DEFER_TASKRUN ring only
// the first time (Linux 6.18).
constexpr auto look_anyway_after = 20ms;

// What the kernel may still write to, long after its scenario.
std::vector<std::unique_ptr<submission_memory>>& abandoned_memory() {
  static std::vector<std::unique_ptr<submission_memory>> all;
  return all;
}

}  // namespace

ring_request::~ring_request() {
  if (on != nullptr) on->retire(*this);
}

private_ring::~private_ring() {
  if (open_) io_uring_queue_exit(&ring_);
  // Its requests end some time after it.
  for (kept_memory& each : kept_) abandoned_memory().push_back(std::move(each.memory));
  if (told_ >= 0) ::close(told_);
}

// ---- Making it ---------------------------------------------------------------------------------

int private_ring::open(std::string& what) {
  io_uring_params params{};
  constexpr unsigned sizing = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  params.flags = plan_.flags.value_or(loop_.io().raw()->flags & ~sizing);
  if (plan_.cq_entries != 0) {
    params.flags |= IORING_SETUP_CQSIZE;
    params.cq_entries = plan_.cq_entries;
  }
  if ((params.flags & IORING_SETUP_SQPOLL) != 0) params.sq_thread_idle = sqpoll_idle_ms;
  const int result = io_uring_queue_init_params(plan_.sq_entries, &ring_, &params);
  what = "io_uring_setup";
  if (result != 0) return result;
  open_ = true;
  // What is polled for its completions is not told of them.
  if (!plan_.own_eventfd && (ring_.flags & IORING_SETUP_IOPOLL) == 0) {
    what = "an eventfd";
    told_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int registered = told_ < 0 ? -errno : call(IORING_REGISTER_EVENTFD, &told_, 1);
    if (registered < 0) return registered;
  }
  return fill_tables(what);
}

int private_ring::fill_tables(std::string& what) {
  if (plan_.files != 0) {
    what = "a sparse file table";
    io_uring_rsrc_register asked{};
    asked.nr = plan_.files;
    asked.flags = IORING_RSRC_REGISTER_SPARSE;
    const int result = call(IORING_REGISTER_FILES2, &asked, sizeof asked);
    if (result < 0) return result;
  }
  if (!plan_.buffers.empty()) {
    what = "registered buffers";
    std::vector<iovec> all = make_buffers(plan_.buffers);
    const int result = call(IORING_REGISTER_BUFFERS, all.data(), static_cast<unsigned>(all.size()));
    if (result < 0) return result;
    keep_buffers(0, all);
  }
  for (const buffer_group_plan& group : plan_.groups) {
    what = "the buffer ring " + group.name;
    const int result = register_group(group.id, group.count, group.size, group.incremental);
    if (result < 0) return result;
    find_group(group.id)->recycles = group.recycle;
  }
  return 0;
}

int private_ring::call(unsigned opcode, void* argument, unsigned count) {
  const long result = syscall(__NR_io_uring_register, ring_.ring_fd, opcode, argument, count);
  return result < 0 ? -errno : static_cast<int>(result);
}

int private_ring::resize(unsigned sq_entries, unsigned cq_entries) {
  io_uring_params params{};
  params.sq_entries = sq_entries;
  params.cq_entries = cq_entries;
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  const int result = call(uring::compat::register_resize_rings, &params, 1);
  if (result < 0) return result;
  const unsigned flags = ring_.flags;
  const int fd = ring_.ring_fd;
  const std::size_t entry = sizeof(io_uring_sqe) << ((flags & IORING_SETUP_SQE128) != 0 ? 1U : 0U);
  munmap(ring_.sq.sqes, ring_.sq.ring_entries * entry);
  munmap(ring_.sq.ring_ptr, ring_.sq.ring_sz);
  if (ring_.cq.ring_ptr != ring_.sq.ring_ptr) munmap(ring_.cq.ring_ptr, ring_.cq.ring_sz);
  // Linux 6.18 does not say where the array of submissions is: behind the completions.
  if (params.sq_off.array == 0) {
    constexpr unsigned line = 64;
    const std::size_t wide = (flags & IORING_SETUP_CQE32) != 0 ? 2 : 1;
    const auto end =
        static_cast<unsigned>(params.cq_off.cqes + params.cq_entries * wide * sizeof(io_uring_cqe));
    params.sq_off.array = (end + line - 1) / line * line;
  }
  params.features = ring_.features;
  params.flags = flags;
  const unsigned features = ring_.features;
  const int mapped = io_uring_queue_mmap(fd, &params, &ring_);
  if (mapped != 0) {
    open_ = false;
    ::close(fd);
    return mapped;
  }
  ring_.features = features;
  for (unsigned i = 0; i < ring_.sq.ring_entries; ++i) ring_.sq.array[i] = i;
  ring_.sq.sqe_head = ring_.sq.sqe_tail = *ring_.sq.ktail;
  return 0;
}

// ---- Submitting --------------------------------------------------------------------------------

bool private_ring::add(ring_request& request, const io_uring_sqe& sqe) {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  if (entry == nullptr) return false;
  const bool wide = (ring_.flags & IORING_SETUP_SQE128) != 0;
  std::memset(static_cast<void*>(entry), 0, sizeof sqe << (wide ? 1U : 0U));
  *entry = sqe;
  request.user_data = sqe.user_data;
  request.group = sqe.buf_group;
  request.live = true;
  request.on = this;
  request.silent = (sqe.flags & IOSQE_CQE_SKIP_SUCCESS) != 0;
  if (request.record != nullptr) request.record->submitted(request.op, sqe.user_data);
  live_.push_back(&request);
  queued_.push_back(&request);
  return true;
}

int private_ring::submit() {
  const int first = submit_once();
  int last = first;
  // Without SUBMIT_ALL a submission that is refused ends the call; the rest goes out with the next.
  const bool by_call = (ring_.flags & IORING_SETUP_SQPOLL) == 0;
  while (by_call && last > 0 && io_uring_sq_ready(&ring_) != 0) last = submit_once();
  if (last < 0) {
    const unsigned left = io_uring_sq_ready(&ring_);
    const unsigned head = *ring_.sq.khead;
    ring_.sq.sqe_tail = ring_.sq.sqe_head = head;
    io_uring_smp_store_release(ring_.sq.ktail, head);
    for (std::size_t i = queued_.size() - std::min<std::size_t>(left, queued_.size());
         i < queued_.size(); ++i) {
      queued_[i]->res = last;
      queued_[i]->answered = true;
      forget(*queued_[i]);
    }
  }
  queued_.clear();
  return first;
}

bool private_ring::is_taken() const {
  return (ring_.flags & IORING_SETUP_SQPOLL) == 0 || io_uring_sq_ready(&ring_) == 0;
}

// On an SQPOLL ring a kernel thread takes what is queued, on its own time. What comes next in the
// scenario must find it taken; only a thread that does not come makes this give up.
uring::task<void> private_ring::taken() {
  const uring::time_point begun = uring::clock::now();
  while (!is_taken() && uring::clock::now() - begun < poller_patience)
    co_await loop_.sleep_for(20us);
}

void private_ring::await_taken() {
  const uring::time_point begun = uring::clock::now();
  while (!is_taken() && uring::clock::now() - begun < poller_patience)
    std::this_thread::sleep_for(20us);
}

void private_ring::forget(ring_request& request) {
  request.live = false;
  std::erase(live_, &request);
  if (kept_.empty() || has_live(request.user_data)) return;
  std::erase_if(kept_, [&](const kept_memory& each) {
    return each.user_data == request.user_data && !each.for_good;
  });
}

bool private_ring::has_live(std::uint64_t user_data) const {
  return std::ranges::find(live_, user_data, &ring_request::user_data) != live_.end();
}

void private_ring::retire(ring_request& request) {
  if (request.memory->empty()) return;
  const bool unheard = request.silent && !request.answered;
  if (unheard || has_live(request.user_data))
    kept_.push_back({request.user_data, unheard, std::move(request.memory)});
}

// ---- Completions -------------------------------------------------------------------------------

// Also asks the kernel for what it holds back: deferred work, an overflow.
void private_ring::reap() {
  bool any = false;
  for (bool more = true; more;) {
    io_uring_get_events(&ring_);
    more = reap_some();
    any |= more;
  }
  see_overflow_end();
  if (!any) return;
  changed_.set();
  changed_.reset();
}

bool private_ring::reap_some() {
  io_uring_cq& cq = ring_.cq;
  const unsigned begin = *cq.khead;
  const unsigned end = io_uring_smp_load_acquire(cq.ktail);
  const bool all_wide = (ring_.flags & IORING_SETUP_CQE32) != 0;
  for (unsigned at = begin; at != end; ++at) {
    const io_uring_cqe& cqe = cq.cqes[(at & cq.ring_mask) << (all_wide ? 1U : 0U)];
    const bool mixed = (ring_.flags & uring::compat::setup_cqe_mixed) != 0;
    const bool wide = all_wide || (mixed && (cqe.flags & uring::compat::cqe_f_32) != 0);
    if (mixed && (cqe.flags & uring::compat::cqe_f_skip) != 0) continue;
    std::uint64_t big[2] = {};
    if (wide) std::memcpy(big, reinterpret_cast<const std::byte*>(&cqe) + 16, sizeof big);
    deliver(cqe, wide ? big : nullptr);
    if (wide && !all_wide) ++at;  // it takes two entries
  }
  if (begin != end) io_uring_smp_store_release(cq.khead, end);
  return begin != end;
}

void private_ring::deliver(const io_uring_cqe& cqe, const std::uint64_t* big) {
  const auto found = std::ranges::find(live_, cqe.user_data, &ring_request::user_data);
  if (found == live_.end()) {
    if (is_of_flood(cqe)) return;
    if (std::erase(abandoned_, cqe.user_data) == 0)
      strays_.push_back({cqe.user_data, cqe.res, cqe.flags});
    return;
  }
  ring_request& request = **found;
  request.answered = true;
  completion_event event;
  event.op = request.op;
  event.res = cqe.res;
  event.flags = cqe.flags;
  event.user_data = cqe.user_data;
  if (big != nullptr) event.big = {big[0], big[1]};
  if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) take_buffers(request, cqe, event);
  // A zero-copy send's notification only says that its buffer is free; the bytes came before.
  if ((cqe.flags & IORING_CQE_F_NOTIF) == 0) {
    request.res = cqe.res;
    request.flags = cqe.flags;
  }
  if (request.record != nullptr) request.record->completed(std::move(event));
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) forget(request);
}

void private_ring::take_buffers(ring_request& of, const io_uring_cqe& cqe,
                                completion_event& event) {
  const auto number = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
  event.buffer = number;
  buffer_group* group = find_group(of.group);
  if (group == nullptr || cqe.res < 0) return;
  const bool more = (cqe.flags & uring::compat::cqe_f_buf_more) != 0;
  event.data = group->take(number, static_cast<std::size_t>(cqe.res), more);
}

uring::task<void> private_ring::pump() {
  while (waiters_ != 0 && !closing_.stop_requested()) {
    if (told_ >= 0) {
      co_await loop_.poll_add(told_, POLLIN).timeout(look_anyway_after).cancel_on(closing_);
      eventfd_t count = 0;
      ::eventfd_read(told_, &count);
    } else {
      co_await loop_.sleep_for(look_every).cancel_on(closing_);
    }
    reap();
  }
  pumping_ = false;
}

// Until something was reaped, or `stop` is stopped.
uring::task<void> private_ring::next_change(uring::stop_source& stop) {
  ++waiters_;
  if (!pumping_) {
    pumping_ = true;
    background_.spawn(pump());
  }
  co_await changed_.wait().cancel_on(stop);
  --waiters_;
}

uring::task<void> private_ring::wait_for(ring_request& request, uring::stop_source& stop) {
  reap();
  while (request.is_awaited() && !stop.stop_requested()) co_await next_change(stop);
  if (!request.is_awaited()) co_return;
  const uring::time_point asked = uring::clock::now();
  while (request.is_awaited() && uring::clock::now() - asked < give_up_after) {
    // Again and again: as a later member of a chain it may not have started yet.
    cancel(request.user_data, 0);
    reap();
    if (request.is_awaited()) co_await loop_.sleep_for(look_again_after);
  }
  if (!request.is_awaited()) co_return;
  request.res = -ECANCELED;
  abandoned_.push_back(request.user_data);
  abandoned_memory().push_back(std::move(request.memory));
  request.memory = std::make_unique<submission_memory>();
  forget(request);
}

uring::task<std::optional<stray_completion>> private_ring::next_stray(
    std::optional<std::uint64_t> user_data, uring::stop_source& stop) {
  for (;;) {
    reap();
    const auto found = std::ranges::find_if(strays_, [&](const stray_completion& each) {
      return !user_data || each.user_data == *user_data;
    });
    if (found != strays_.end()) {
      const stray_completion taken = *found;
      strays_.erase(found);
      co_return taken;
    }
    if (stop.stop_requested()) co_return std::nullopt;
    co_await next_change(stop);
  }
}

// Not by a request of ours, which would be one too many on this ring; and never without a limit,
// which would be for ever where a worker runs the request.
void private_ring::cancel(std::uint64_t user_data, std::uint32_t flags) {
  io_uring_sync_cancel_reg asked{};
  asked.addr = user_data;
  asked.fd = -1;
  asked.flags = flags;
  asked.timeout.tv_nsec = 1'000'000;
  call(IORING_REGISTER_SYNC_CANCEL, &asked, 1);
}

// What the workers of a polling thread run is found from that thread alone, so by a request. Only
// where nothing is judged any more.
void private_ring::cancel_by_poller() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  if (entry == nullptr) return;
  io_uring_prep_cancel64(entry, 0, IORING_ASYNC_CANCEL_ANY);
  entry->user_data = next_user_data();
  abandoned_.push_back(entry->user_data);
  io_uring_submit(&ring_);
  await_taken();
}

uring::task<void> private_ring::close() {
  if (!open_) co_return;
  const uring::time_point begun = uring::clock::now();
  reap();
  while (!live_.empty() && uring::clock::now() - begun < give_up_after) {
    cancel(0, IORING_ASYNC_CANCEL_ANY);
    if ((ring_.flags & IORING_SETUP_SQPOLL) != 0) cancel_by_poller();
    reap();
    if (!live_.empty()) co_await loop_.sleep_for(look_again_after);
  }
  // Backwards: what was there first is there last.
  for (; !changes_.empty(); changes_.pop_back()) {
    task_change& back = changes_.back();
    call(back.opcode, back.count == 0 ? nullptr : back.argument.data(), back.count);
  }
  closing_.request_stop();
  co_await background_.join();
}

// ---- Tables ------------------------------------------------------------------------------------

std::optional<iovec> private_ring::registered_buffer(std::size_t index) const {
  if (index >= buffers_.size() || buffers_[index].iov_base == nullptr) return std::nullopt;
  return buffers_[index];
}

std::vector<iovec> private_ring::make_buffers(const std::vector<std::uint32_t>& sizes) {
  std::vector<iovec> all;
  for (const std::uint32_t size : sizes) {
    memory_.push_back(std::make_unique<std::byte[]>(size + 1));
    all.push_back({memory_.back().get(), size});
  }
  return all;
}

void* private_ring::make_pages(std::size_t size) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  memory_.push_back(std::make_unique<std::byte[]>(size + page));
  void* begin = memory_.back().get();
  std::size_t room = size + page;
  return std::align(page, size, begin, room);
}

bool private_ring::is_to_put_back(unsigned opcode, std::uint32_t first) const {
  return std::ranges::any_of(changes_, [&](const task_change& each) {
    return each.opcode == opcode && each.argument[0] == first;
  });
}

void private_ring::is_put_back(unsigned opcode, std::uint32_t first) {
  std::erase_if(changes_, [&](const task_change& each) {
    return each.opcode == opcode && each.argument[0] == first;
  });
}

void private_ring::keep_buffers(std::size_t first, const std::vector<iovec>& buffers) {
  if (buffers_.size() < first + buffers.size()) buffers_.resize(first + buffers.size());
  std::ranges::copy(buffers, buffers_.begin() + static_cast<std::ptrdiff_t>(first));
}

buffer_group* private_ring::find_group(std::uint16_t group) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

std::byte* private_ring::provide(std::uint16_t group, std::uint16_t first, std::uint32_t count,
                                 std::uint32_t size) {
  return groups_.try_emplace(group, group).first->second.provide(first, count, size);
}

void private_ring::fill_next_buffers(std::uint16_t group, std::string_view octets) {
  if (buffer_group* into = find_group(group)) into->fill_next(octets);
}

int private_ring::register_group(std::uint16_t id, std::uint32_t count, std::uint32_t size,
                                 bool incremental) {
  // One that is refused must not take the place of one that is there.
  buffer_group tried(id);
  const bool known = groups_.contains(id);
  buffer_group& into = known ? tried : groups_.try_emplace(id, id).first->second;
  const int result = into.register_ring(ring_, count, size, incremental);
  if (result < 0 && !known) groups_.erase(id);
  return result;
}

int private_ring::unregister_group(std::uint16_t id) {
  const auto found = groups_.find(id);
  if (found != groups_.end()) {
    const int result = found->second.unregister(ring_);
    if (result >= 0) groups_.erase(found);
    return result;
  }
  return buffer_group(id).unregister(ring_);
}

}  // namespace scenarios
