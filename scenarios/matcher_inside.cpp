// Checking the matchers that look inside a value: parts of data, JSON, lists, messages.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/json_value.hpp"
#include "scenarios/matcher_tree.hpp"
#include "scenarios/message_decoder.hpp"
#include "scenarios/octet_number.hpp"

namespace scenarios {
namespace {

using answer = std::optional<mismatch>;
using operands = std::span<const value* const>;

constexpr std::size_t unordered_max = 1000;  // items that are tried against each other

mismatch other_kind(const matcher_node& n, const value& got, std::string_view wanted) {
  mismatch made = plain_mismatch(n);
  made.got = fmt::format("{}, not {}", describe(got, 40), wanted);
  return made;
}

mismatch unfit(const matcher_node& n, std::string why) {
  mismatch made = plain_mismatch(n);
  made.got = std::move(why);
  return made;
}

mismatch unfit_error(const matcher_node& n, std::string why) {
  mismatch made = plain_mismatch(n);
  made.error = std::move(why);
  return made;
}

std::int64_t number_of(const value& operand) {
  return operand.is(value_type::integer) ? operand.integer() : 0;
}

answer check_part(const matcher_node& n, const value& got, operands with, const child_check& ask) {
  if (!got.is(value_type::data)) return other_kind(n, got, "data");
  const std::string& data = got.data();
  const auto size = static_cast<std::int64_t>(data.size());
  const std::int64_t written = number_of(*with[0]);
  const std::int64_t from = written < 0 ? written + size : written;
  const std::int64_t length = with.size() > 1 ? number_of(*with[1]) : size - from;
  if (from < 0 || from > size || length < 0 || length > size - from)
    return unfit(n, fmt::format("{} octets altogether", size));
  const value part =
      value::bytes(data.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(length)));
  answer wrong = ask(n.children[0], part);
  if (!wrong) return std::nullopt;
  return inside(fmt::format("at {}: ", written), *std::move(wrong), part);
}

answer check_bits(const matcher_node& n, const value& got, operands with, const child_check& ask) {
  if (!got.is(value_type::data)) return other_kind(n, got, "data");
  const std::int64_t offset = number_of(*with[0]);
  const std::int64_t count = number_of(*with[1]);
  std::optional<std::int64_t> number;
  if (offset >= 0 && count >= 1 && count < 64)
    number =
        read_bits(got.data(), static_cast<std::uint64_t>(offset), static_cast<unsigned>(count));
  if (!number) return unfit(n, fmt::format("{} octets altogether", got.data().size()));
  const value seen(*number);
  answer wrong = ask(n.children[0], seen);
  if (!wrong) return std::nullopt;
  return inside(fmt::format("{} bit{} at {}: ", count, count == 1 ? "" : "s", offset),
                *std::move(wrong), seen);
}

answer check_derived(const matcher_node& n, const value& got, const child_check& ask) {
  if (!got.is(value_type::data)) return other_kind(n, got, "data");
  const std::optional<std::int64_t> number = n.row->derive(got.data());
  if (!number) return unfit(n, fmt::format("{} octets altogether", got.data().size()));
  const value seen(*number);
  answer wrong = ask(n.children[0], seen);
  if (!wrong) return std::nullopt;
  return inside(n.row->prefix, *std::move(wrong), seen);
}

/// Each child against what its path leads to.
answer check_fields(const matcher_node& n, const value& whole, const child_check& ask) {
  static const value nothing;
  for (std::size_t i = 0; i < n.children.size(); ++i) {
    const value* found = n.paths[i].find(whole);
    const value& seen = found != nullptr ? *found : nothing;
    answer wrong = ask(n.children[i], seen);
    if (!wrong) continue;
    mismatch told = inside(n.paths[i].text() + ": ", *std::move(wrong), seen);
    if (found == nullptr) told.got = n.paths[i].text() + ": nothing";
    return told;
  }
  return std::nullopt;
}

answer check_json(const matcher_node& n, const value& got, const child_check& ask) {
  if (!got.is(value_type::data)) return other_kind(n, got, "data");
  const evaluation parsed = parse_json(got.data());
  if (!parsed) return unfit(n, fmt::format("{}: {}", parsed.message(), describe(got, 40)));
  return check_fields(n, *parsed, ask);
}

answer check_message(const matcher_node& n, const value& got, const child_check& ask) {
  if (!got.is(value_type::data)) return other_kind(n, got, "data");
  const decoded_message made = decode_message(*n.layout, got.data());
  if (!made) return unfit(n, made.error);
  return check_fields(n, made.fields, ask);
}

answer check_items(const matcher_node& n, const value& got, const child_check& ask) {
  if (!got.is(value_type::list)) return other_kind(n, got, "a list");
  const bool each = n.row->info.name == "each";
  std::string undecided;
  for (std::size_t i = 0; i < got.items().size(); ++i) {
    answer wrong = ask(n.children[0], got.items()[i]);
    if (wrong && !wrong->error.empty()) return wrong;
    if (!each && !wrong) return std::nullopt;
    if (undecided.empty() && wrong) undecided = wrong->undecided;
    if (each && wrong) return inside(fmt::format("[{}]: ", i), *std::move(wrong), got.items()[i]);
  }
  if (each) return std::nullopt;
  mismatch none = plain_mismatch(n);
  none.undecided = std::move(undecided);
  return none;
}

answer check_counted(const matcher_node& n, const value& got, const child_check& ask) {
  if (!got.is(value_type::list)) return other_kind(n, got, "a list");
  std::int64_t count = 0;
  for (const value& item : got.items()) {
    answer wrong = ask(n.children[0], item);
    if (wrong && !wrong->error.empty()) return wrong;
    if (wrong && !wrong->undecided.empty()) return unfit_error(n, std::move(wrong->undecided));
    if (!wrong) ++count;
  }
  const value seen(count);
  answer wrong = ask(n.children[1], seen);
  if (!wrong) return std::nullopt;
  mismatch told = plain_mismatch(n);
  told.error = wrong->error;
  told.got = fmt::format("{} of {} items", count, got.items().size());
  return told;
}

/// Gives each matcher an item of its own: augmenting paths, so that no order can spoil it.
class pairing {
 public:
  pairing(const matcher_node& n, const value& got, const child_check& ask)
      : fits_(n.children.size()), owner_(got.items().size(), no_owner) {
    for (std::size_t i = 0; i < n.children.size(); ++i) {
      for (const value& item : got.items()) {
        const answer wrong = ask(n.children[i], item);
        if (wrong && error.empty()) error = wrong->error;
        if (wrong && undecided.empty()) undecided = wrong->undecided;
        fits_[i].push_back(!wrong);
      }
    }
  }

  /// The first matcher that is left without an item; their number when none is.
  std::size_t first_without() {
    for (std::size_t i = 0; i < fits_.size(); ++i) {
      std::vector<bool> tried(owner_.size());
      if (!place(i, tried)) return i;
    }
    return fits_.size();
  }

  std::string error;
  std::string undecided;

 private:
  static constexpr std::size_t no_owner = ~std::size_t{0};

  // Not deeper than there are items.
  bool place(std::size_t one, std::vector<bool>& tried) {
    for (std::size_t item = 0; item < owner_.size(); ++item) {
      if (!fits_[one][item] || tried[item]) continue;
      tried[item] = true;
      if (owner_[item] != no_owner && !place(owner_[item], tried)) continue;
      owner_[item] = one;
      return true;
    }
    return false;
  }

  std::vector<std::vector<bool>> fits_;
  std::vector<std::size_t> owner_;
};

answer check_unordered(const matcher_node& n, const value& got, const child_check& ask) {
  if (!got.is(value_type::list)) return other_kind(n, got, "a list");
  if (got.items().size() != n.children.size() || n.children.size() > unordered_max)
    return unfit(n, fmt::format("{} items, not {}", got.items().size(), n.children.size()));
  pairing pairs(n, got, ask);
  const std::size_t missing = pairs.error.empty() ? pairs.first_without() : 0;
  if (pairs.error.empty() && missing == n.children.size()) return std::nullopt;
  mismatch told = plain_mismatch(n);
  told.error = pairs.error;
  told.undecided = pairs.undecided;
  told.where = n.children[missing].at;
  told.got = fmt::format("no item is left for this one in {}", describe(got, 48));
  return told;
}

}  // namespace

mismatch inside(std::string_view place, mismatch wrong, const value& seen) {
  wrong.got = fmt::format("{}{}", place, wrong.got.empty() ? describe(seen, 48) : wrong.got);
  wrong.expected = fmt::format("{}{}", place, wrong.expected);
  // They count from the part's beginning.
  wrong.expected_data.reset();
  wrong.first_difference.reset();
  return wrong;
}

std::optional<mismatch> check_inside(const matcher_node& n, const value& got, operands with,
                                     const child_check& ask) {
  switch (n.row->shape) {
    case matcher_shape::part:
      return check_part(n, got, with, ask);
    case matcher_shape::bit_range:
      return check_bits(n, got, with, ask);
    case matcher_shape::derived:
      return check_derived(n, got, ask);
    case matcher_shape::paths:
      return check_json(n, got, ask);
    case matcher_shape::items:
      return check_items(n, got, ask);
    case matcher_shape::counted:
      return check_counted(n, got, ask);
    case matcher_shape::unordered:
      return check_unordered(n, got, ask);
    default:
      return check_message(n, got, ask);
  }
}

std::string describe_inside(const matcher_node& n, std::span<const std::string> shown,
                            const std::function<std::string(const matcher_node&)>& describe) {
  const auto child = [&](std::size_t i) { return describe(n.children[i]); };
  switch (n.row->shape) {
    case matcher_shape::part:
      return shown.size() > 1 ? fmt::format("{} octets at {}: {}", shown[1], shown[0], child(0))
                              : fmt::format("at {}: {}", shown[0], child(0));
    case matcher_shape::bit_range:
      return fmt::format("{} bits at {}: {}", shown[1], shown[0], child(0));
    case matcher_shape::counted:
      return fmt::format("{} items that are {}", child(1), child(0));
    case matcher_shape::derived:
    case matcher_shape::items:
      return fmt::format("{}{}", n.row->prefix, child(0));
    default:
      break;
  }
  std::string text;
  for (std::size_t i = 0; i < n.children.size() && i < 12; ++i) {
    if (i > 0) text += ", ";
    if (i < n.paths.size()) text += n.paths[i].text() + ": ";
    text += child(i);
  }
  if (n.row->shape == matcher_shape::unordered) return fmt::format("in any order [{}]", text);
  if (n.layout == nullptr) return fmt::format("JSON with {}", text);
  return fmt::format("a message {}{}{}", n.layout->name, text.empty() ? "" : " with ", text);
}

}  // namespace scenarios
