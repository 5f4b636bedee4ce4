#include "scenarios/codec.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace scenarios;

TEST_CASE("hex goes both ways, with blanks between octets") {
  CHECK(to_hex(std::string("\0\xab\xff", 3)) == "00abff");
  CHECK(from_hex("00 aB\tff\r\n").bytes == std::string("\0\xab\xff", 3));
  CHECK(from_hex("").bytes.empty());
  CHECK(from_hex(""));
}

TEST_CASE("bad hex says where") {
  CHECK(from_hex("00g1").begin == 2);
  CHECK(from_hex("0").begin == 0);
  CHECK(from_hex("000").begin == 2);
  CHECK_FALSE(from_hex("0 0"));
  CHECK_FALSE(from_hex("0x00"));
}

TEST_CASE("base64 as in RFC 4648") {
  const char* const vectors[][2] = {{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    CHECK(to_base64(plain) == coded);
    CHECK(from_base64(coded));
    CHECK(from_base64(coded).bytes == plain);
  }
  CHECK(to_base64("\xfb\xff\xfe") == "+//+");
}

TEST_CASE("base64 is refused unless it is exactly well formed") {
  for (const char* text : {"Zg", "Zg=", "Zg===", "====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm 9v",
                           "Zm9-", "Zh==", "Zm9="}) {
    INFO(text);
    CHECK_FALSE(from_base64(text));
  }
  CHECK(from_base64("Zm9vZm!v").begin == 6);
}

TEST_CASE("the CRC is that of zlib") {
  CHECK(crc32("") == 0);
  CHECK(crc32("123456789") == 0xcbf43926U);
}

TEST_CASE("what is encoded is decoded to the same") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 500; ++round) {
    std::string bytes(random() % 50, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    CHECK(from_hex(to_hex(bytes)).bytes == bytes);
    CHECK(from_base64(to_base64(bytes)).bytes == bytes);
  }
}
