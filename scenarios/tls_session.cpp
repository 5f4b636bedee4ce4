#include "scenarios/tls_session.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cstdlib>

#include "scenarios/openssl_handles.hpp"
#include "scenarios/tls_alert.hpp"

namespace scenarios {
namespace {

bool is_ip(const std::string& name) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

std::string common_name(X509* of) {
  if (of == nullptr) return {};
  X509_NAME* subject = X509_get_subject_name(of);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const ASN1_STRING* entry = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  const int size = ASN1_STRING_to_UTF8(&text, entry);
  if (size < 0) return {};
  std::string name(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return name;
}

std::string text_or_nothing(const char* text) {
  return text != nullptr ? text : "";
}

}  // namespace

tls_session::tls_session(std::shared_ptr<const tls_context> context, const std::string& host)
    : context_(std::move(context)), ssl_(SSL_new(context_->get())) {
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  if (ssl_ == nullptr || in == nullptr || out == nullptr) std::abort();  // out of memory
  SSL_set_bio(ssl_, in, out);
  SSL_set_app_data(ssl_, this);
  SSL_set_info_callback(ssl_, on_info);
  if (role() == tls_role::server) {
    SSL_set_accept_state(ssl_);
    return;
  }
  SSL_set_connect_state(ssl_);
  const std::string& wanted = context_->settings().server_name;
  const std::string& name = wanted.empty() ? host : wanted;
  // RFC 6066: an address is no name to ask for.
  if (!wanted.empty() && !is_ip(wanted)) SSL_set_tlsext_host_name(ssl_, wanted.c_str());
  if (is_ip(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), name.c_str());
  } else {
    SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl_, name.c_str());
  }
}

tls_session::~tls_session() {
  SSL_free(ssl_);
}

void tls_session::on_info(const ssl_st* of, int where, int value) {
  if ((where & SSL_CB_ALERT) == 0) return;
  const int description = value & 0xff;
  // A warning ends nothing, and close_notify has a way of its own.
  if (value >> 8 != SSL3_AL_FATAL || description == tls_close_notify) return;
  auto* self = static_cast<tls_session*>(SSL_get_app_data(of));
  ((where & SSL_CB_READ) != 0 ? self->alert_received_ : self->alert_sent_) = description;
}

// OpenSSL looks into its error queue to tell why a call did not succeed: it was emptied before.
tls_progress tls_session::judge(int result) {
  const int why = SSL_get_error(ssl_, result);
  switch (why) {
    case SSL_ERROR_NONE:
      return tls_progress::done;
    case SSL_ERROR_WANT_READ:
      return tls_progress::wants_record;
    case SSL_ERROR_ZERO_RETURN:
      ended_ = true;
      return tls_progress::clean_end;
    default:
      note_failure();
      return tls_progress::failed;
  }
}

tls_progress tls_session::handshake() {
  if (failure_) return tls_progress::failed;
  ERR_clear_error();
  const tls_progress now = judge(SSL_do_handshake(ssl_));
  established_ = established_ || now == tls_progress::done;
  return now;
}

tls_progress tls_session::read(std::span<std::byte> buffer, bool consume, std::size_t& count) {
  if (failure_) return tls_progress::failed;
  if (ended_) return tls_progress::clean_end;
  ERR_clear_error();
  return judge(consume ? SSL_read_ex(ssl_, buffer.data(), buffer.size(), &count)
                       : SSL_peek_ex(ssl_, buffer.data(), buffer.size(), &count));
}

tls_progress tls_session::write(std::span<const std::byte> data) {
  if (failure_) return tls_progress::failed;
  ERR_clear_error();
  std::size_t written = 0;
  return judge(SSL_write_ex(ssl_, data.data(), data.size(), &written));
}

void tls_session::send_close_notify() {
  if (!established_ || failure_ || sent_close_notify()) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

bool tls_session::sent_close_notify() const {
  return (SSL_get_shutdown(ssl_) & SSL_SENT_SHUTDOWN) != 0;
}

void tls_session::feed(std::string_view record) {
  BIO_write(SSL_get_rbio(ssl_), record.data(), static_cast<int>(record.size()));
}

std::string tls_session::take_output() {
  BIO* out = SSL_get_wbio(ssl_);
  std::string bytes(openssl::content_of(out));
  if (!bytes.empty()) BIO_reset(out);
  return bytes;
}

std::size_t tls_session::decrypted() const {
  return static_cast<std::size_t>(SSL_pending(ssl_));
}

void tls_session::fail(std::string reason, std::string detail) {
  if (failure_) return;
  failure_ = tls_failure{{}, false, std::move(reason), std::move(detail)};
}

void tls_session::note_truncated() {
  fail("truncated", established_
                        ? "the peer's bytes ended without a close_notify: what came may be cut off"
                        : "the connection ended in the middle of the TLS handshake");
}

void tls_session::note_failure() {
  if (failure_) return;
  tls_failure& made = failure_.emplace();
  const unsigned long error = ERR_peek_error();
  made.reason = text_or_nothing(ERR_reason_error_string(error));
  if (made.reason.empty()) made.reason = "protocol error";
  ERR_clear_error();
  if (alert_received_ >= 0) {
    made.from_peer = true;
    made.alert = tls_alert_name(alert_received_);
    made.reason = "the peer's alert";
    made.detail = fmt::format("the peer sent the TLS alert {}", made.alert);
    return;
  }
  const long verified = SSL_get_verify_result(ssl_);
  std::string why = made.reason;
  if (verified != X509_V_OK) {
    why = fmt::format("{}: {}", made.reason, X509_verify_cert_error_string(verified));
    made.reason = why;
  }
  if (alert_sent_ >= 0) made.alert = tls_alert_name(alert_sent_);
  made.detail = made.alert.empty()
                    ? fmt::format("TLS failed: {}", why)
                    : fmt::format("TLS failed: {}; we sent the alert {}", why, made.alert);
}

tls_facts tls_session::facts() const {
  tls_facts made;
  made.version = SSL_get_version(ssl_);
  // "TLSv1.3", but the oldest one is "TLSv1".
  if (made.version.starts_with("TLSv")) made.version.erase(0, 4);
  if (made.version == "1") made.version = "1.0";
  if (const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_))
    made.cipher = text_or_nothing(SSL_CIPHER_standard_name(cipher));
  const unsigned char* alpn = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_, &alpn, &length);
  if (length != 0) made.alpn.assign(reinterpret_cast<const char*>(alpn), length);
  made.peer_cn = common_name(SSL_get0_peer_certificate(ssl_));
  made.server_name = text_or_nothing(SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name));
  return made;
}

std::string tls_session::waits_for() const {
  switch (SSL_get_state(ssl_)) {
    case TLS_ST_BEFORE:
      return role() == tls_role::client ? "to begin the handshake" : "for a ClientHello";
    case TLS_ST_CW_CLNT_HELLO:
      return "for an answer to our ClientHello";
    case TLS_ST_SW_SRVR_DONE:
    case TLS_ST_SW_FINISHED:
    case TLS_ST_EARLY_DATA:
      return "for the client's answer to our part of the handshake";
    default:
      return fmt::format("in the state \"{}\"", SSL_state_string_long(ssl_));
  }
}

}  // namespace scenarios
