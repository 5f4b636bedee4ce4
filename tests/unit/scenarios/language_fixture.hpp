// What tests of the language share: a JSON text with its places, names with values behind them.
//
// `written` keeps the document that nodes and spans point into; `known_names` is both the resolver
// and the environment of a test, one slot a name.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/document.hpp"
#include "scenarios/expression.hpp"
#include "scenarios/node.hpp"

namespace scenarios::testing {

struct written {
  explicit written(std::string json) {
    diagnostics problems;
    auto parsed = parse_document(source::from_text("test.json", std::move(json)), problems);
    if (!parsed || problems.has_errors()) throw std::logic_error(render(problems));
    held = *std::move(parsed);
  }
  const node& root() const { return held.root; }
  document held;
};

class known_names final : public name_resolver, public environment {
 public:
  /// Known at load.
  known_names& constant(std::string name, value v) {
    entries_.push_back({std::move(name), std::move(v), true, value_type::any});
    return *this;
  }
  /// Known when evaluated; without a value it is a future that nobody fulfilled.
  known_names& slot(std::string name, std::optional<value> v, value_type type = value_type::any) {
    entries_.push_back({std::move(name), std::move(v), false, type});
    return *this;
  }

  std::optional<resolved_name> resolve(std::span<const std::string_view> path) override {
    std::string tried;
    for (std::size_t used = 1; used <= path.size(); ++used) {
      tried += (used > 1 ? "." : "") + std::string(path[used - 1]);
      for (std::uint32_t i = 0; i < entries_.size(); ++i) {
        const entry& e = entries_[i];
        if (e.name != tried) continue;
        if (e.is_constant) return resolved_name{e.content, {}, value_type::any, used};
        return resolved_name{std::nullopt, {7, i}, e.type, used};
      }
    }
    return std::nullopt;
  }
  std::vector<std::string> candidates(std::span<const std::string_view>) override {
    std::vector<std::string> names;
    for (const entry& e : entries_) names.push_back(e.name);
    return names;
  }

  const value* read(slot_ref slot) const override {
    reads.insert(slot);
    const entry& e = entries_.at(slot.index);
    return e.content ? &*e.content : nullptr;
  }
  std::uint64_t seed_for(std::string_view label) const override {
    return std::hash<std::string_view>{}(label);
  }

  mutable std::set<slot_ref> reads;

 private:
  struct entry {
    std::string name;
    std::optional<value> content;
    bool is_constant;
    value_type type;
  };
  std::vector<entry> entries_;
};

/// As a JSON string in a document.
inline std::string as_json(std::string_view text) {
  return nlohmann::json(text).dump();
}

/// Constants answer, word, matrix; slots n, zero, body, srv.addr, later (no value), anything,
/// reply.
inline known_names usual_names() {
  known_names names;
  names.constant("answer", value(42))
      .constant("word", value::text("hello"))
      .constant("matrix", value::record({{"size", value(3)}, {"flags", value::list({})}}))
      .slot("n", value(10), value_type::integer)
      .slot("zero", value(0), value_type::integer)
      .slot("body", value::bytes("ab\xff"), value_type::bytes)
      .slot("srv.addr", value::text("tcp://127.0.0.1:7"), value_type::text)
      .slot("later", std::nullopt)
      .slot("anything", value::list({value(1), value::text("two")}))
      .slot("reply", value::record({{"type", value::text("Z")}}), value_type::record);
  return names;
}

}  // namespace scenarios::testing
