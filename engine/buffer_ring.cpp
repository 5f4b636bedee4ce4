#include "engine/buffer_ring.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "engine/kernel_compat.hpp"
#include "engine/loop.hpp"

namespace uring {

std::span<std::byte> borrowed_buffer::piece(unsigned number) const noexcept {
  if (number >= pieces_) return {};
  std::uint16_t id = first_;
  std::size_t offset = offset_, left = size_;
  for (;; --number) {
    const buffer_ring::buffer_state& state = from_->states_[id];
    const std::size_t here = std::min<std::size_t>(state.length - offset, left);
    if (number == 0) return from_->memory(id).subspan(offset, here);
    left -= here;
    offset = 0;
    id = state.next;
  }
}

void borrowed_buffer::release() noexcept {
  if (from_ == nullptr) return;
  std::uint16_t id = first_;
  for (unsigned i = 0; i < pieces_; ++i) {
    // Before it goes back: then another one follows it.
    const std::uint16_t next = from_->states_[id].next;
    from_->give_piece_back(id);
    id = next;
  }
  --from_->borrowed_;
  from_ = nullptr;
  pieces_ = 0;
  size_ = 0;
}

std::unique_ptr<buffer_ring> buffer_ring::open(loop& on, const buffer_ring_options& options,
                                               int& refused) {
  std::unique_ptr<buffer_ring> made(new buffer_ring(on, options));
  refused = made->map();
  if (refused != 0) return nullptr;
  // liburing 2.3 has no name for the flags.
  compat::buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(made->ring_);
  registration.ring_entries = options.count;
  registration.bgid = options.group;
  registration.flags = options.incremental ? compat::pbuf_ring_inc : std::uint16_t{0};
  refused = io_uring_register_buf_ring(on.io().raw(),
                                       reinterpret_cast<io_uring_buf_reg*>(&registration), 0);
  if (refused != 0) return nullptr;
  made->registered_ = true;
  on.list_buffers(*made);
  for (std::uint16_t id = 0; options.filled && id < options.count; ++id) made->provide(id);
  return made;
}

// One mapping: the ring, which the kernel wants at the start of a page, then the buffers.
int buffer_ring::map() noexcept {
  constexpr std::size_t page = 4096;
  const std::size_t ring_bytes = (options_.count * sizeof(io_uring_buf) + page - 1) / page * page;
  mapped_ = ring_bytes + std::size_t{options_.count} * options_.size;
  void* memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    mapped_ = 0;
    return -errno;
  }
  ring_ = static_cast<io_uring_buf_ring*>(memory);
  data_ = static_cast<std::byte*>(memory) + ring_bytes;
  return 0;
}

buffer_ring::~buffer_ring() {
  if (borrowed_ != 0) {
    std::fprintf(stderr, "uring: buffer group %u was destroyed while %zu of its buffers are out\n",
                 unsigned{options_.group}, borrowed_);
    std::abort();
  }
  if (registered_) {
    on_.unlist_buffers(*this);
    io_uring_unregister_buf_ring(on_.io().raw(), options_.group);
  }
  if (mapped_ != 0) munmap(ring_, mapped_);
}

void loop::list_buffers(buffer_ring& group) noexcept {
  group.next_group_ = groups_;
  groups_ = &group;
}

void loop::unlist_buffers(buffer_ring& group) noexcept {
  buffer_ring** link = &groups_;
  while (*link != &group) link = &(*link)->next_group_;
  *link = group.next_group_;
}

buffer_ring* loop::find_buffers(std::uint16_t group) noexcept {
  buffer_ring* each = groups_;
  while (each != nullptr && each->group() != group) each = each->next_group_;
  return each;
}

void buffer_ring::provide(std::uint16_t id, std::uint32_t length) noexcept {
  buffer_state& state = states_[id];
  state.length = std::min(length, options_.size);
  state.used = 0;
  state.over = false;
  states_[newest_].next = id;
  newest_ = id;
  io_uring_buf_ring_add(ring_, memory(id).data(), state.length, id,
                        io_uring_buf_ring_mask(options_.count), 0);
  io_uring_buf_ring_advance(ring_, 1);
}

borrowed_buffer buffer_ring::take(const completion& done, bool bundle) noexcept {
  borrowed_buffer made;
  if ((done.flags & IORING_CQE_F_BUFFER) == 0) return made;
  std::uint16_t id = static_cast<std::uint16_t>(done.flags >> IORING_CQE_BUFFER_SHIFT);
  made.from_ = this;
  made.first_ = id;
  made.offset_ = states_[id].used;
  ++borrowed_;
  std::size_t left = done.res > 0 ? static_cast<std::size_t>(done.res) : 0;
  for (;;) {
    buffer_state& state = states_[id];
    const std::size_t here = std::min<std::size_t>(state.length - state.used, left);
    state.used += static_cast<std::uint32_t>(here);
    ++state.pieces;
    ++made.pieces_;
    made.size_ += here;
    left -= here;
    state.over = true;
    if (left == 0 || !bundle || made.pieces_ == options_.count) {
      // Only of the last one can the kernel keep a part.
      state.over = (done.flags & compat::cqe_f_buf_more) == 0;
      return made;
    }
    id = state.next;
  }
}

std::span<std::byte> buffer_ring::arrived(const completion& done) noexcept {
  if ((done.flags & IORING_CQE_F_BUFFER) == 0 || done.res <= 0) return {};
  const auto id = static_cast<std::uint16_t>(done.flags >> IORING_CQE_BUFFER_SHIFT);
  const buffer_state& state = states_[id];
  const auto length = static_cast<std::size_t>(done.res);
  return memory(id).subspan(state.used, std::min<std::size_t>(state.length - state.used, length));
}

void buffer_ring::give_piece_back(std::uint16_t id) noexcept {
  buffer_state& state = states_[id];
  --state.pieces;
  if (state.over && state.pieces == 0 && options_.recycle) provide(id, state.length);
}

}  // namespace uring
