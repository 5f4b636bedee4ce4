#include "scenarios/endpoint.hpp"

namespace scenarios {
namespace {

constexpr std::string_view tcp_scheme = "tcp://";
constexpr std::string_view tls_scheme = "tls://";

}  // namespace

std::string endpoint::url() const {
  std::string text = address.url();
  if (tls && text.starts_with(tcp_scheme)) text.replace(0, tcp_scheme.size(), tls_scheme);
  return text;
}

std::optional<endpoint> parse_endpoint(std::string_view url, std::string& reason) {
  endpoint made;
  made.tls = url.starts_with(tls_scheme);
  std::string plain(url);
  if (made.tls) plain.replace(0, tls_scheme.size(), tcp_scheme);
  if (!uring::socket_address::has_scheme(plain)) {
    reason = "an address begins with tcp://, tls://, unix://, udp:// or unixgram://";
    return std::nullopt;
  }
  const auto parsed = uring::socket_address::parse(plain, reason);
  if (!parsed) return std::nullopt;
  made.address = *parsed;
  return made;
}

std::optional<endpoint> known_endpoint(const expression& from) {
  if (!from.is_valid() || !from.is_constant() || !from.constant().is(value_type::data))
    return std::nullopt;
  std::string ignored;
  return parse_endpoint(from.constant().data(), ignored);
}

std::string host_of(const uring::socket_address& address) {
  if (address.is_unix()) return "localhost";
  std::string host = address.url().substr(tcp_scheme.size());
  host.erase(host.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace scenarios
