// Opcodes on extended attributes. Skipped on a file system that has none for users.

#include <sys/xattr.h>

#include "tests/unit/engine/op_test.hpp"

using namespace uring;
using namespace uring::testing;

namespace {

constexpr const char* attribute = "user.uring";

// A file whose attributes can be set, and what it says of them afterwards.
struct attributed_file {
  scratch folder;
  std::string path = folder.at("f");
  descriptor fd = folder.file("f");

  attributed_file() {
    if (::setxattr(path.c_str(), "user.trial", "x", 1, 0) != 0) {
      SKIP("no extended attributes in /tmp: " << errno_name(errno));
    }
  }
  [[nodiscard]] std::string value() const {
    char value[64];
    const ssize_t length = ::getxattr(path.c_str(), attribute, value, sizeof(value));
    return {value, length < 0 ? 0 : static_cast<std::size_t>(length)};
  }
};

}  // namespace

OP_TEST(IORING_OP_SETXATTR, "setxattr sets an attribute of a file by name") {
  ON_OP_RINGS(IORING_OP_SETXATTR);
  const attributed_file file;
  run(*on, [&]() -> task<void> {
    const completion set = co_await on->setxattr(file.path.c_str(), attribute, bytes_of("abc"));
    CHECK(set.res == 0);
    CHECK(file.value() == "abc");
    const completion exists =
        co_await on->setxattr(file.path.c_str(), attribute, bytes_of("x"), XATTR_CREATE);
    CHECK(exists.res == -EEXIST);
    const completion nowhere = co_await on->setxattr("/nowhere", attribute, bytes_of("x"));
    CHECK(nowhere.res == -ENOENT);
    const completion no_such_kind =
        co_await on->setxattr(file.path.c_str(), "nokind.x", bytes_of("x"));
    CHECK(no_such_kind.res == -EOPNOTSUPP);
  });
}

OP_TEST(IORING_OP_FSETXATTR, "fsetxattr sets an attribute of an open file") {
  ON_OP_RINGS(IORING_OP_FSETXATTR);
  const attributed_file file;
  run(*on, [&]() -> task<void> {
    const completion set = co_await on->fsetxattr(file.fd, attribute, bytes_of("abcd"));
    CHECK(set.res == 0);
    CHECK(file.value() == "abcd");
    const completion exists =
        co_await on->fsetxattr(file.fd, attribute, bytes_of("x"), XATTR_CREATE);
    CHECK(exists.res == -EEXIST);
    const completion bad = co_await on->fsetxattr(-1, attribute, bytes_of("x"));
    CHECK(bad.res == -EBADF);
  });
}

OP_TEST(IORING_OP_GETXATTR, "getxattr reads an attribute of a file by name") {
  ON_OP_RINGS(IORING_OP_GETXATTR);
  const attributed_file file;
  REQUIRE(::setxattr(file.path.c_str(), attribute, "hello", 5, 0) == 0);
  run(*on, [&]() -> task<void> {
    room got;
    const completion read = co_await on->getxattr(file.path.c_str(), attribute, got);
    CHECK(got.text(read.res) == "hello");
    const completion length = co_await on->getxattr(file.path.c_str(), attribute, {});
    CHECK(length.res == 5);
    const completion missing = co_await on->getxattr(file.path.c_str(), "user.none", got);
    CHECK(missing.res == -ENODATA);
  });
}

OP_TEST(IORING_OP_FGETXATTR, "fgetxattr reads an attribute of an open file") {
  ON_OP_RINGS(IORING_OP_FGETXATTR);
  const attributed_file file;
  REQUIRE(::setxattr(file.path.c_str(), attribute, "hello", 5, 0) == 0);
  run(*on, [&]() -> task<void> {
    room got;
    const completion read = co_await on->fgetxattr(file.fd, attribute, got);
    CHECK(got.text(read.res) == "hello");
    const completion small = co_await on->fgetxattr(file.fd, attribute, got.first(2));
    CHECK(small.res == -ERANGE);
    const completion missing = co_await on->fgetxattr(file.fd, "user.none", got);
    CHECK(missing.res == -ENODATA);
  });
}
