#include "tests/unit/reports/approved.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace samples {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void check_approved(const std::string& name, const std::string& text) {
  const std::string path = "tests/unit/reports/approved/" + name;
  if (std::getenv("URING_APPROVE") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  INFO("approved file " << path << " (URING_APPROVE=1 rewrites it)");
  CHECK(text == read_file(path));
}

}  // namespace samples
