#include "scenarios/wire/wire_decider.hpp"

#include "engine/draw.hpp"

namespace scenarios {

wire_hit of_link(wire_hit hit, const wire_link& link) {
  hit.seed = uring::draw_bits(hit.seed, link.number);
  return hit;
}

}  // namespace scenarios
