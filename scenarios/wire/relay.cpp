#include "scenarios/wire/relay.hpp"

#include <utility>

namespace scenarios {

relay::relay(uring::loop& on, relay_options options, wire_decider& rules)
    : loop_(on),
      options_(std::move(options)),
      carrier_(options_.listen.is_datagram() ? make_datagram_relay(loop_, options_, rules)
                                             : make_stream_relay(loop_, options_, rules)) {}

relay::~relay() = default;

int relay::open() {
  return carrier_->open();
}

const uring::socket_address& relay::address() const {
  return carrier_->address();
}

uring::task<void> relay::run() {
  return carrier_->run();
}

void relay::stop() {
  carrier_->stop();
}

void relay::strike(const wire_hit& hit, const std::function<bool(const wire_link&)>& whom) {
  carrier_->strike(hit, whom);
}

bool relay::heal(std::optional<std::uint32_t> rule) {
  return carrier_->heal(rule);
}

relay_counters relay::counters() const {
  return carrier_->counters();
}

}  // namespace scenarios
