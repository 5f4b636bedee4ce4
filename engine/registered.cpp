#include "engine/registered.hpp"

#include <cerrno>

#include "engine/loop.hpp"

namespace uring {

std::unique_ptr<file_table> file_table::open(loop& on, unsigned slots, int& refused) {
  std::unique_ptr<file_table> made(new file_table(on, slots));
  refused = io_uring_register_files_sparse(on.io().raw(), slots);
  if (refused != 0) return nullptr;
  made->registered_ = true;
  return made;
}

file_table::~file_table() {
  if (registered_) io_uring_unregister_files(on_.io().raw());
}

int file_table::put(fixed_fd slot, int fd) noexcept {
  const int updated = io_uring_register_files_update(on_.io().raw(), slot.slot, &fd, 1);
  return updated < 0 ? updated : 0;
}

int file_table::pick_from(unsigned first, unsigned count) noexcept {
  return io_uring_register_file_alloc_range(on_.io().raw(), first, count);
}

std::unique_ptr<registered_buffers> registered_buffers::open(loop& on,
                                                             std::span<const std::size_t> sizes,
                                                             int& refused) {
  std::unique_ptr<registered_buffers> made(new registered_buffers(on));
  std::vector<iovec> vectors;
  for (const std::size_t size : sizes) {
    std::vector<std::byte>& memory = made->memory_.emplace_back(size);
    vectors.push_back({memory.data(), size});
  }
  refused = io_uring_register_buffers(on.io().raw(), vectors.data(),
                                      static_cast<unsigned>(vectors.size()));
  if (refused != 0) return nullptr;
  made->registered_ = true;
  return made;
}

registered_buffers::~registered_buffers() {
  if (registered_) io_uring_unregister_buffers(on_.io().raw());
}

}  // namespace uring
