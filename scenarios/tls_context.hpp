// One side's configuration of TLS: certificate, trust, protocols. OpenSSL's SSL_CTX behind a door.
//
// Made by the compiler, or by the runner for a bare tls:// address. Constant afterwards; may be
// used by connections on several threads at once, each of which keeps it alive.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "scenarios/tls_plan.hpp"

struct ssl_ctx_st;  // OpenSSL's, which only the tls_* rooms know

namespace scenarios {

struct tls_problem {
  std::string_view key;  // of the language: "cert", "key", "ca"
  std::string message;
};

class tls_context {
 public:
  /// Nothing when the settings can't be used; `problem` then says which and why.
  static std::shared_ptr<const tls_context> make(tls_settings settings, tls_problem& problem);
  /// What a bare tls:// address means.
  static std::shared_ptr<const tls_context> usual(tls_role role);

  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;
  ~tls_context();

  const tls_settings& settings() const { return settings_; }
  ssl_ctx_st* get() const { return context_; }
  /// The protocols that it speaks, as they are on the wire: each with its length in front.
  const std::string& alpn_on_the_wire() const { return alpn_; }

 private:
  explicit tls_context(tls_settings settings);
  bool set_up(tls_problem& problem);
  bool use_certificate(tls_problem& problem);
  bool set_trust(tls_problem& problem);

  tls_settings settings_;
  std::string alpn_;
  ssl_ctx_st* context_;
};

/// The settings of a role where the scenario says nothing.
tls_settings usual_tls_settings(tls_role role);
/// "1.2" → the number that OpenSSL has for it; 0 for what is no version.
int tls_version_number(std::string_view word);
/// The words that the above takes, for messages.
inline constexpr std::string_view tls_version_words[] = {"1.0", "1.1", "1.2", "1.3"};

}  // namespace scenarios
