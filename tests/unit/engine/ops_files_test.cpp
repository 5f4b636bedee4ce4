// Opcodes that open, close, name, size and describe files.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#include <array>

#include "engine/registered.hpp"
#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

constexpr int bad_fd = 2147483647;

const char* unmapped_path() {
  return reinterpret_cast<const char*>(8);
}

bool exists(const std::string& path) {
  return std::filesystem::exists(std::filesystem::symlink_status(path));
}

}  // namespace

OP_TEST(IORING_OP_OPENAT, "openat opens and makes files, as a descriptor or into a slot") {
  ON_OP_RINGS(IORING_OP_OPENAT);
  const scratch folder;
  const std::string path = folder.at("f");
  int refused = 0;
  const auto table = file_table::open(*on, 2, refused);
  REQUIRE(table != nullptr);
  run(*on, [&]() -> task<void> {
    const completion made =
        co_await on->openat(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const descriptor file(made.res);
    CHECK(file >= 0);
    put(file, "abc");
    const completion again =
        co_await on->openat(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(again.res == -EEXIST);
    const completion missing = co_await on->openat(AT_FDCWD, "/nowhere", O_RDONLY);
    CHECK(missing.res == -ENOENT);

    opening_operation direct = on->openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
    const completion in_slot = co_await direct.into(file_slot(fixed_fd{1}));
    CHECK(in_slot.res == 0);
    CHECK(direct.opened() == fixed_fd{1});
    room got;
    const completion read = co_await on->read(direct.opened(), got, 0);
    CHECK(got.text(read.res) == "abc");
    opening_operation any = on->openat(AT_FDCWD, path.c_str(), O_RDONLY);
    const completion chosen = co_await any.into(file_slot::any());
    CHECK(chosen.res == 0);  // slot 0, the one that is free
    CHECK(any.opened() == fixed_fd{0});
    const completion full =
        co_await on->openat(AT_FDCWD, path.c_str(), O_RDONLY).into(file_slot::any());
    CHECK(full.res == -ENFILE);
  });
}

OP_TEST(IORING_OP_OPENAT, "a file that is opened for nobody is closed again") {
  ON_OP_RINGS(IORING_OP_OPENAT);
  seen.excuse_failure();
  int refused = 0;
  const auto table = file_table::open(*on, 1, refused);
  REQUIRE(table != nullptr);
  const std::size_t before = open_descriptors();
  run(*on, [&]() -> task<void> {
    for (const bool direct : {false, true}) {
      opening_operation unwanted = on->openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
      if (direct) unwanted.into(file_slot::any());
      on->start(unwanted);
      while (unwanted.in_flight()) co_await on->sleep_for(1ms);
    }
    // The slot is free again.
    const completion second =
        co_await on->openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY).into(file_slot::any());
    CHECK(second.res == 0);
  });
  CHECK(open_descriptors() == before);
}

OP_TEST(IORING_OP_OPENAT2, "openat2 stays below its directory when it is told to") {
  ON_OP_RINGS(IORING_OP_OPENAT2);
  const scratch folder;
  folder.file("f", "abc");
  const descriptor directory(open(folder.at("").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  run(*on, [&]() -> task<void> {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH;
    const completion inside = co_await on->openat2(directory, "f", how);
    const descriptor file(inside.res);
    CHECK(file >= 0);
    const completion outside = co_await on->openat2(directory, "../x", how);
    CHECK(outside.res == -EXDEV);
    how.flags = ~0ULL;
    const completion nonsense = co_await on->openat2(directory, "f", how);
    CHECK(nonsense.res == -EINVAL);
  });
}

OP_TEST(IORING_OP_CLOSE, "close ends a descriptor, or empties a slot") {
  ON_OP_RINGS(IORING_OP_CLOSE);
  int refused = 0;
  const auto table = file_table::open(*on, 2, refused);
  REQUIRE(table != nullptr);
  pipe_pair pipe = make_pipe();
  REQUIRE(table->put(fixed_fd{1}, pipe.write) == 0);
  run(*on, [&]() -> task<void> {
    const completion closed = co_await on->close_only(pipe.write.release());
    CHECK(closed.res == 0);
    const completion written = co_await on->write(fixed_fd{1}, bytes_of("x"));
    CHECK(written.res == 1);  // the slot holds it open
    const completion emptied = co_await on->close_only(fixed_fd{1});
    CHECK(emptied.res == 0);
    const completion again = co_await on->close_only(fixed_fd{1});
    CHECK(again.res == -EBADF);
    const completion beyond = co_await on->close_only(fixed_fd{9});
    CHECK(beyond.res == -EINVAL);
    const completion bad = co_await on->close_only(bad_fd);
    CHECK(bad.res == -EBADF);
  });
}

OP_TEST(compat::op_pipe, "pipe makes two ends, as descriptors or in slots") {
  ON_OP_RINGS(compat::op_pipe);
  int refused = 0;
  const auto table = file_table::open(*on, 4, refused);
  REQUIRE(table != nullptr);
  const std::size_t before = open_descriptors();
  run(*on, [&]() -> task<void> {
    room got;
    {
      pipe_operation making = on->pipe(O_CLOEXEC);
      const completion made = co_await making;
      CHECK(made.res == 0);
      const descriptor read(making.read_end()), write(making.write_end());
      put(write, "abc");
      const completion through = co_await on->read(read, got);
      CHECK(got.text(through.res) == "abc");
    }
    pipe_operation direct = on->pipe(O_CLOEXEC);
    const completion in_slots = co_await direct.into(file_slot(fixed_fd{2}));
    CHECK(in_slots.res == 0);
    CHECK(direct.write_slot() == fixed_fd{3});
    const completion sent = co_await on->write(direct.write_slot(), bytes_of("slot"));
    CHECK(sent.res == 4);
    const completion read = co_await on->read(direct.read_slot(), got);
    CHECK(got.text(read.res) == "slot");
    pipe_operation chosen = on->pipe();
    const completion any = co_await chosen.into(file_slot::any());
    CHECK(any.res == 0);
    CHECK(chosen.read_slot().slot + chosen.write_slot().slot == 1);
    const completion full = co_await on->pipe().into(file_slot::any());
    CHECK(full.res == -ENFILE);
    const completion nonsense = co_await on->pipe(1 << 30);
    CHECK(nonsense.res == -EINVAL);
    {
      pipe_operation unwanted = on->pipe();
      on->start(unwanted);
      while (unwanted.in_flight()) co_await on->sleep_for(1ms);
    }
  });
  CHECK(open_descriptors() == before);
}

OP_TEST(IORING_OP_STATX, "statx answers what a file is") {
  ON_OP_RINGS(IORING_OP_STATX);
  const scratch folder;
  const descriptor file = folder.file("f", "hello");
  run(*on, [&]() -> task<void> {
    const std::string path = folder.at("f");
    statx_operation by_path = on->statx(AT_FDCWD, path.c_str());
    const completion done = co_await by_path;
    CHECK(done.res == 0);
    CHECK(by_path.answer().stx_size == 5);
    CHECK(S_ISREG(by_path.answer().stx_mode));
    statx_operation by_fd = on->statx(file, "", AT_EMPTY_PATH, STATX_SIZE);
    const completion open = co_await by_fd;
    CHECK(open.res == 0);
    CHECK(by_fd.answer().stx_size == 5);
    const completion missing = co_await on->statx(AT_FDCWD, "/nowhere");
    CHECK(missing.res == -ENOENT);
    const completion fault = co_await on->statx(AT_FDCWD, unmapped_path());
    CHECK(fault.res == -EFAULT);
  });
}

OP_TEST(IORING_OP_FSYNC, "fsync writes a file out, all of it or its data, and no pipe") {
  ON_OP_RINGS(IORING_OP_FSYNC);
  const scratch folder;
  const descriptor file = folder.file("f", "hello");
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    const completion all = co_await on->fsync(file);
    CHECK(all.res == 0);
    const completion data = co_await on->fsync(file, IORING_FSYNC_DATASYNC);
    CHECK(data.res == 0);
    const completion no_file = co_await on->fsync(pipe.read);
    CHECK(no_file.res == -EINVAL);
    const completion nonsense = co_await on->fsync(file, 1U << 20);
    CHECK(nonsense.res == -EINVAL);
  });
}

OP_TEST(IORING_OP_SYNC_FILE_RANGE, "sync_file_range writes a part out") {
  ON_OP_RINGS(IORING_OP_SYNC_FILE_RANGE);
  const scratch folder;
  const descriptor file = folder.file("f", "hello");
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    const completion part = co_await on->sync_file_range(file, 0, 5, SYNC_FILE_RANGE_WRITE);
    CHECK(part.res == 0);
    const completion no_file = co_await on->sync_file_range(pipe.read, 0, 5, 0);
    CHECK(no_file.res == -ESPIPE);
  });
}

OP_TEST(IORING_OP_FALLOCATE, "fallocate makes a file longer, and no pipe") {
  ON_OP_RINGS(IORING_OP_FALLOCATE);
  const scratch folder;
  const descriptor file = folder.file("f", "hello");
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    const completion longer = co_await on->fallocate(file, 0, 4096, 100);
    CHECK(longer.res == 0);
    const completion no_file = co_await on->fallocate(pipe.write, 0, 0, 100);
    CHECK(no_file.res == -ESPIPE);
    const completion negative = co_await on->fallocate(file, 0, 0, -1);
    CHECK(negative.res == -EINVAL);
  });
  CHECK(content_of(folder.at("f")).size() == 4196);
}

OP_TEST(compat::op_ftruncate, "ftruncate sets a file's size") {
  ON_OP_RINGS(compat::op_ftruncate);
  const scratch folder;
  const descriptor file = folder.file("f", "hello");
  run(*on, [&]() -> task<void> {
    const completion cut = co_await on->ftruncate(file, 2);
    CHECK(cut.res == 0);
    const completion negative = co_await on->ftruncate(file, -1);
    CHECK(negative.res == -EINVAL);
    const completion bad = co_await on->ftruncate(bad_fd, 1);
    CHECK(bad.res == -EBADF);
  });
  CHECK(content_of(folder.at("f")) == "he");
}

OP_TEST(IORING_OP_FADVISE, "fadvise takes advice about files only") {
  ON_OP_RINGS(IORING_OP_FADVISE);
  const scratch folder;
  const descriptor file = folder.file("f", "hello");
  const pipe_pair pipe = make_pipe();
  run(*on, [&]() -> task<void> {
    const completion inline_one = co_await on->fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    CHECK(inline_one.res == 0);
    const completion in_worker = co_await on->fadvise(file, 0, 5, POSIX_FADV_DONTNEED);
    CHECK(in_worker.res == 0);
    const completion nonsense = co_await on->fadvise(file, 0, 0, 99);
    CHECK(nonsense.res == -EINVAL);
    const completion no_file = co_await on->fadvise(pipe.read, 0, 0, POSIX_FADV_WILLNEED);
    CHECK(no_file.res == -ESPIPE);
  });
}

OP_TEST(IORING_OP_MADVISE, "madvise takes advice about memory") {
  ON_OP_RINGS(IORING_OP_MADVISE);
  constexpr std::size_t page = 4096;
  auto* memory = static_cast<std::byte*>(
      mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  memory[0] = std::byte{7};
  run(*on, [&]() -> task<void> {
    const completion dropped = co_await on->madvise({memory, page}, MADV_DONTNEED);
    CHECK(dropped.res == 0);
    CHECK(memory[0] == std::byte{0});
    const completion nonsense = co_await on->madvise({memory, page}, 9999);
    CHECK(nonsense.res == -EINVAL);
  });
  munmap(memory, page);
}

OP_TEST(IORING_OP_RENAMEAT, "renameat gives a file another name") {
  ON_OP_RINGS(IORING_OP_RENAMEAT);
  const scratch folder;
  folder.file("a", "A");
  folder.file("b", "B");
  const std::string a = folder.at("a"), b = folder.at("b"), c = folder.at("c");
  run(*on, [&]() -> task<void> {
    const completion taken =
        co_await on->renameat(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_NOREPLACE);
    CHECK(taken.res == -EEXIST);
    const completion done = co_await on->renameat(AT_FDCWD, a.c_str(), AT_FDCWD, c.c_str());
    CHECK(done.res == 0);
    const completion gone = co_await on->renameat(AT_FDCWD, a.c_str(), AT_FDCWD, c.c_str());
    CHECK(gone.res == -ENOENT);
  });
  CHECK(content_of(c) == "A");
}

OP_TEST(IORING_OP_UNLINKAT, "unlinkat removes names, and with a flag empty directories") {
  ON_OP_RINGS(IORING_OP_UNLINKAT);
  const scratch folder;
  folder.file("f");
  const std::string file = folder.at("f"), directory = folder.at("d");
  std::filesystem::create_directory(directory);
  run(*on, [&]() -> task<void> {
    const completion removed = co_await on->unlinkat(AT_FDCWD, file.c_str());
    CHECK(removed.res == 0);
    const completion again = co_await on->unlinkat(AT_FDCWD, file.c_str());
    CHECK(again.res == -ENOENT);
    const completion needs_flag = co_await on->unlinkat(AT_FDCWD, directory.c_str());
    CHECK(needs_flag.res == -EISDIR);
    const completion rmdir = co_await on->unlinkat(AT_FDCWD, directory.c_str(), AT_REMOVEDIR);
    CHECK(rmdir.res == 0);
  });
  CHECK_FALSE(exists(file));
  CHECK_FALSE(exists(directory));
}

OP_TEST(IORING_OP_MKDIRAT, "mkdirat makes a directory, once") {
  ON_OP_RINGS(IORING_OP_MKDIRAT);
  const scratch folder;
  const std::string path = folder.at("d");
  run(*on, [&]() -> task<void> {
    const completion made = co_await on->mkdirat(AT_FDCWD, path.c_str(), 0700);
    CHECK(made.res == 0);
    const completion again = co_await on->mkdirat(AT_FDCWD, path.c_str(), 0700);
    CHECK(again.res == -EEXIST);
  });
  CHECK(std::filesystem::is_directory(path));
}

OP_TEST(IORING_OP_SYMLINKAT, "symlinkat makes a name that points at a path") {
  ON_OP_RINGS(IORING_OP_SYMLINKAT);
  const scratch folder;
  const std::string path = folder.at("l");
  run(*on, [&]() -> task<void> {
    const completion made = co_await on->symlinkat("some/where", AT_FDCWD, path.c_str());
    CHECK(made.res == 0);
    const completion again = co_await on->symlinkat("else", AT_FDCWD, path.c_str());
    CHECK(again.res == -EEXIST);
  });
  CHECK(std::filesystem::read_symlink(path) == "some/where");
}

OP_TEST(IORING_OP_LINKAT, "linkat gives a file a second name") {
  ON_OP_RINGS(IORING_OP_LINKAT);
  const scratch folder;
  folder.file("a", "A");
  const std::string a = folder.at("a"), b = folder.at("b"), none = folder.at("none");
  run(*on, [&]() -> task<void> {
    const completion made = co_await on->linkat(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str());
    CHECK(made.res == 0);
    const completion again = co_await on->linkat(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str());
    CHECK(again.res == -EEXIST);
    const completion missing = co_await on->linkat(AT_FDCWD, none.c_str(), AT_FDCWD, b.c_str());
    CHECK(missing.res == -ENOENT);
  });
  CHECK(content_of(b) == "A");
}
