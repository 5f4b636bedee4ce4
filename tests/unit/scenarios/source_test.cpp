#include "scenarios/source.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "scenarios/diagnostic.hpp"

using namespace scenarios;

namespace {

/// A directory of its own, gone with the test.
class scratch {
 public:
  scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "source_test.XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { std::filesystem::remove_all(path_); }

  std::string file(const std::string& name, std::string_view content) const {
    const std::string path = (path_ / name).string();
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// The one error that loading must give.
diagnostic refused(const std::string& path) {
  diagnostics told;
  CHECK(load_source(path, told) == nullptr);
  REQUIRE(told.error_count() == 1);
  CHECK_FALSE(told.all()[0].message.empty());
  CHECK_FALSE(told.all()[0].help.empty());
  return told.all()[0];
}

}  // namespace

TEST_CASE("a source locates offsets by line and code point") {
  const auto text = source::from_text("t", "ab\n\xC3\xA9x\r\n\nend");
  CHECK(text->locate(0) == position{1, 1});
  CHECK(text->locate(2) == position{1, 3});
  CHECK(text->locate(3) == position{2, 1});
  CHECK(text->locate(5) == position{2, 2});  // é is two bytes and one column
  CHECK(text->locate(8) == position{3, 1});
  CHECK(text->locate(11) == position{4, 3});
  CHECK(text->locate(12) == position{4, 4});
  CHECK(text->locate(999) == position{4, 4});
}

TEST_CASE("a source gives lines without their ends") {
  const auto text = source::from_text("t", "ab\nc\r\n\nend");
  CHECK(text->line_count() == 4);
  CHECK(text->line(0).empty());
  CHECK(text->line(1) == "ab");
  CHECK(text->line(2) == "c");
  CHECK(text->line(3).empty());
  CHECK(text->line(4) == "end");
  CHECK(text->line(5).empty());
}

TEST_CASE("columns are right in lines of any length") {
  std::string long_line = "head\n";
  for (int i = 0; i < 10'000; ++i) long_line += "\xC3\xA9-";
  const auto text = source::from_text("t", long_line + "\nx");
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    REQUIRE(text->locate(5 + 3 * i) == position{2, 2 * i + 1});
    REQUIRE(text->locate(5 + 3 * i + 2) == position{2, 2 * i + 2});
  }
  CHECK(text->locate(5 + 30'000) == position{2, 20'001});
  CHECK(text->locate(5 + 30'001) == position{3, 1});
  // A text that fills its last block exactly still has an end.
  CHECK(source::from_text("t", std::string(4096, 'x'))->locate(4096) == position{1, 4097});
}

TEST_CASE("an empty source has one empty line") {
  const auto text = source::from_text("t", "");
  CHECK(text->line_count() == 1);
  CHECK(text->locate(0) == position{1, 1});
  CHECK(text->line(1).empty());
}

TEST_CASE("a text that ends with a line end has an empty last line") {
  const auto text = source::from_text("t", "a\n");
  CHECK(text->locate(2) == position{2, 1});
  CHECK(text->line(2).empty());
}

TEST_CASE("a span knows its bytes, and nowhere has none") {
  const auto text = source::from_text("t", "hello world");
  CHECK(span{text.get(), 6, 11}.text() == "world");
  CHECK(span{text.get(), 6, 99}.text() == "world");
  CHECK(span{text.get(), 99, 100}.text().empty());
  CHECK(span{}.text().empty());
  CHECK(join({text.get(), 0, 1}, {text.get(), 4, 5}).text() == "hello");
}

TEST_CASE("a file is loaded whole, without its byte order mark") {
  const scratch dir;
  diagnostics told;
  const auto loaded = load_source(dir.file("a.json", "\xEF\xBB\xBF{}\n"), told);
  REQUIRE(loaded != nullptr);
  CHECK(told.empty());
  CHECK(loaded->text() == "{}\n");
  CHECK(loaded->name() == dir.path() + "/a.json");
}

TEST_CASE("a file of exactly 16 MiB is loaded, one byte more is refused") {
  const scratch dir;
  diagnostics told;
  const auto loaded = load_source(dir.file("a", std::string(source_bytes_max, ' ')), told);
  REQUIRE(loaded != nullptr);
  CHECK(loaded->text().size() == source_bytes_max);
  CHECK(refused(dir.file("b", std::string(source_bytes_max + 1, ' '))).id == code::file_too_large);
}

TEST_CASE("what can't be loaded is refused with reason and remedy") {
  const scratch dir;
  CHECK(refused(dir.path() + "/none").id == code::file_not_found);
  CHECK(refused(dir.file("plain", "x") + "/below").id == code::file_not_found);
  CHECK(refused(dir.path()).id == code::not_a_file);
  CHECK(refused(dir.file("empty", "")).id == code::empty_document);
  CHECK(refused(dir.file("mark", "\xEF\xBB\xBF")).id == code::empty_document);
  CHECK(refused("").id == code::file_not_found);
}

TEST_CASE("a file without permission is refused") {
  const scratch dir;
  const std::string path = dir.file("secret", "{}");
  REQUIRE(::chmod(path.c_str(), 0) == 0);
  // Root may read everything, so for a moment we are somebody else.
  const uid_t me = ::geteuid();
  if (me == 0) REQUIRE(::seteuid(65534) == 0);
  diagnostics told;
  const auto loaded = load_source(path, told);
  if (me == 0) REQUIRE(::seteuid(me) == 0);
  CHECK(loaded == nullptr);
  REQUIRE(told.error_count() == 1);
  CHECK(told.all()[0].id == code::file_not_readable);
}

TEST_CASE("a file that is not UTF-8 is refused at the bad byte") {
  const scratch dir;
  const diagnostic told = refused(dir.file("latin1", "{}\n// caf\xE9\n"));
  CHECK(told.id == code::not_utf8);
  REQUIRE(told.where.in != nullptr);
  CHECK(told.where.in->locate(told.where.begin) == position{2, 7});
  CHECK(told.label == "byte 0xe9 at offset 9");
  // The source of a refused file lives on in its diagnostic.
  CHECK(render(told).find("// caf\\xe9") != std::string::npos);
}

TEST_CASE("a name with control characters is told visibly") {
  CHECK(refused("no\x1b[31m\n").message == "\"no\\x1b[31m\\n\" does not exist");
}
