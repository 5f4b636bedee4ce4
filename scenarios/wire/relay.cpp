#include "scenarios/wire/relay.hpp"

namespace scenarios {

std::unique_ptr<relay> make_relay(uring::loop& on, relay_options options, wire_decider& rules) {
  auto* const make = options.listen.is_datagram() ? make_datagram_relay : make_stream_relay;
  return make(on, std::move(options), rules);
}

void relay::hold(direction dir, bool shut) {
  for (const direction each : {direction::c2s, direction::s2c}) {
    if (dir != direction::both && dir != each) continue;
    if (shut) {
      gate(each).shut();
    } else {
      gate(each).open();
    }
  }
  gates_changed();
}

void relay::let_pass(direction dir, std::uint64_t count) {
  gate(dir).let_pass(count);
  gates_changed();
}

}  // namespace scenarios
