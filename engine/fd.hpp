// What a request works on: a file descriptor, or a slot of the ring's table of registered files.
//
// The two are numbers that must never be mixed up, so they are types: an int is a descriptor, a
// fixed_fd is a slot, and any_fd is either, as the factories take it; it chooses IOSQE_FIXED_FILE.
// file_slot says where a request that opens something puts the result: into a slot instead of the
// process's descriptors ("direct"). Values without ownership: file_table (registered.hpp) owns the
// slots, and a descriptor belongs to whoever awaited the operation that opened it.
#pragma once

#include <concepts>
#include <cstdint>

namespace uring {

// A slot of the ring's file table, counted from 0. Not an int on purpose.
struct fixed_fd {
  unsigned slot = 0;
  bool operator==(const fixed_fd&) const = default;
};

class any_fd {
 public:
  template <class Descriptor>
    requires std::convertible_to<const Descriptor&, int> && (!std::same_as<Descriptor, any_fd>)
  any_fd(const Descriptor& descriptor) noexcept : number_(descriptor) {}
  any_fd(fixed_fd file) noexcept : number_(static_cast<int>(file.slot)), fixed_(true) {}

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool fixed() const { return fixed_; }

 private:
  int number_;
  bool fixed_ = false;
};

// Where an opened file goes. The kernel counts slots from 1 here, and ~0 stands for a free one.
class file_slot {
 public:
  constexpr file_slot() noexcept = default;  // nowhere: an ordinary descriptor
  constexpr explicit file_slot(fixed_fd file) noexcept : index_(file.slot + 1) {}
  // A free slot of the kernel's choice, which the result names.
  static constexpr file_slot any() noexcept {
    file_slot made;
    made.index_ = ~std::uint32_t{0};
    return made;
  }
  [[nodiscard]] constexpr std::uint32_t file_index() const { return index_; }

 private:
  std::uint32_t index_ = 0;
};

}  // namespace uring
