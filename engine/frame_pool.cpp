#include "engine/frame_pool.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#define URING_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define URING_HAS_ASAN 1
#endif
#endif
#ifdef URING_HAS_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace uring::frame_pool {
namespace {

constexpr std::size_t class_count = largest_pooled / granule;

struct free_frame {
  free_frame* next;
};

struct pool {
  std::array<free_frame*, class_count> free{};
  std::size_t from_heap = 0;

  ~pool() {
    for (free_frame*& head : free) {
      while (head != nullptr) {
        ASAN_UNPOISON_MEMORY_REGION(head, sizeof(free_frame));
        free_frame* next = head->next;
        std::free(head);
        head = next;
      }
    }
  }
};

thread_local pool frames;

std::size_t class_of(std::size_t bytes) {
  return (bytes + granule - 1) / granule - 1;
}

std::size_t rounded(std::size_t bytes) {
  return (bytes + granule - 1) / granule * granule;
}

void* from_heap(std::size_t bytes) {
  ++frames.from_heap;
  void* memory = std::aligned_alloc(granule, rounded(bytes));
  if (memory == nullptr) {
    std::fprintf(stderr, "uring: out of memory for a coroutine frame of %zu bytes\n", bytes);
    std::abort();
  }
  return memory;
}

}  // namespace

void* allocate(std::size_t bytes) noexcept {
  if (bytes > largest_pooled) return from_heap(bytes);
  const std::size_t index = class_of(bytes);
  free_frame* frame = frames.free[index];
  if (frame == nullptr) return from_heap(bytes);
  ASAN_UNPOISON_MEMORY_REGION(frame, (index + 1) * granule);
  frames.free[index] = frame->next;
  return frame;
}

void release(void* frame, std::size_t bytes) noexcept {
  if (bytes > largest_pooled) {
    std::free(frame);
    return;
  }
  const std::size_t index = class_of(bytes);
  auto* freed = static_cast<free_frame*>(frame);
  freed->next = frames.free[index];
  frames.free[index] = freed;
  // The link is written over the address at which the coroutine would be resumed: a late resume is
  // caught with ASan, and crashes without.
  ASAN_POISON_MEMORY_REGION(frame, (index + 1) * granule);
}

std::size_t heap_allocations() noexcept {
  return frames.from_heap;
}

}  // namespace uring::frame_pool
