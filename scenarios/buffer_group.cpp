#include "scenarios/buffer_group.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/kernel_compat.hpp"

namespace scenarios {

buffer_group::~buffer_group() {
  if (ring_ != nullptr) munmap(ring_, ring_bytes_);
}

int buffer_group::register_ring(io_uring& with, std::uint32_t count, std::uint32_t size,
                                bool incremental) {
  ring_bytes_ = std::max<std::size_t>(count, 1) * sizeof(io_uring_buf);
  void* mapped =
      mmap(nullptr, ring_bytes_, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (mapped == MAP_FAILED) return -errno;
  ring_ = static_cast<io_uring_buf_ring*>(mapped);
  uring::compat::buf_reg asked{};
  asked.ring_addr = reinterpret_cast<std::uint64_t>(ring_);
  asked.ring_entries = count;
  asked.bgid = id_;
  asked.flags = incremental ? uring::compat::pbuf_ring_inc : std::uint16_t{0};
  const long result =
      syscall(__NR_io_uring_register, with.ring_fd, IORING_REGISTER_PBUF_RING, &asked, 1);
  if (result < 0) return -errno;
  count_ = count;
  incremental_ = incremental;
  memory_.push_back(std::make_unique<std::byte[]>(std::size_t{count} * size));
  io_uring_buf_ring_init(ring_);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto number = static_cast<std::uint16_t>(i);
    buffers_[number] = {memory_.back().get() + std::size_t{i} * size, size, 0, false};
    give(number);
  }
  return static_cast<int>(result);
}

int buffer_group::unregister(io_uring& with) {
  uring::compat::buf_reg asked{};
  asked.bgid = id_;
  const long result =
      syscall(__NR_io_uring_register, with.ring_fd, IORING_UNREGISTER_PBUF_RING, &asked, 1);
  return result < 0 ? -errno : static_cast<int>(result);
}

std::byte* buffer_group::provide(std::uint16_t first, std::uint32_t count, std::uint32_t size) {
  memory_.push_back(std::make_unique<std::byte[]>(std::size_t{count} * size + 1));
  std::byte* const at = memory_.back().get();
  // What the kernel refuses takes no buffer's place: a registered group, numbers beyond the last.
  constexpr std::uint32_t numbers = 1U << 16U;
  if (ring_ != nullptr || first + count > numbers) return at;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto number = static_cast<std::uint16_t>(first + i);
    buffers_[number] = {at + std::size_t{i} * size, size, 0, false};
    order_.push_back(number);
  }
  return at;
}

void buffer_group::give(std::uint16_t number) {
  buffer& given = buffers_[number];
  given.in_use = false;
  given.consumed = 0;
  order_.push_back(number);
  if (ring_ == nullptr) return;
  io_uring_buf_ring_add(ring_, given.at, given.size, number, static_cast<int>(count_ - 1), 0);
  io_uring_buf_ring_advance(ring_, 1);
}

std::string buffer_group::take(std::uint16_t number, std::size_t size, bool more) {
  std::string octets;
  // A bundle goes on in the buffers that follow in the kernel's order.
  auto at = std::ranges::find(order_, number);
  std::vector<std::uint16_t> done;
  for (; at != order_.end(); ++at) {
    buffer& from = buffers_[*at];
    const std::size_t part = std::min<std::size_t>(size - octets.size(), from.size - from.consumed);
    octets.append(reinterpret_cast<const char*>(from.at) + from.consumed, part);
    if (incremental_) from.consumed += static_cast<std::uint32_t>(part);
    const bool last = octets.size() == size;
    if (!last || !incremental_ || !more) done.push_back(*at);
    if (last) break;
  }
  for (const std::uint16_t each : done) {
    buffers_[each].in_use = true;
    std::erase(order_, each);
    if (recycles) give(each);
  }
  return octets;
}

void buffer_group::fill_next(std::string_view octets) {
  for (const std::uint16_t number : order_) {
    if (octets.empty()) return;
    buffer& into = buffers_[number];
    const std::size_t part = std::min<std::size_t>(octets.size(), into.size - into.consumed);
    std::memcpy(into.at + into.consumed, octets.data(), part);
    octets.remove_prefix(part);
  }
}

bool buffer_group::recycle(std::uint16_t number) {
  const auto found = buffers_.find(number);
  if (ring_ == nullptr || found == buffers_.end() || !found->second.in_use) return false;
  give(number);
  return true;
}

std::vector<std::uint16_t> buffer_group::used() const {
  std::vector<std::uint16_t> numbers;
  for (const auto& [number, each] : buffers_)
    if (each.in_use) numbers.push_back(number);
  return numbers;
}

}  // namespace scenarios
