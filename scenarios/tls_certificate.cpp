#include "scenarios/tls_certificate.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#include "scenarios/openssl_handles.hpp"

namespace scenarios {
namespace {

constexpr long day = 24L * 60 * 60;

// Making a key and signing needs memory and random bytes only; without those nothing else works.
[[noreturn]] void give_up() {
  std::fprintf(stderr, "uring-scenario: OpenSSL can't make a certificate\n");
  std::abort();
}
void need(bool done) {
  if (!done) give_up();
}

bool is_ip(const std::string& name) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

// A name with a comma or a line break would be read as further names.
bool is_plain(const std::string& name) {
  return name.find_first_of(", \t\r\n\\:;") == std::string::npos || is_ip(name);
}

void add_extension(X509* to, int what, const std::string& text) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, to, to, nullptr, nullptr, 0);
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, what, text.c_str());
  need(made != nullptr && X509_add_ext(to, made, -1) == 1);
  X509_EXTENSION_free(made);
}

void set_common_name(X509* of, const std::string& name) {
  X509_NAME* subject = X509_get_subject_name(of);
  constexpr std::size_t longest = 64;  // of a common name, in X.520
  const std::string text = name.empty() || name.size() > longest ? "localhost" : name;
  need(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1,
                                  0) == 1);
  need(X509_set_issuer_name(of, subject) == 1);
}

std::string written(bool (*write)(BIO*, const void*), const void* what) {
  const openssl::bio out(BIO_new(BIO_s_mem()));
  need(out != nullptr && write(out.get(), what));
  return std::string(openssl::content_of(out.get()));
}

certificate make(const std::string& name) {
  const openssl::key key(EVP_EC_gen("P-256"));
  const openssl::x509 cert(X509_new());
  need(key != nullptr && cert != nullptr);
  std::uint64_t serial = 0;
  need(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) == 1);
  need(X509_set_version(cert.get(), X509_VERSION_3) == 1);
  need(ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), serial >> 1U) == 1);
  // From yesterday on: clocks of machines differ.
  need(X509_gmtime_adj(X509_getm_notBefore(cert.get()), -day) != nullptr);
  need(X509_gmtime_adj(X509_getm_notAfter(cert.get()), 30 * day) != nullptr);
  set_common_name(cert.get(), name);
  need(X509_set_pubkey(cert.get(), key.get()) == 1);
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  if (!name.empty() && is_plain(name))
    names += fmt::format(",{}:{}", is_ip(name) ? "IP" : "DNS", name);
  add_extension(cert.get(), NID_subject_alt_name, names);
  add_extension(cert.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(cert.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  need(X509_sign(cert.get(), key.get(), EVP_sha256()) != 0);
  const auto write_cert = [](BIO* out, const void* of) {
    return PEM_write_bio_X509(out, static_cast<const X509*>(of)) == 1;
  };
  const auto write_key = [](BIO* out, const void* of) {
    return PEM_write_bio_PKCS8PrivateKey(out, static_cast<const EVP_PKEY*>(of), nullptr, nullptr, 0,
                                         nullptr, nullptr) == 1;
  };
  return {written(write_cert, cert.get()), written(write_key, key.get())};
}

}  // namespace

const certificate& automatic_certificate(const std::string& name) {
  static std::mutex guard;
  static std::map<std::string, certificate> made;
  const std::scoped_lock lock(guard);
  const auto found = made.find(name);
  return found != made.end() ? found->second : made.emplace(name, make(name)).first->second;
}

}  // namespace scenarios
