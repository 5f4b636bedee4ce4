// The alerts of TLS by the names that RFC 8446 gives them.
#pragma once

#include <cstdint>
#include <string>

namespace scenarios {

inline constexpr int tls_close_notify = 0;

/// "unknown_ca"; "alert 200" for one that has no name.
std::string tls_alert_name(int description);

}  // namespace scenarios
