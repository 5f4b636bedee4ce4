// Owning pointers for what OpenSSL hands out. Only the tls_* rooms include this.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace scenarios::openssl {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* held) const noexcept {
    Free(held);
  }
};

using bio = std::unique_ptr<BIO, freed_by<&BIO_free_all>>;
using key = std::unique_ptr<EVP_PKEY, freed_by<&EVP_PKEY_free>>;
using x509 = std::unique_ptr<X509, freed_by<&X509_free>>;
using ssl_ctx = std::unique_ptr<SSL_CTX, freed_by<&SSL_CTX_free>>;

/// Reads `text`, which must outlive it.
inline bio reader_of(std::string_view text) {
  return bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// What was written to a memory BIO.
inline std::string_view content_of(BIO* from) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(from, &data);
  return size > 0 ? std::string_view(data, static_cast<std::size_t>(size)) : std::string_view();
}

}  // namespace scenarios::openssl
