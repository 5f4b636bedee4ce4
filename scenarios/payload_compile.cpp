// From JSON to payloads: the forms in which data is written.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "scenarios/codec.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/node.hpp"
#include "scenarios/payload_tree.hpp"
#include "scenarios/source.hpp"
#include "scenarios/string_token.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/units.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::string_view data_forms =
    "data is a string, {\"hex\"}, {\"b64\"}, {\"file\"}, {\"random\"}, {\"repeat\"}, "
    "{\"message\"}, or "
    "an array of these";

class file_descriptor {
 public:
  explicit file_descriptor(int number) : number_(number) {}
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

class payload_compiler {
 public:
  payload_compiler(name_resolver& names, const payload_context& context, diagnostics& out)
      : names_(names), context_(context), out_(out) {}

  void compile(const node& from);
  payload finish(span at);

 private:
  using form = void (payload_compiler::*)(const node&);
  struct form_row {
    std::string_view key;
    form compile;
  };
  static const form_row forms[];

  void compile_string(const node& from);
  void compile_object(const node& from);
  void compile_hex(const node& from) { compile_coded(from, from_hex); }
  void compile_b64(const node& from) { compile_coded(from, from_base64); }
  void compile_coded(const node& from, decoded (*decode)(std::string_view));
  void compile_file(const node& from);
  void compile_random(const node& from);
  void compile_repeat(const node& from);
  void compile_message(const node& from);

  const node* required(const node& from, std::string_view form, std::string_view key);
  bool check_keys(const node& from, std::span<const std::string_view> known);
  void append(std::string constant, span at);
  void append(payload_part part, std::span<const slot_ref> reads);
  void append_made(payload_part part, bool known, span at, std::span<const slot_ref> reads);
  bool within_limit(std::uint64_t more, span at);
  bool may_read(const node& from, const std::filesystem::path& path);
  bool refuse_outside(const node& from, const std::filesystem::path& path);
  void read_file(const node& from, const std::filesystem::path& path);

  name_resolver& names_;
  const payload_context& context_;
  diagnostics& out_;
  std::uint64_t known_size_ = 0;  // of constant parts
  std::shared_ptr<payload_tree> tree_ = std::make_shared<payload_tree>();
};

const payload_compiler::form_row payload_compiler::forms[] = {
    {"hex", &payload_compiler::compile_hex},       {"b64", &payload_compiler::compile_b64},
    {"file", &payload_compiler::compile_file},     {"random", &payload_compiler::compile_random},
    {"repeat", &payload_compiler::compile_repeat},
};

constexpr std::string_view form_keys[] = {"hex", "b64", "file", "random", "repeat", "message"};

void payload_compiler::compile(const node& from) {
  switch (from.kind()) {
    case node_kind::string:
      return compile_string(from);
    case node_kind::array:
      for (const node& part : from.items()) compile(part);
      return;
    case node_kind::object:
      return compile_object(from);
    default:
      out_.error(code::wrong_type, from.at(),
                 fmt::format("expected data, found {}", from.kind_name()))
          .help = data_forms;
  }
}

void payload_compiler::compile_string(const node& from) {
  constexpr value_type accepted = value_type::data | value_type::integer | value_type::boolean;
  expression made = compile_typed(from, accepted, "data", names_, out_);
  if (!made.is_valid()) return;
  if (made.is_constant() && made.constant().is(value_type::data))
    return append(made.constant().data(), from.at());
  if (made.is_constant()) return append(describe(made.constant()), from.at());
  append(payload_part{made}, made.reads());
}

void payload_compiler::compile_object(const node& from) {
  const auto is_form = [](const member& m) { return is_payload_key(m.key); };
  const auto key = std::ranges::find_if(from.members(), is_form);
  if (key == from.members().end()) {
    const span at = from.members().empty() ? from.at() : from.members()[0].key_at;
    diagnostic& told = out_.error(code::unknown_key, at, "this object is no data");
    told.help = from.members().empty() ? "" : did_you_mean(from.members()[0].key, form_keys);
    if (told.help.empty()) told.help = data_forms;
    return;
  }
  // What stands beside a message's name are its fields.
  if (from.find("message") != nullptr) return compile_message(from);
  const std::string_view only[] = {key->key};
  if (!check_keys(from, only)) return;
  const auto* row = std::ranges::find(forms, key->key, &form_row::key);
  (this->*row->compile)(key->value);
}

void payload_compiler::compile_coded(const node& from, decoded (*decode)(std::string_view)) {
  if (!from.is(node_kind::string)) {
    out_.error(code::wrong_type, from.at(),
               fmt::format("expected a string, found {}", from.kind_name()));
    return;
  }
  decoded made = decode(from.text());
  if (!made) {
    out_.error(code::bad_encoding, inside_string(from, made.begin, made.end), made.error).help =
        has_hole(from.text()) ? "for what is computed, write \"${unhex(…)}\" or \"${unb64(…)}\""
                              : "";
    return;
  }
  append(std::move(made.bytes), from.at());
}

void payload_compiler::compile_message(const node& from) {
  std::optional<message_part> part = compile_message_data(from, names_, context_, out_);
  if (!part) return;
  std::vector<slot_ref> reads;
  part->given.collect_reads(reads);
  const bool known = part->given.is_constant();
  append_made(payload_part{*std::move(part)}, known, from.at(), reads);
}

void payload_compiler::compile_repeat(const node& from) {
  constexpr std::string_view keys[] = {"data", "times"};
  if (!check_keys(from, keys)) return;
  const node* data = required(from, "repeat", "data");
  const node* times = required(from, "repeat", "times");
  if (data == nullptr || times == nullptr) return;
  repeat_part part{compile_payload(*data, names_, context_, out_),
                   compile_amount(*times, amount_kind::integer, "`times`", names_, out_)};
  if (part.times.is_constant() && part.times.constant() < 0) {
    out_.error(code::value_out_of_range, times->at(), "`times` cannot be negative");
    return;
  }
  std::vector<slot_ref> reads(part.data.reads().begin(), part.data.reads().end());
  reads.insert(reads.end(), part.times.reads().begin(), part.times.reads().end());
  const bool known = part.data.is_constant() && part.times.is_constant();
  append_made(payload_part{std::move(part)}, known, from.at(), reads);
}

void payload_compiler::compile_random(const node& from) {
  constexpr std::string_view keys[] = {"len", "seed"};
  if (!check_keys(from, keys)) return;
  const node* size = required(from, "random", "len");
  if (size == nullptr) return;
  random_part part{compile_amount(*size, amount_kind::size, "`len`", names_, out_),
                   expression(value::text(""))};
  constexpr value_type seeds = value_type::integer | value_type::text;
  if (const node* seed = from.find("seed"); seed != nullptr)
    part.seed = compile_typed(*seed, seeds, "`seed`", names_, out_);
  std::vector<slot_ref> reads(part.size.reads().begin(), part.size.reads().end());
  reads.insert(reads.end(), part.seed.reads().begin(), part.seed.reads().end());
  const bool known = part.size.is_constant() && part.seed.is_constant() &&
                     part.seed.constant().is(value_type::integer);
  append_made(payload_part{std::move(part)}, known, from.at(), reads);
}

void payload_compiler::compile_file(const node& from) {
  const expression path = compile_typed(from, value_type::text, "`file`", names_, out_);
  if (!path.is_valid()) return;
  if (!path.is_constant()) {
    out_.error(code::not_yet_available, from.at(), "`file` is read before anything runs").help =
        "a `read_file` step reads one while the scenario runs";
    return;
  }
  const std::string& name = path.constant().data();
  if (!is_file_name(name)) {
    out_.error(code::file_not_found, from.at(), "this is no file name");
    return;
  }
  const std::filesystem::path full = path_of_file(context_, from, name);
  if (may_read(from, full)) read_file(from, full);
}

bool payload_compiler::may_read(const node& from, const std::filesystem::path& path) {
  if (!context_.confined) return true;
  std::error_code failed;
  const auto home = std::filesystem::canonical(
      context_.directory.empty() ? std::filesystem::path(".") : context_.directory, failed);
  if (failed) return refuse_outside(from, path);
  const auto real = std::filesystem::weakly_canonical(path, failed);
  const auto [end_of_home, rest] =
      std::mismatch(home.begin(), home.end(), real.begin(), real.end());
  return (!failed && end_of_home == home.end()) || refuse_outside(from, path);
}

bool payload_compiler::refuse_outside(const node& from, const std::filesystem::path& path) {
  out_.error(
      code::sandbox_forbids, from.at(),
      fmt::format("the file {} is outside the scenario's directory", in_quotes(path.native())));
  return false;
}

/// Regular files only: a pipe could block the load, and /dev/zero has no end.
void payload_compiler::read_file(const node& from, const std::filesystem::path& path) {
  const auto refuse = [&](code id, std::string_view why) {
    out_.error(id, from.at(), fmt::format("{}: {}", in_quotes(path.native()), why));
  };
  const file_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.number() < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return refuse(missing ? code::file_not_found : code::file_not_readable, std::strerror(errno));
  }
  struct stat about{};
  if (::fstat(file.number(), &about) != 0 || !S_ISREG(about.st_mode))
    return refuse(code::not_a_file, "not a regular file");
  const auto size = static_cast<std::uint64_t>(about.st_size);
  if (size > context_.limit || size > context_.budget->read) {
    const std::uint64_t limit = std::min(context_.limit, context_.budget->read);
    return refuse(code::value_out_of_range, fmt::format("{} is more than may still be read, {}",
                                                        format_size(size), format_size(limit)));
  }
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.number(), bytes.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse(code::file_not_readable, std::strerror(errno));
    if (got == 0) break;  // it became shorter
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  context_.budget->read -= done;
  if (context_.read_files != nullptr) context_.read_files->push_back(path.native());
  append(std::move(bytes), from.at());
}

bool payload_compiler::check_keys(const node& from, std::span<const std::string_view> known) {
  if (!from.is(node_kind::object)) {
    out_.error(code::wrong_type, from.at(),
               fmt::format("expected an object with {}, found {}", fmt::join(known, " and "),
                           from.kind_name()));
    return false;
  }
  bool good = true;
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-") || std::ranges::find(known, m.key) != known.end()) continue;
    out_.error(code::unknown_key, m.key_at, fmt::format("unknown key {}", in_quotes(m.key))).help =
        suggestion(m.key, known);
    good = false;
  }
  return good;
}

const node* payload_compiler::required(const node& from, std::string_view form,
                                       std::string_view key) {
  const node* found = from.find(key);
  if (found == nullptr)
    out_.error(code::missing_key, from.at(), fmt::format("`{}` needs `{}`", form, key));
  return found;
}

void payload_compiler::append(std::string constant, span at) {
  if (!within_limit(constant.size(), at)) return;
  if (tree_->parts.empty() || tree_->parts.back().constant() == nullptr) {
    tree_->parts.push_back({std::move(constant)});
  } else {
    std::get<std::string>(tree_->parts.back().source) += constant;
  }
}

/// All constant data together, so that what can only fail is refused at load.
bool payload_compiler::within_limit(std::uint64_t more, span at) {
  if (more <= context_.limit && known_size_ <= context_.limit - more) {
    known_size_ += more;
    return true;
  }
  out_.error(code::value_out_of_range, at,
             fmt::format("the data is above the limit of {}", format_size(context_.limit)));
  return false;
}

/// Data that is made by a rule: now if all is known and the budget allows, else by each eval.
void payload_compiler::append_made(payload_part part, bool known, span at,
                                   std::span<const slot_ref> reads) {
  if (known) {
    const std::uint64_t left = context_.budget->generated;
    const std::uint64_t limit = std::min(context_.limit, left);
    std::string bytes;
    const std::string error = append_part(part, limit, no_environment(), bytes);
    if (error.empty()) {
      context_.budget->generated -= bytes.size();
      return append(std::move(bytes), at);
    }
    if (left >= context_.limit) {
      out_.error(code::value_out_of_range, at, error);
      return;
    }
  }
  append(std::move(part), reads);
}

void payload_compiler::append(payload_part part, std::span<const slot_ref> reads) {
  tree_->parts.push_back(std::move(part));
  tree_->reads.insert(tree_->reads.end(), reads.begin(), reads.end());
}

payload payload_compiler::finish(span at) {
  auto& reads = tree_->reads;
  std::ranges::sort(reads);
  const auto repeated = std::ranges::unique(reads);
  reads.erase(repeated.begin(), repeated.end());
  tree_->at = at;
  tree_->limit = context_.limit;
  return payload(std::move(tree_));
}

}  // namespace

payload compile_payload(const node& from, name_resolver& names, const payload_context& context,
                        diagnostics& out) {
  const std::size_t errors = out.error_count();
  payload_compiler compiler(names, context, out);
  compiler.compile(from);
  return out.error_count() == errors ? compiler.finish(from.at()) : payload();
}

// Relative to the file that names it, which may be an included one.
std::filesystem::path path_of_file(const payload_context& context, const node& from,
                                   const std::string& name) {
  const source* in = context.by_source ? from.at().in : nullptr;
  return (in != nullptr ? std::filesystem::path(in->name()).parent_path() : context.directory) /
         name;
}

std::span<const std::string_view> payload_keys() {
  return form_keys;
}

bool is_payload_key(std::string_view key) {
  return std::ranges::find(form_keys, key) != std::end(form_keys);
}

}  // namespace scenarios
