#include "scenarios/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstdlib>

#include "scenarios/openssl_handles.hpp"
#include "scenarios/tls_certificate.hpp"

namespace scenarios {
namespace {

struct version_word {
  std::string_view word;
  int number;
};
constexpr version_word versions[] = {{tls_version_words[0], TLS1_VERSION},
                                     {tls_version_words[1], TLS1_1_VERSION},
                                     {tls_version_words[2], TLS1_2_VERSION},
                                     {tls_version_words[3], TLS1_3_VERSION}};

bool refuse(tls_problem& problem, std::string_view key, std::string message) {
  ERR_clear_error();
  problem = {key, std::move(message)};
  return false;
}

// An encrypted key would ask for its passphrase at the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                    const unsigned char* offered, unsigned offered_length, void* context) {
  const std::string& own = static_cast<const tls_context*>(context)->alpn_on_the_wire();
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, length, reinterpret_cast<const unsigned char*>(own.data()),
                            static_cast<unsigned>(own.size()), offered, offered_length);
  // Without a common one RFC 7301 wants the alert no_application_protocol.
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

bool add_certificates(X509_STORE* to, std::string_view pem) {
  const openssl::bio from = openssl::reader_of(pem);
  bool any = false;
  while (true) {
    const openssl::x509 each(PEM_read_bio_X509(from.get(), nullptr, no_passphrase, nullptr));
    if (!each) break;
    any = true;
    X509_STORE_add_cert(to, each.get());
  }
  ERR_clear_error();
  return any;
}

}  // namespace

int tls_version_number(std::string_view word) {
  for (const version_word& each : versions)
    if (each.word == word) return each.number;
  return 0;
}

tls_settings usual_tls_settings(tls_role role) {
  tls_settings made;
  made.role = role;
  made.automatic_cert = role == tls_role::server;
  made.verify = role == tls_role::client;
  made.min = TLS1_2_VERSION;
  made.max = TLS1_3_VERSION;
  return made;
}

tls_context::tls_context(tls_settings settings)
    : settings_(std::move(settings)),
      context_(SSL_CTX_new(settings_.role == tls_role::client ? TLS_client_method()
                                                              : TLS_server_method())) {
  if (context_ == nullptr) std::abort();  // out of memory
  for (const std::string& each : settings_.alpn) {
    alpn_ += static_cast<char>(each.size());
    alpn_ += each;
  }
}

tls_context::~tls_context() {
  SSL_CTX_free(context_);
}

std::shared_ptr<const tls_context> tls_context::make(tls_settings settings, tls_problem& problem) {
  std::shared_ptr<tls_context> made(new tls_context(std::move(settings)));
  if (!made->set_up(problem)) return nullptr;
  return made;
}

std::shared_ptr<const tls_context> tls_context::usual(tls_role role) {
  tls_problem none;
  static const auto client = make(usual_tls_settings(tls_role::client), none);
  static const auto server = make(usual_tls_settings(tls_role::server), none);
  return role == tls_role::client ? client : server;
}

bool tls_context::set_up(tls_problem& problem) {
  // The machine's openssl.cnf may have set other bounds: ours are always said.
  SSL_CTX_set_min_proto_version(context_, settings_.min);
  SSL_CTX_set_max_proto_version(context_, settings_.max);
  // Old versions sign with SHA-1, which the usual security level forbids.
  if (settings_.min < TLS1_2_VERSION) SSL_CTX_set_cipher_list(context_, "DEFAULT:@SECLEVEL=0");
  SSL_CTX_set_mode(context_, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context_, settings_.tickets);
  if (settings_.tickets == 0) SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
  if (!use_certificate(problem) || !set_trust(problem)) return false;
  if (alpn_.empty()) return true;
  if (settings_.role == tls_role::server) {
    SSL_CTX_set_alpn_select_cb(context_, choose_protocol, this);
  } else {
    SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(alpn_.data()),
                            static_cast<unsigned>(alpn_.size()));
  }
  return true;
}

bool tls_context::use_certificate(tls_problem& problem) {
  std::string cert = settings_.cert;
  std::string key = settings_.key.empty() ? cert : settings_.key;
  if (settings_.automatic_cert) {
    // A client's server_name is whom it dials, not who it is.
    const bool serves = settings_.role == tls_role::server;
    const certificate& made = automatic_certificate(serves ? settings_.server_name : "");
    cert = made.cert;
    key = made.key;
  }
  if (cert.empty()) return true;
  const openssl::bio from = openssl::reader_of(cert);
  const openssl::x509 leaf(PEM_read_bio_X509_AUX(from.get(), nullptr, no_passphrase, nullptr));
  if (!leaf) return refuse(problem, "cert", "there is no certificate in PEM form in it");
  if (SSL_CTX_use_certificate(context_, leaf.get()) != 1)
    return refuse(problem, "cert", "OpenSSL does not take this certificate");
  while (X509* next = PEM_read_bio_X509(from.get(), nullptr, no_passphrase, nullptr))
    SSL_CTX_add_extra_chain_cert(context_, next);
  ERR_clear_error();
  const openssl::bio key_from = openssl::reader_of(key);
  const openssl::key own(PEM_read_bio_PrivateKey(key_from.get(), nullptr, no_passphrase, nullptr));
  if (!own && settings_.key.empty())
    return refuse(problem, "cert", "there is no private key beside this certificate");
  if (!own) return refuse(problem, "key", "there is no private key in PEM form in it");
  if (X509_check_private_key(leaf.get(), own.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context_, own.get()) != 1)
    return refuse(problem, "key", "this is not the key of the certificate");
  return true;
}

bool tls_context::set_trust(tls_problem& problem) {
  if (!settings_.verify) {
    SSL_CTX_set_verify(context_, SSL_VERIFY_NONE, nullptr);
    return true;
  }
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  X509_STORE* store = SSL_CTX_get_cert_store(context_);
  // A certificate that is given is trusted, also when another one has signed it.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  switch (settings_.trust) {
    case tls_trust::automatic:
      add_certificates(store, automatic_certificate("").cert);
      if (settings_.role == tls_role::client && !settings_.server_name.empty())
        add_certificates(store, automatic_certificate(settings_.server_name).cert);
      return true;
    case tls_trust::system:
      SSL_CTX_set_default_verify_paths(context_);
      return true;
    case tls_trust::given:
      break;
  }
  if (!add_certificates(store, settings_.ca))
    return refuse(problem, "ca", "there is no certificate in PEM form in it");
  if (settings_.role == tls_role::server) {
    // Clients choose their certificate by the names of those that may have signed it.
    const openssl::bio from = openssl::reader_of(settings_.ca);
    while (true) {
      const openssl::x509 each(PEM_read_bio_X509(from.get(), nullptr, no_passphrase, nullptr));
      if (!each) break;
      SSL_CTX_add_client_CA(context_, each.get());
    }
    ERR_clear_error();
  }
  return true;
}

}  // namespace scenarios
