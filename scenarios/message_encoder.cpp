#include "scenarios/message_encoder.hpp"

#include <fmt/format.h>

#include "scenarios/octet_number.hpp"
#include "scenarios/units.hpp"
#include "scenarios/utf8.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

encoded_message encode(const message_layout& layout, const value& given, std::uint64_t limit,
                       std::size_t depth);

/// One message while it is put together. What an expression reads is resolved before it is asked.
class encoder final : public environment {
 public:
  encoder(const message_layout& layout, const value& given, std::uint64_t limit, std::size_t depth)
      : layout_(layout),
        given_(given),
        limit_(limit),
        depth_(depth),
        values_(layout.slots.size()),
        wires_(layout.fields.size()),
        states_(layout.fields.size(), state::fresh) {}

  encoded_message run();

  const value* read(slot_ref slot) const override {
    if (slot.space == message_space) return &values_[slot.index];
    return &wires_[layout_.slots[slot.index].field];
  }
  std::uint64_t seed_for(std::string_view) const override { return 0; }

 private:
  enum class state : std::uint8_t { fresh, open, done };

  bool resolve(std::uint32_t which);
  bool resolve_reads(const expression& of);
  std::optional<bool> is_there(const message_field& field);
  bool find_value(const message_field& field);
  bool write(const message_field& field, std::string& to);
  bool write_bits(const message_field& field, std::string& to);
  bool write_number(const message_field& field, const message_element& as, const value& number,
                    std::string& to);
  bool write_data(const message_field& field, const value& data, std::string& to);
  bool write_list(const message_field& field, value& list, std::string& to);
  bool write_message(const message_field& field, const message_layout& as, value& record,
                     std::string& to);
  bool fail(std::string_view field, std::string_view why);
  bool fail(const message_field& field, std::string_view why) { return fail(field.name, why); }

  const message_layout& layout_;
  const value& given_;
  const std::uint64_t limit_;
  const std::size_t depth_;
  std::vector<value> values_;  // null: not there
  std::vector<value> wires_;   // bytes, of each field
  std::vector<state> states_;
  std::string error_;
};

bool encoder::fail(std::string_view field, std::string_view why) {
  if (error_.empty()) error_ = fmt::format("{}.{}: {}", layout_.name, visible(field), why);
  return false;
}

encoded_message encoder::run() {
  encoded_message made;
  for (const field& each : given_.fields()) {
    if (layout_.find_slot(each.name) != nullptr) continue;
    fail(each.name, "there is no such field");
  }
  if (depth_ > message_depth_max) error_ = "messages are nested too deeply";
  for (std::uint32_t i = 0; error_.empty() && i < layout_.fields.size(); ++i) {
    if (!resolve(i)) break;
    const std::string& octets = wires_[i].data();
    if (octets.size() > limit_ || made.bytes.size() > limit_ - octets.size()) {
      fail(layout_.fields[i],
           fmt::format("the data is above the limit of {}", format_size(limit_)));
      break;
    }
    made.bytes += octets;
  }
  made.error = error_;
  value::record_type fields;
  for (std::size_t i = 0; made.error.empty() && i < values_.size(); ++i)
    if (!values_[i].is_null()) fields.push_back({layout_.slots[i].name, std::move(values_[i])});
  made.fields = value::record(std::move(fields));
  return made;
}

/// Finds the field's value and octets, those that they follow from first.
bool encoder::resolve(std::uint32_t which) {
  if (states_[which] == state::done) return true;
  const message_field& field = layout_.fields[which];
  if (states_[which] == state::open) return fail(field, "its value follows from itself");
  states_[which] = state::open;
  wires_[which] = value::bytes({});
  const std::optional<bool> there = is_there(field);
  if (!there) return false;
  if (*there) {
    std::string octets;
    if (!find_value(field) || !write(field, octets)) return false;
    wires_[which] = value::bytes(std::move(octets));
  }
  states_[which] = state::done;
  return true;
}

bool encoder::resolve_reads(const expression& of) {
  for (const slot_ref slot : of.reads())
    if (!resolve(layout_.slots[slot.index].field)) return false;
  return true;
}

std::optional<bool> encoder::is_there(const message_field& field) {
  if (!field.when) return true;
  if (!resolve_reads(*field.when)) return std::nullopt;
  const evaluation made = field.when->eval(*this);
  if (!made || !made->is(value_type::boolean)) {
    fail(field, made ? "`when` is no boolean" : made.message());
    return std::nullopt;
  }
  if (!made->boolean() && given_.find(field.name) != nullptr) {
    fail(field, "it is given, but its `when` does not hold");
    return std::nullopt;
  }
  return made->boolean();
}

bool encoder::find_value(const message_field& field) {
  if (field.is.kind == message_kind::bits) {
    for (std::size_t i = 0; i < field.parts.size(); ++i) {
      const value* part = given_.find(field.parts[i].name);
      values_[field.slot + i] = part != nullptr ? *part : value(0);
    }
    return true;
  }
  value& found = values_[field.slot];
  if (const value* given = given_.find(field.name)) {
    found = *given;
    return true;
  }
  if (!field.value) return fail(field, "it is missing");
  if (!resolve_reads(*field.value)) return false;
  evaluation made = field.value->eval(*this);
  if (!made) return fail(field, made.message());
  found = *std::move(made);
  return true;
}

bool encoder::write(const message_field& field, std::string& to) {
  value& held = values_[field.slot];
  switch (field.is.kind) {
    case message_kind::bits:
      return write_bits(field, to);
    case message_kind::bytes:
    case message_kind::text:
      return write_data(field, held, to);
    case message_kind::list:
      return write_list(field, held, to);
    case message_kind::message:
      return write_message(field, *field.is.layout, held, to);
    default:
      return write_number(field, field.is, held, to);
  }
}

bool encoder::write_bits(const message_field& field, std::string& to) {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < field.parts.size(); ++i) {
    const bit_part& part = field.parts[i];
    const value& held = values_[field.slot + i];
    if (!held.is(value_type::integer)) return fail(part.name, "it is no integer");
    const std::int64_t number = held.integer();
    if (number < 0 || number >> part.width != 0)
      return fail(part.name, fmt::format("{} does not fit in {} bits", number, part.width));
    all = all << part.width | static_cast<std::uint64_t>(number);
  }
  scenarios::write_number(to, static_cast<std::int64_t>(all), field.is.width, true);
  return true;
}

bool encoder::write_number(const message_field& field, const message_element& as,
                           const value& number, std::string& to) {
  if (!number.is(value_type::integer))
    return fail(field, fmt::format("{} is no integer", number.type_name()));
  if (as.kind == message_kind::varint) {
    write_varint(to, number.integer());
    return true;
  }
  // Eight octets hold every 64 bits, whatever they are taken for.
  const bool fits =
      as.width == 8 || (number.integer() >= 0 && number.integer() <= unsigned_max(as.width));
  if (!fits)
    return fail(field,
                fmt::format("{} is not from 0 to {}", number.integer(), unsigned_max(as.width)));
  scenarios::write_number(to, number.integer(), as.width, as.big_endian);
  return true;
}

bool encoder::write_data(const message_field& field, const value& data, std::string& to) {
  if (!data.is(value_type::data))
    return fail(field, fmt::format("{} is no data", data.type_name()));
  const std::string& octets = data.data();
  if (field.is.kind == message_kind::text && !is_utf8(octets)) return fail(field, "it is no UTF-8");
  if (field.until && octets.find(*field.until) != std::string::npos)
    return fail(field, fmt::format("its delimiter {} is in it", describe_data(*field.until)));
  const bool fixed = field.length && field.length->is_constant();
  if (fixed && field.length->constant().integer() != static_cast<std::int64_t>(octets.size()))
    return fail(field, fmt::format("it has {} octets, not {}", octets.size(),
                                   field.length->constant().integer()));
  to += octets;
  if (field.until) to += *field.until;
  return true;
}

bool encoder::write_list(const message_field& field, value& list, std::string& to) {
  if (!list.is(value_type::list))
    return fail(field, fmt::format("{} is no list", list.type_name()));
  const bool fixed = field.count && field.count->is_constant();
  if (fixed && field.count->constant().integer() != static_cast<std::int64_t>(list.items().size()))
    return fail(field, fmt::format("it has {} items, not {}", list.items().size(),
                                   field.count->constant().integer()));
  value::list_type items = list.items();
  for (value& item : items) {
    const bool good = field.item.kind == message_kind::message
                          ? write_message(field, *field.item.layout, item, to)
                          : write_number(field, field.item, item, to);
    if (!good) return false;
  }
  list = value::list(std::move(items));
  return true;
}

bool encoder::write_message(const message_field& field, const message_layout& as, value& record,
                            std::string& to) {
  if (!record.is(value_type::record))
    return fail(field, fmt::format("{} is no record", record.type_name()));
  encoded_message inner = encode(as, record, limit_, depth_ + 1);
  if (!inner) {
    if (error_.empty()) error_ = std::move(inner.error);
    return false;
  }
  to += inner.bytes;
  record = std::move(inner.fields);
  return true;
}

encoded_message encode(const message_layout& layout, const value& given, std::uint64_t limit,
                       std::size_t depth) {
  return encoder(layout, given, limit, depth).run();
}

}  // namespace

encoded_message encode_message(const message_layout& layout, const value& given,
                               std::uint64_t limit) {
  return encode(layout, given, limit, 0);
}

}  // namespace scenarios
