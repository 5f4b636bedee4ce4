#include "scenarios/message_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/diagnostic.hpp"
#include "scenarios/message_names.hpp"
#include "scenarios/node.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/value_path.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {

const message_slot* message_layout::find_slot(std::string_view slot_name) const {
  const auto found = std::ranges::find(slots, slot_name, &message_slot::name);
  return found == slots.end() ? nullptr : &*found;
}

std::vector<std::string_view> message_layout::slot_names() const {
  std::vector<std::string_view> names;
  names.reserve(slots.size());
  for (const message_slot& slot : slots) names.emplace_back(slot.name);
  return names;
}

message_layout* message_table::add(const std::string& name) {
  auto& made = layouts_[name];
  made = std::make_unique<message_layout>();
  made->name = name;
  return made.get();
}

const message_layout* message_table::find(std::string_view name) const {
  const auto found = layouts_.find(name);
  return found == layouts_.end() ? nullptr : found->second.get();
}

message_layout* message_table::find(std::string_view name) {
  const auto found = layouts_.find(name);
  return found == layouts_.end() ? nullptr : found->second.get();
}

std::vector<std::string_view> message_table::names() const {
  std::vector<std::string_view> all;
  all.reserve(layouts_.size());
  for (const auto& [name, layout] : layouts_) all.emplace_back(name);
  return all;
}

std::shared_ptr<const message_layout> find_layout(const std::shared_ptr<const message_table>& in,
                                                  std::string_view name) {
  const message_layout* found = in == nullptr ? nullptr : in->find(name);
  return found == nullptr ? nullptr : std::shared_ptr<const message_layout>(in, found);
}

std::shared_ptr<const message_layout> read_layout(const node& name,
                                                  const std::shared_ptr<const message_table>& from,
                                                  diagnostics& out) {
  if (!name.is(node_kind::string)) {
    out.error(code::wrong_type, name.at(),
              fmt::format("a message is named by a string, not {}", name.kind_name()));
    return nullptr;
  }
  auto found = find_layout(from, name.text());
  if (found != nullptr) return found;
  const auto known = from == nullptr ? std::vector<std::string_view>() : from->names();
  diagnostic& told = out.error(code::unknown_message, name.at(),
                               fmt::format("there is no message {}", in_quotes(name.text())));
  told.help = known.empty() ? "messages are described at the top level, under \"messages\""
                            : suggestion(name.text(), known);
  return nullptr;
}

parsed_path read_field_path(const message_layout& layout, const member& key, diagnostics& out) {
  parsed_path path = parse_field_path(key.key);
  if (!path) {
    out.error(code::bad_path, key.key_at, path.error).help = "fields are head.kind, items[0]";
    return path;
  }
  if (layout.find_slot(path.path.first_name()) == nullptr) {
    path.error = "unknown field";
    out.error(code::unknown_key, key.key_at,
              fmt::format("the message {} has no field {}", layout.name,
                          in_quotes(path.path.first_name())))
        .help = suggestion(path.path.first_name(), layout.slot_names());
  }
  return path;
}

node letters_as_numbers(const message_layout& layout, const value_path& path, const node& wanted) {
  const message_slot* slot = layout.find_slot(path.first_name());
  if (slot == nullptr || !path.is_single_name()) return wanted;
  const message_element& is = layout.fields[slot->field].is;
  if (is.kind != message_kind::integer || is.width != 1) return wanted;
  node made = wanted;
  const auto replace = [](const auto& self, node& in) -> void {
    if (in.is(node_kind::string) && in.text().size() == 1) {
      in.value() = std::int64_t{static_cast<unsigned char>(in.text()[0])};
    } else if (in.is(node_kind::array)) {
      for (node& each : std::get<node::array_type>(in.value())) self(self, each);
    } else if (in.is(node_kind::object)) {
      for (member& each : std::get<node::object_type>(in.value())) self(self, each.value);
    }
  };
  replace(replace, made);
  return made;
}

// ---- Names inside a layout ---------------------------------------------------------------------

std::optional<resolved_name> message_names::resolve(std::span<const std::string_view> path) {
  if (path[0] == "wire" && path.size() > 1) return resolve_field(path, path[1], wire_space, 2);
  if (layout_.find_slot(path[0]) != nullptr) return resolve_field(path, path[0], message_space, 1);
  std::optional<resolved_name> found = constants_.resolve(path);
  if (!found || found->constant) return found;
  problems_.push_back(
      {code::not_yet_available,
       fmt::format("{} is not known when a message is described", in_quotes(path[0])),
       "fields, `vars` and ${matrix.NAME} are"});
  return resolved_name{value(0), {}, value_type::any, path.size()};
}

std::optional<resolved_name> message_names::resolve_field(std::span<const std::string_view> path,
                                                          std::string_view name,
                                                          std::uint32_t space, std::size_t parts) {
  const message_slot* slot = layout_.find_slot(name);
  if (slot == nullptr) return std::nullopt;
  if (before_ != whole_message && slot->field >= before_) {
    problems_.push_back({code::not_yet_available,
                         fmt::format("the field {} comes only later", in_quotes(name)),
                         "`len`, `count` and `when` follow from earlier fields; what follows from "
                         "later ones is a `value`"});
  }
  // Of an inner message the fields are known, too.
  const message_layout* inner = layout_.fields[slot->field].is.layout;
  if (space == message_space && path.size() > parts && inner != nullptr &&
      inner->find_slot(path[parts]) == nullptr) {
    problems_.push_back(
        {code::unknown_name,
         fmt::format("the message {} has no field {}", inner->name, in_quotes(path[parts])),
         suggestion(path[parts], inner->slot_names())});
  }
  const auto index = static_cast<std::uint32_t>(slot - layout_.slots.data());
  return resolved_name{
      std::nullopt, {space, index}, space == wire_space ? value_type::bytes : slot->type, parts};
}

std::vector<std::string> message_names::candidates(std::span<const std::string_view> path) {
  std::vector<std::string> all = constants_.candidates(path);
  for (const message_slot& slot : layout_.slots) all.push_back(slot.name);
  return all;
}

void message_names::tell_problems(const node& from, diagnostics& out) {
  for (problem& each : problems_)
    out.error(each.id, from.at(), std::move(each.message)).help = std::move(each.help);
  problems_.clear();
}

}  // namespace scenarios
