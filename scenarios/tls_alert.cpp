#include "scenarios/tls_alert.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace scenarios {
namespace {

struct alert_row {
  int description;
  std::string_view name;
};
// Those of older versions, too: a peer may still send them.
constexpr alert_row alerts[] = {{tls_close_notify, "close_notify"},
                                {10, "unexpected_message"},
                                {20, "bad_record_mac"},
                                {21, "decryption_failed"},
                                {22, "record_overflow"},
                                {30, "decompression_failure"},
                                {40, "handshake_failure"},
                                {41, "no_certificate"},
                                {42, "bad_certificate"},
                                {43, "unsupported_certificate"},
                                {44, "certificate_revoked"},
                                {45, "certificate_expired"},
                                {46, "certificate_unknown"},
                                {47, "illegal_parameter"},
                                {48, "unknown_ca"},
                                {49, "access_denied"},
                                {50, "decode_error"},
                                {51, "decrypt_error"},
                                {60, "export_restriction"},
                                {70, "protocol_version"},
                                {71, "insufficient_security"},
                                {80, "internal_error"},
                                {86, "inappropriate_fallback"},
                                {90, "user_canceled"},
                                {100, "no_renegotiation"},
                                {109, "missing_extension"},
                                {110, "unsupported_extension"},
                                {111, "certificate_unobtainable"},
                                {112, "unrecognized_name"},
                                {113, "bad_certificate_status_response"},
                                {114, "bad_certificate_hash_value"},
                                {115, "unknown_psk_identity"},
                                {116, "certificate_required"},
                                {120, "no_application_protocol"}};

}  // namespace

std::string tls_alert_name(int description) {
  const auto* found = std::ranges::find(alerts, description, &alert_row::description);
  return found != std::end(alerts) ? std::string(found->name)
                                   : "alert " + std::to_string(description);
}

}  // namespace scenarios
