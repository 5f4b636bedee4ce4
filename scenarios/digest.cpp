#include "scenarios/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

struct algorithm_row {
  std::string_view name;
  const EVP_MD* (*find)();
};
constexpr algorithm_row algorithms[] = {
    {"md5", EVP_md5},       {"sha1", EVP_sha1},     {"sha224", EVP_sha224},
    {"sha256", EVP_sha256}, {"sha384", EVP_sha384}, {"sha512", EVP_sha512},
};

const EVP_MD* find_algorithm(std::string_view name) {
  for (const algorithm_row& row : algorithms)
    if (row.name == name) return row.find();
  return nullptr;
}

evaluation unknown(std::string_view name) {
  return evaluation::failure(fmt::format(
      "there is no digest {}: md5, sha1, sha224, sha256, sha384, sha512", in_quotes(name)));
}

evaluation finished(bool good, std::string_view name, const unsigned char* octets, unsigned size) {
  if (!good) return evaluation::failure(fmt::format("this build of OpenSSL refuses {}", name));
  return value::bytes(std::string(reinterpret_cast<const char*>(octets), size));
}

}  // namespace

evaluation digest_of(std::string_view algorithm, std::string_view data) {
  const EVP_MD* how = find_algorithm(algorithm);
  if (how == nullptr) return unknown(algorithm);
  unsigned char octets[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const int good = EVP_Digest(data.data(), data.size(), octets, &size, how, nullptr);
  return finished(good == 1, algorithm, octets, size);
}

evaluation hmac_of(std::string_view algorithm, std::string_view key, std::string_view data) {
  const EVP_MD* how = find_algorithm(algorithm);
  if (how == nullptr) return unknown(algorithm);
  // A null key would mean "the one of before".
  if (key.data() == nullptr) key = "";
  unsigned char octets[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const auto* text = reinterpret_cast<const unsigned char*>(data.data());
  const auto* made =
      HMAC(how, key.data(), static_cast<int>(key.size()), text, data.size(), octets, &size);
  return finished(made != nullptr, algorithm, octets, size);
}

}  // namespace scenarios
