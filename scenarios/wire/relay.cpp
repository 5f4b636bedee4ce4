#include "scenarios/wire/relay.hpp"

namespace scenarios {

std::unique_ptr<relay> make_relay(uring::loop& on, relay_options options, wire_decider& rules) {
  auto* const make = options.listen.is_datagram() ? make_datagram_relay : make_stream_relay;
  return make(on, std::move(options), rules);
}

}  // namespace scenarios
