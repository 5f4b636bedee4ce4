#include "scenarios/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

/// Constants are copied to where they are used; a hostile file must not fill the memory with them.
constexpr std::size_t constant_bytes_max = std::size_t{256} << 20;
constexpr std::size_t name_bytes_max = 200;

constexpr std::string_view reserved_names[] = {"actor",    "and",  "case", "false", "matrix",
                                               "not",      "null", "or",   "port",  "setup",
                                               "teardown", "tmp",  "true"};

struct handle_word {
  std::string_view name;
  handle_value what;
  value_type type;
};
constexpr handle_word handle_words[] = {
    {"fd", handle_value::fd, value_type::integer},
    {"addr", handle_value::addr, value_type::text},
    {"local", handle_value::local, value_type::text},
    {"peer", handle_value::peer, value_type::text},
    {"port", handle_value::port, value_type::integer},
    {"slot", handle_value::slot, value_type::integer},
    {"pid", handle_value::pid, value_type::integer},
    {"tls_version", handle_value::tls_version, value_type::text},
    {"cipher", handle_value::cipher, value_type::text},
    {"alpn", handle_value::alpn, value_type::text},
    {"peer_cn", handle_value::peer_cn, value_type::text},
    {"server_name", handle_value::server_name, value_type::text}};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_word(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}

}  // namespace

bool is_reserved_name(std::string_view name) {
  return std::ranges::find(reserved_names, name) != std::end(reserved_names);
}

bool check_name(std::string_view text, span at, std::string_view what, diagnostics& out) {
  const bool fits = !text.empty() && text.size() <= name_bytes_max && is_letter(text.front()) &&
                    std::ranges::all_of(text, is_word);
  if (!fits) {
    out.error(code::bad_name, at, fmt::format("{} is not a name for {}", in_quotes(text, 60), what))
        .help = "names begin with a letter or _ and go on with letters, digits, _ and -";
  } else if (is_reserved_name(text)) {
    out.error(code::bad_name, at,
              fmt::format("{} has a meaning of its own, so {} can't be called so", in_quotes(text),
                          what));
    return false;
  }
  return fits;
}

bool check_words(std::string_view text, span at, std::string_view what, diagnostics& out) {
  const bool fits = !text.empty() && text.size() <= name_bytes_max && visible(text) == text;
  if (!fits) {
    out.error(code::bad_name, at, fmt::format("{} can't name {}", in_quotes(text, 60), what)).help =
        fmt::format("use 1 to {} printable characters", name_bytes_max);
  }
  return fits;
}

std::optional<handle_value> find_handle_value(std::string_view name) {
  const auto* found = std::ranges::find(handle_words, name, &handle_word::name);
  if (found == std::end(handle_words)) return std::nullopt;
  return found->what;
}

// ---- One strand --------------------------------------------------------------------------------

strand_names::strand_names(name_table& all, std::string owner, bool publishes, bool has_index,
                           strand_plan& into)
    : all_(all),
      owner_(std::move(owner)),
      publishes_(publishes),
      has_index_(has_index),
      into_(into),
      blocks_(1) {}

declared_name& strand_names::declare(const std::string& name, name_kind kind, value_type type,
                                     span at) {
  declared_name made;
  made.kind = kind;
  made.type = type;
  made.at = at;
  if (kind == name_kind::descriptor) {
    made.index = add_unnamed_handle(name);
  } else {
    made.index = add_local();
    if (kind == name_kind::value && publishes_ && is_outermost())
      made.shared = all_.add_shared(owner_ + '.' + name);
  }
  return blocks_.back().insert_or_assign(name, made).first->second;
}

declared_name& strand_names::declare_collection(const std::string& name, span at) {
  declared_name made;
  made.kind = name_kind::collection;
  made.type = value_type::list;
  made.at = at;
  made.ready = true;  // empty before anything was added
  made.index = add_local();
  // A server publishes the lists of its handlers as one.
  if (publishes_ || !has_index_) made.shared = all_.add_shared(owner_ + '.' + name);
  into_.lists.push_back(made.target());
  return blocks_.front().insert_or_assign(name, made).first->second;
}

std::uint32_t strand_names::add_unnamed_handle(std::string_view shown) {
  into_.handles.emplace_back(shown);
  return static_cast<std::uint32_t>(into_.handles.size() - 1);
}

const macro_argument* strand_names::find_argument(std::string_view name) const {
  if (arguments_.empty()) return nullptr;
  const auto found = arguments_.back().find(name);
  return found == arguments_.back().end() ? nullptr : &found->second;
}

declared_name* strand_names::find(std::string_view name) {
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    if (const auto found = block->find(name); found != block->end()) return &found->second;
  }
  return nullptr;
}

const declared_name* strand_names::find_published(std::string_view name) const {
  if (!publishes_) return nullptr;
  const auto found = blocks_.front().find(name);
  return found == blocks_.front().end() ? nullptr : &found->second;
}

name_target strand_names::property(std::uint32_t handle, handle_value what, bool published) {
  const auto [known, added] = properties_.emplace(std::pair(handle, what), into_.properties.size());
  if (added) into_.properties.push_back({handle, what, {add_local(), no_index}});
  name_target& to = into_.properties[known->second].to;
  if (published && to.shared == no_index) {
    const auto* word = std::ranges::find(handle_words, what, &handle_word::what);
    to.shared = all_.add_shared(fmt::format("{}.{}.{}", owner_, into_.handles[handle], word->name));
  }
  return to;
}

std::uint32_t strand_names::index_slot() {
  if (into_.index_slot == no_index) into_.index_slot = add_local();
  return into_.index_slot;
}

std::vector<std::string> strand_names::ready_descriptors() const {
  std::vector<std::string> names;
  for (const block_names& block : blocks_) {
    for (const auto& [name, known] : block)
      if (known.kind == name_kind::descriptor && known.ready) names.push_back(name);
  }
  return names;
}

std::vector<std::string> strand_names::words() const {
  std::vector<std::string> names;
  if (!arguments_.empty())
    for (const auto& [name, argument] : arguments_.back()) names.push_back(name);
  for (const block_names& block : blocks_) {
    for (const auto& [name, known] : block) {
      if (known.kind != name_kind::descriptor) {
        names.push_back(name);
        continue;
      }
      for (const handle_word& word : handle_words)
        names.push_back(fmt::format("{}.{}", name, word.name));
    }
  }
  return names;
}

std::vector<std::string> strand_names::published_words() const {
  std::vector<std::string> names;
  if (!publishes_) return names;
  for (const auto& [name, known] : blocks_.front()) {
    if (known.kind == name_kind::value || known.kind == name_kind::collection)
      names.push_back(fmt::format("{}.{}", owner_, name));
    if (known.kind != name_kind::descriptor) continue;
    for (const handle_word& word : handle_words)
      names.push_back(fmt::format("{}.{}.{}", owner_, name, word.name));
  }
  return names;
}

// ---- All of them -------------------------------------------------------------------------------

std::uint32_t name_table::add_shared(std::string shown) {
  const std::uint32_t slot = into_.shared_slots++;
  into_.shared_names.emplace_back(slot, std::move(shown));
  return slot;
}

std::uint32_t name_table::port_slot(std::string_view name) {
  if (const auto found = ports_.find(name); found != ports_.end()) return found->second;
  const std::uint32_t slot = add_shared(fmt::format("port.{}", name));
  into_.ports.emplace_back(std::string(name), name_target{no_index, slot});
  ports_.emplace(name, slot);
  return slot;
}

name_target name_table::add_secret(const std::string& name) {
  const std::uint32_t slot = add_shared(name);
  secrets_.emplace(name, slot);
  return {no_index, slot};
}

std::optional<std::uint32_t> name_table::find_secret(std::string_view name) const {
  const auto found = secrets_.find(name);
  return found == secrets_.end() ? std::nullopt : std::optional(found->second);
}

std::uint32_t name_table::tmp_slot() {
  if (!into_.tmp_slot) into_.tmp_slot = add_shared("tmp");
  return *into_.tmp_slot;
}

const value* name_table::find_var(std::string_view name) const {
  const auto found = vars_.find(name);
  return found == vars_.end() ? nullptr : &found->second;
}

strand_names& name_table::add_strand(std::string owner, bool publishes, bool has_index,
                                     strand_plan& into) {
  return strands_.emplace_back(*this, std::move(owner), publishes, has_index, into);
}

named_party& name_table::add_party(named_party made) {
  party_by_name_.emplace(made.name, parties_.size());
  return parties_.emplace_back(std::move(made));
}

named_party* name_table::find_party(std::string_view name) {
  const auto found = party_by_name_.find(name);
  return found == party_by_name_.end() ? nullptr : &parties_[found->second];
}

bool name_table::admit_constant(const value& used) {
  constant_bytes_ += used.footprint();
  return constant_bytes_ <= constant_bytes_max;
}

}  // namespace scenarios
