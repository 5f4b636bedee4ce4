// From octets to the fields of a message, as they come.
//
// The decoder keeps its place: each call goes on where the last one ended, so that a message that
// trickles in costs no more than one that is there at once. Lengths are those of a peer that may be
// hostile: each is held against the field's `max`, the message that it is inside of and the
// decoder's own limit before anything is kept. Never throws. Borrows the layout.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/message_layout.hpp"

namespace scenarios {

enum class decode_state : std::uint8_t { needs_more, complete, malformed };

class message_decoder {
 public:
  explicit message_decoder(const message_layout& layout, std::uint64_t max = message_bytes_max);
  message_decoder(const message_decoder&) = delete;
  message_decoder& operator=(const message_decoder&) = delete;
  ~message_decoder();

  /// `data` is the message from its first octet on, as far as it is there; `ended`: no more will
  /// come.
  decode_state advance(std::string_view data, bool ended);
  /// How many octets there must be, from the first one on, before advance() can do more.
  std::size_t needed() const { return needed_; }
  /// Octets of the complete message.
  std::size_t used() const { return at_; }
  /// The field that is being read: "pg.body".
  std::string reading() const;
  /// What is wrong: "pg.len: …".
  const std::string& error() const { return error_; }
  /// A field contradicts the others, and nothing else is wrong.
  bool contradicts() const { return contradicts_; }
  /// The record of a complete message.
  value take() { return std::move(made_); }

 private:
  enum class progress : std::uint8_t { made, waits, failed };
  struct frame;

  progress step(frame& f);
  progress begin_field(frame& f, const message_field& field);
  progress read_field(frame& f, const message_field& field);
  progress read_number(frame& f, const message_element& as, value& into);
  progress read_bits(frame& f, const message_field& field);
  progress read_data(frame& f, const message_field& field);
  progress read_until(frame& f, const message_field& field);
  progress read_list(frame& f, const message_field& field);
  progress open_message(frame& f, const message_layout& inner);
  progress close_message();
  progress end_field(frame& f);
  progress need(frame& f, std::size_t octets);
  progress fail(std::string why);
  std::optional<std::int64_t> evaluate(frame& f, const expression& from);
  bool check_values(frame& f);

  std::vector<frame> frames_;
  std::string_view data_;
  bool ended_ = false;
  std::uint64_t max_;
  std::size_t at_ = 0;
  std::size_t needed_ = 1;
  std::string error_;
  bool contradicts_ = false;
  value made_;
};

struct decoded_message {
  value fields;
  std::string error;  // empty: all is well

  explicit operator bool() const { return error.empty(); }
};

/// Data that must be one message, and nothing behind it.
decoded_message decode_message(const message_layout& layout, std::string_view data);

}  // namespace scenarios
