#include "scenarios/message_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/octet_number.hpp"
#include "scenarios/units.hpp"
#include "scenarios/utf8.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::size_t no_end = ~std::size_t{0};

}  // namespace

/// A message that has been begun: the outermost, or one inside a field or a list of it.
struct message_decoder::frame final : environment {
  frame(const message_layout& of, std::size_t begin, std::size_t limit)
      : layout(of), start(begin), end(limit), values(of.slots.size()) {
    if (of.uses_wire) wires.resize(of.fields.size());
  }

  const value* read(slot_ref slot) const override {
    if (slot.space == message_space) return &values[slot.index];
    return &wires[layout.get().slots[slot.index].field];
  }
  std::uint64_t seed_for(std::string_view) const override { return 0; }

  const message_field& current() const { return layout.get().fields[field]; }

  std::reference_wrapper<const message_layout> layout;
  std::size_t start;   // its first octet
  std::size_t end;     // where it must not go beyond; no_end when nobody knows
  bool fills = false;  // and where it must end
  std::size_t field = 0;
  std::vector<value> values;
  std::vector<value> wires;
  // The field that is being read.
  bool begun = false;
  std::size_t field_start = 0;
  std::size_t field_end = no_end;
  std::size_t searched = 0;  // up to here no delimiter begins
  value::list_type items;
  std::optional<std::uint64_t> wanted;  // items
  std::size_t item_start = 0;
};

message_decoder::message_decoder(const message_layout& layout, std::uint64_t max) : max_(max) {
  frames_.emplace_back(layout, 0, no_end);
}

message_decoder::~message_decoder() = default;

std::string message_decoder::reading() const {
  if (frames_.empty()) return {};
  const frame& f = frames_.back();
  const message_layout& of = f.layout;
  return f.field < of.fields.size() ? fmt::format("{}.{}", of.name, of.fields[f.field].name)
                                    : of.name;
}

message_decoder::progress message_decoder::fail(std::string why) {
  if (error_.empty()) error_ = fmt::format("{}: {}", reading(), why);
  return progress::failed;
}

decode_state message_decoder::advance(std::string_view data, bool ended) {
  data_ = data;
  ended_ = ended;
  if (!error_.empty()) return decode_state::malformed;
  while (!frames_.empty()) {
    frame& f = frames_.back();
    const progress made = f.field == f.layout.get().fields.size() ? close_message() : step(f);
    if (made == progress::failed) return decode_state::malformed;
    if (made == progress::waits) return decode_state::needs_more;
  }
  return decode_state::complete;
}

/// There must be so many octets, counted from the message's first.
message_decoder::progress message_decoder::need(frame& f, std::size_t octets) {
  const std::size_t bound = std::min(f.end, f.field_end);
  if (octets > bound)
    return fail(fmt::format("it goes beyond the {} octets that it is inside of", bound - f.start));
  if (octets > max_)
    return fail(fmt::format("the message is above the limit of {}", format_size(max_)));
  if (octets <= data_.size()) return progress::made;
  if (ended_)
    return fail(fmt::format("the data ends here: {} of at least {} octets are there",
                            data_.size() - std::min(data_.size(), f.field_start),
                            octets - std::min(octets, f.field_start)));
  needed_ = octets;
  return progress::waits;
}

std::optional<std::int64_t> message_decoder::evaluate(frame& f, const expression& from) {
  const evaluation made = from.eval(f);
  if (made && made->is(value_type::integer | value_type::boolean))
    return made->is(value_type::integer) ? made->integer() : std::int64_t{made->boolean()};
  fail(made ? fmt::format("{} is no integer", made->type_name()) : made.message());
  return std::nullopt;
}

message_decoder::progress message_decoder::step(frame& f) {
  const message_field& field = f.current();
  if (!f.begun) {
    const progress begun = begin_field(f, field);
    if (begun != progress::made || !f.begun) return begun;
  }
  return read_field(f, field);
}

/// Whether it is there, and where it ends.
message_decoder::progress message_decoder::begin_field(frame& f, const message_field& field) {
  f.field_start = at_;
  f.field_end = no_end;
  f.searched = at_;
  f.items.clear();
  f.wanted.reset();
  f.item_start = at_;
  if (field.when) {
    const auto there = evaluate(f, *field.when);
    if (!there) return progress::failed;
    if (*there == 0) {
      if (!f.wires.empty()) f.wires[f.field] = value::bytes({});
      ++f.field;
      return progress::made;
    }
  }
  const bool is_list = field.is.kind == message_kind::list;
  if (field.length) {
    const auto length = evaluate(f, *field.length);
    if (!length) return progress::failed;
    if (*length < 0) return fail(fmt::format("its length would be {}", *length));
    const auto octets = static_cast<std::uint64_t>(*length);
    if (octets > (is_list ? max_ : field.max))
      return fail(fmt::format("its length of {} octets is above its `max` of {}", octets,
                              is_list ? max_ : field.max));
    f.field_end = at_ + octets;
    if (f.field_end > f.end)
      return fail(fmt::format("its {} octets go beyond the {} that it is inside of", octets,
                              f.end - f.start));
  }
  if (field.count) {
    const auto count = evaluate(f, *field.count);
    if (!count) return progress::failed;
    if (*count < 0 || static_cast<std::uint64_t>(*count) > field.max)
      return fail(fmt::format("{} items are not from 0 to its `max` of {}", *count, field.max));
    f.wanted = static_cast<std::uint64_t>(*count);
  }
  f.begun = true;
  return progress::made;
}

message_decoder::progress message_decoder::read_field(frame& f, const message_field& field) {
  switch (field.is.kind) {
    case message_kind::bits:
      return read_bits(f, field);
    case message_kind::bytes:
    case message_kind::text:
      return field.until ? read_until(f, field) : read_data(f, field);
    case message_kind::list:
      return read_list(f, field);
    case message_kind::message:
      return open_message(f, *field.is.layout);
    default:
      break;
  }
  const progress made = read_number(f, field.is, f.values[field.slot]);
  return made == progress::made ? end_field(f) : made;
}

message_decoder::progress message_decoder::read_number(frame& f, const message_element& as,
                                                       value& into) {
  if (as.kind == message_kind::integer) {
    const progress there = need(f, at_ + as.width);
    if (there != progress::made) return there;
    into = value(*scenarios::read_number(data_.substr(at_), as.width, as.big_endian));
    at_ += as.width;
    return progress::made;
  }
  const varint found = read_varint(data_.substr(std::min(at_, data_.size())));
  if (found.too_long) return fail("the varint has more than 64 bits");
  if (found.octets == 0) {
    const progress there = need(f, std::max(data_.size(), at_) + 1);
    return there == progress::made ? fail("the varint does not end") : there;
  }
  const progress there = need(f, at_ + found.octets);
  if (there != progress::made) return there;
  into = value(found.number);
  at_ += found.octets;
  return progress::made;
}

message_decoder::progress message_decoder::read_bits(frame& f, const message_field& field) {
  const progress there = need(f, at_ + field.is.width);
  if (there != progress::made) return there;
  std::uint64_t offset = 0;
  const std::string_view octets = data_.substr(at_, field.is.width);
  for (std::size_t i = 0; i < field.parts.size(); ++i) {
    const unsigned width = field.parts[i].width;
    f.values[field.slot + i] = value(scenarios::read_bits(octets, offset, width).value_or(0));
    offset += width;
  }
  at_ += field.is.width;
  return end_field(f);
}

/// So many octets, or all that are left.
message_decoder::progress message_decoder::read_data(frame& f, const message_field& field) {
  std::size_t end = std::min(f.field_end, f.end);
  if (end == no_end) {
    if (data_.size() - f.field_start > field.max)
      return fail(fmt::format("it is above its `max` of {}", field.max));
    if (!ended_) return need(f, data_.size() + 1);
    end = data_.size();
  }
  if (end - f.field_start > field.max)
    return fail(
        fmt::format("its {} octets are above its `max` of {}", end - f.field_start, field.max));
  const progress there = need(f, end);
  if (there != progress::made) return there;
  std::string octets(data_.substr(at_, end - at_));
  if (field.is.kind == message_kind::text) {
    if (!is_utf8(octets)) return fail("it is no UTF-8");
    f.values[field.slot] = value::text(std::move(octets));
  } else {
    f.values[field.slot] = value::bytes(std::move(octets));
  }
  at_ = end;
  return end_field(f);
}

message_decoder::progress message_decoder::read_until(frame& f, const message_field& field) {
  const std::string& delimiter = *field.until;
  const std::size_t found = data_.find(delimiter, f.searched);
  const std::size_t seen = found == std::string_view::npos ? data_.size() : found;
  if (seen - f.field_start > field.max)
    return fail(
        fmt::format("no {} within its `max` of {} octets", describe_data(delimiter), field.max));
  if (found == std::string_view::npos) {
    // The delimiter may have begun already.
    const std::size_t kept = std::min(delimiter.size() - 1, data_.size() - f.field_start);
    f.searched = std::max(f.searched, data_.size() - kept);
    return need(f, data_.size() + 1);
  }
  const progress there = need(f, found + delimiter.size());
  if (there != progress::made) return there;
  std::string octets(data_.substr(at_, found - at_));
  const bool text = field.is.kind == message_kind::text;
  if (text && !is_utf8(octets)) return fail("it is no UTF-8");
  f.values[field.slot] = text ? value::text(std::move(octets)) : value::bytes(std::move(octets));
  at_ = found + delimiter.size();
  return end_field(f);
}

/// One item a call; a message inside comes back here when it is complete.
message_decoder::progress message_decoder::read_list(frame& f, const message_field& field) {
  const std::size_t end = std::min(f.field_end, f.end);
  const bool at_end = f.wanted        ? f.items.size() == *f.wanted
                      : end != no_end ? at_ >= end
                                      : ended_ && at_ == data_.size();
  if (at_end) {
    f.values[field.slot] = value::list(std::move(f.items));
    f.items.clear();
    if (f.field_end != no_end && at_ != f.field_end)
      return fail(fmt::format("its items take {} octets, not {}", at_ - f.field_start,
                              f.field_end - f.field_start));
    return end_field(f);
  }
  if (f.items.size() >= field.max)
    return fail(fmt::format("it has more than its `max` of {} items", field.max));
  if (!f.wanted && !f.items.empty() && at_ == f.item_start)
    return fail("an item without octets would come for ever");
  f.item_start = at_;
  if (field.item.kind == message_kind::message) return open_message(f, *field.item.layout);
  value item;
  const progress made = read_number(f, field.item, item);
  if (made == progress::made) f.items.push_back(std::move(item));
  return made;
}

message_decoder::progress message_decoder::open_message(frame& f, const message_layout& inner) {
  if (frames_.size() > message_depth_max) return fail("messages are nested too deeply");
  const std::size_t end = std::min(f.field_end, f.end);
  const bool fills = f.current().is.kind == message_kind::message && f.field_end != no_end;
  frame& made = frames_.emplace_back(inner, at_, end);
  made.fills = fills;
  return progress::made;
}

/// `value` of each field must be what follows from the others.
bool message_decoder::check_values(frame& f) {
  for (const message_field& field : f.layout.get().fields) {
    const value& came = f.values[field.slot];
    if (!field.value || came.is_null()) continue;
    const evaluation made = field.value->eval(f);
    f.field = static_cast<std::size_t>(&field - f.layout.get().fields.data());
    if (!made) {
      fail(made.message());
      return false;
    }
    if (same_content(*made, came)) continue;
    contradicts_ = true;
    fail(fmt::format("it is {}, but {} follows from the other fields", describe(came, 40),
                     describe(*made, 40)));
    return false;
  }
  f.field = f.layout.get().fields.size();
  return true;
}

message_decoder::progress message_decoder::close_message() {
  frame& f = frames_.back();
  if (f.fills && at_ != f.end)
    return fail(fmt::format("it takes {} octets, not the {} that its `len` says", at_ - f.start,
                            f.end - f.start));
  if (!check_values(f)) return progress::failed;
  value::record_type fields;
  for (std::size_t i = 0; i < f.values.size(); ++i)
    if (!f.values[i].is_null())
      fields.push_back({f.layout.get().slots[i].name, std::move(f.values[i])});
  value made = value::record(std::move(fields));
  frames_.pop_back();
  if (frames_.empty()) {
    made_ = std::move(made);
    return progress::made;
  }
  frame& outer = frames_.back();
  if (outer.current().is.kind == message_kind::list) {
    outer.items.push_back(std::move(made));
    return progress::made;
  }
  outer.values[outer.current().slot] = std::move(made);
  return end_field(outer);
}

message_decoder::progress message_decoder::end_field(frame& f) {
  if (!f.wires.empty())
    f.wires[f.field] = value::bytes(std::string(data_.substr(f.field_start, at_ - f.field_start)));
  f.begun = false;
  f.field_end = no_end;
  ++f.field;
  return progress::made;
}

decoded_message decode_message(const message_layout& layout, std::string_view data) {
  message_decoder decoder(layout, std::max<std::uint64_t>(message_bytes_max, data.size()));
  decoded_message made;
  if (decoder.advance(data, true) != decode_state::complete) {
    made.error = decoder.error();
  } else if (decoder.used() != data.size()) {
    made.error =
        fmt::format("{} octets are left over behind the message", data.size() - decoder.used());
  } else {
    made.fields = decoder.take();
  }
  return made;
}

}  // namespace scenarios
