// Coroutine frames from free lists, one set a thread (a loop and all its coroutines live on one).
//
// allocate() and release() are called by the promises in task.hpp only. Frames up to largest_pooled
// bytes are kept for reuse in size classes of `granule` bytes and returned to the heap when the
// thread ends; larger ones go straight to the heap. A free frame is poisoned under ASan, so that a
// late resume is caught. After warm-up, a coroutine costs no heap allocation.
#pragma once

#include <cstddef>

namespace uring::frame_pool {

inline constexpr std::size_t granule = 64;
inline constexpr std::size_t largest_pooled = 4096;

// Memory for a frame of `bytes`, aligned to `granule`: compilers place an alignas(64) local as if
// frames were aligned so. Aborts when memory is out: a frame that can't be had leaves no coroutine
// that could report it.
void* allocate(std::size_t bytes) noexcept;
void release(void* frame, std::size_t bytes) noexcept;

// Frames taken from the heap by this thread so far: stands still once a workload is warm.
std::size_t heap_allocations() noexcept;

}  // namespace uring::frame_pool
