#include "scenarios/payload.hpp"

#include <fmt/format.h>

#include "scenarios/builtin.hpp"
#include "scenarios/message_encoder.hpp"
#include "scenarios/payload_tree.hpp"
#include "scenarios/units.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

std::string above(std::uint64_t limit) {
  return fmt::format("the data is above the limit of {}", format_size(limit));
}

/// Puts parts behind each other; visited by append_part.
struct appender {
  std::uint64_t limit;
  const environment& env;
  std::string& bytes;

  bool has_room_for(std::uint64_t more) const {
    return more <= limit && bytes.size() <= limit - more;
  }

  std::string operator()(const std::string& constant) const {
    if (!has_room_for(constant.size())) return above(limit);
    bytes += constant;
    return {};
  }

  std::string operator()(const expression& source) const {
    if (source.is_constant()) return append(source.constant());
    const evaluation made = source.eval(env);
    return made ? append(*made) : made.message();
  }

  std::string append(const value& v) const {
    if (v.is(value_type::data)) return (*this)(v.data());
    if (v.is(value_type::integer | value_type::boolean)) return (*this)(scenarios::describe(v));
    return fmt::format("{} is no data", v.type_name());
  }

  std::string operator()(const repeat_part& repeat) const {
    const evaluation times = repeat.times.eval(env);
    if (!times) return times.message();
    if (times->integer() < 0) return "`times` cannot be negative";
    const evaluation once = repeat.data.eval(env);
    if (!once) return once.message();
    const std::string& data = once->data();
    const auto count = static_cast<std::uint64_t>(times->integer());
    if (data.empty() || count == 0) return {};
    std::uint64_t total = 0;
    if (__builtin_mul_overflow(count, std::uint64_t{data.size()}, &total) || !has_room_for(total))
      return above(limit);
    bytes.reserve(bytes.size() + total);
    for (std::uint64_t i = 0; i < count; ++i) bytes += data;
    return {};
  }

  std::string operator()(const message_part& message) const {
    const evaluation given = message.given.eval(env);
    if (!given) return given.message();
    const encoded_message made = encode_message(*message.layout, *given, limit);
    return made ? (*this)(made.bytes) : made.error;
  }

  std::string operator()(const random_part& random) const {
    const evaluation size = random.size.eval(env);
    if (!size) return size.message();
    const auto wanted = static_cast<std::uint64_t>(size->integer());
    if (!has_room_for(wanted)) return above(limit);
    const evaluation seed = random.seed.eval(env);
    if (!seed) return seed.message();
    if (!seed->is(value_type::integer | value_type::text))
      return fmt::format("a seed is an integer or a label, not {}", seed->type_name());
    bytes += random_bytes(wanted, seed->is(value_type::integer)
                                      ? static_cast<std::uint64_t>(seed->integer())
                                      : env.seed_for(seed->data()));
    return {};
  }
};

const payload_tree& of(const std::shared_ptr<const payload_tree>& tree) {
  static const payload_tree empty;
  return tree != nullptr ? *tree : empty;
}

}  // namespace

std::string append_part(const payload_part& part, std::uint64_t limit, const environment& env,
                        std::string& bytes) {
  return std::visit(appender{limit, env, bytes}, part.source);
}

payload::payload(std::shared_ptr<const payload_tree> tree) : tree_(std::move(tree)) {}

bool payload::is_constant() const {
  const auto& parts = of(tree_).parts;
  return parts.empty() || (parts.size() == 1 && parts[0].constant() != nullptr);
}

std::string_view payload::constant() const {
  const auto& parts = of(tree_).parts;
  return parts.empty() ? std::string_view() : std::string_view(*parts[0].constant());
}

std::span<const slot_ref> payload::reads() const {
  return of(tree_).reads;
}

span payload::at() const {
  return of(tree_).at;
}

evaluation payload::eval(const environment& env) const {
  const payload_tree& tree = of(tree_);
  std::string bytes;
  for (const payload_part& part : tree.parts) {
    std::string error = append_part(part, tree.limit, env, bytes);
    if (!error.empty()) return evaluation::failure(std::move(error));
  }
  return value::bytes(std::move(bytes));
}

std::string payload::describe() const {
  return is_constant() ? describe_data(constant()) : visible(at().text());
}

}  // namespace scenarios
