// OpenSSL's side of one connection: bytes in, bytes out, no descriptor and no waiting.
//
// The session turns records into plain text and back in memory. Its owner (tls_stream) carries the
// bytes: what `take_output` gives goes to the peer, what comes from there goes into `feed`, one
// record after the other. Every call is synchronous and leaves nothing in OpenSSL's error queue. It
// remembers why it failed, with the alert and who sent it. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "scenarios/tls_context.hpp"

struct ssl_st;

namespace scenarios {

/// What a call came to. `wants_record`: feed one, then call again.
enum class tls_progress { done, wants_record, clean_end, failed };

struct tls_failure {
  std::string alert;  // "unknown_ca", or empty when there was none
  bool from_peer = false;
  std::string reason;  // "certificate verify failed", "truncated"
  std::string detail;  // a sentence for people
};

/// What was agreed on.
struct tls_facts {
  std::string version;      // "1.3"
  std::string cipher;       // as IANA names it
  std::string alpn;         // empty: none
  std::string peer_cn;      // of its certificate; empty: it showed none
  std::string server_name;  // that the client asked for
};

class tls_session {
 public:
  /// `host` is whom a client that verifies expects where the scenario names nobody.
  tls_session(std::shared_ptr<const tls_context> context, const std::string& host);
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;
  ~tls_session();

  tls_progress handshake();
  /// `count` is set when done: at least one byte, at most one record's.
  tls_progress read(std::span<std::byte> buffer, bool consume, std::size_t& count);
  tls_progress write(std::span<const std::byte> data);
  /// Makes a close_notify, once. Allowed when established and not failed.
  void send_close_notify();

  void feed(std::string_view record);
  /// What is to be sent, in order; empty afterwards.
  std::string take_output();
  /// The peer's bytes ended without a close_notify.
  void note_truncated();
  void fail(std::string reason, std::string detail);

  bool is_established() const { return established_; }
  bool has_ended() const { return ended_; }  // by the peer's close_notify
  bool sent_close_notify() const;
  const std::optional<tls_failure>& failure() const { return failure_; }
  std::size_t decrypted() const;  // bytes that wait for a read
  tls_facts facts() const;
  tls_role role() const { return context_->settings().role; }
  /// What a handshake that does not go on waits for, as a phrase.
  std::string waits_for() const;

 private:
  static void on_info(const ssl_st* of, int where, int value);
  tls_progress judge(int result);
  void note_failure();

  std::shared_ptr<const tls_context> context_;
  ssl_st* ssl_;
  bool established_ = false;
  bool ended_ = false;
  int alert_sent_ = -1;  // the last fatal one each way
  int alert_received_ = -1;
  std::optional<tls_failure> failure_;
};

}  // namespace scenarios
