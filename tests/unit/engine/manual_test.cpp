// The examples of the manual and of the headers are those that are compiled and run: their text is
// compared with that of a test.

#include <algorithm>
#include <array>
#include <cctype>

#include "tests/unit/engine/op_test.hpp"

using namespace uring::testing;

namespace {

uring::task<void> greet(uring::loop& on, int fd) {
  std::array<std::byte, 64> buffer;
  const uring::completion got = co_await on.recv(fd, buffer).timeout(50ms);
  if (got.why == uring::outcome::timed_out) co_return;
  if (got.res > 0) co_await on.send(fd, std::span(buffer).first(got.res));
}

// clang-format may break lines elsewhere.
std::string without_spaces(std::string text) {
  std::erase_if(text, [](unsigned char each) { return std::isspace(each) != 0; });
  return text;
}

// Its paragraphs, which stand apart in the test.
std::vector<std::string> paragraphs_of(const std::string& text) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    found.push_back(without_spaces(text.substr(at, end - at)));
    at = end + 2;
  }
  return found;
}

// The block of code that has `first` in it.
std::string block_of(const std::string& page, std::string_view first) {
  const std::string text = content_of(page);
  const std::size_t at = text.find(first);
  REQUIRE(at != std::string::npos);
  const std::size_t begin = text.rfind("```cpp\n", at) + 7;
  return text.substr(begin, text.find("```", at) - begin);
}

// What is indented in the comment that a header begins with.
std::string example_of(const std::string& header) {
  const std::string text = content_of(header);
  std::string code;
  for (std::size_t at = 0; text.compare(at, 2, "//") == 0;) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.starts_with("//   ")) code += line.substr(5) + "\n";
    if (line == "//" && !code.empty()) code += "\n";
    at = end + 1;
  }
  return code;
}

void check_example(const std::string& example, const std::string& test) {
  const std::string compiled = without_spaces(content_of(test));
  REQUIRE_FALSE(example.empty());
  for (const std::string& each : paragraphs_of(example)) {
    INFO(each);
    CHECK(compiled.find(each) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("the first example of the manual greets whoever speaks first") {
  const socket_pair ends = unix_pair();
  const int fd = ends.a;
  put(ends.b, "hello");

  int refused = 0;
  const auto on = uring::loop::open({}, refused);  // null: uring::diagnose_ring_failure(refused)
  on->run(greet(*on, fd));

  room got;
  CHECK(::recv(ends.b, got.bytes, sizeof got.bytes, MSG_DONTWAIT) == 5);
  CHECK(got.text(5) == "hello");
  on->run(greet(*on, fd));  // nobody speaks
}

TEST_CASE("what the manual shows is what is compiled") {
  const std::string manual = "docs/engine.md", tests = "tests/unit/engine/";
  check_example(block_of(manual, "greet(uring::loop"), tests + "manual_test.cpp");
  check_example(block_of(manual, "class lossy"), tests + "fault_example_test.cpp");
  check_example(example_of("engine/custom.hpp"), tests + "custom_test.cpp");
}
