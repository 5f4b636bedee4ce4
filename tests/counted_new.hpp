// Counts what a program takes from the heap by operator new, on each thread.
//
// To be included by one file of a program: it replaces the program's operator new.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace counted_new {

inline thread_local std::size_t news = 0;

inline void* take(std::size_t bytes) {
  ++news;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace counted_new

void* operator new(std::size_t bytes) {
  return counted_new::take(bytes);
}
void* operator new[](std::size_t bytes) {
  return counted_new::take(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
