#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "engine/errno_name.hpp"
#include "engine/flag_sets.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/told_fields.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

struct cqe_word {
  std::string_view name;
  uring::request_kind kind;
};
constexpr cqe_word cqe_words[] = {{"op", uring::request_kind::main},
                                  {"timeout", uring::request_kind::link_timeout},
                                  {"cancel", uring::request_kind::cancel}};

const std::vector<std::string_view>& cqe_flag_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> made;
    for (const uring::flag_name& f : uring::flags::cqe_flags.names) made.push_back(f.name);
    return made;
  }();
  return names;
}

std::vector<std::string_view> outcome_names() {
  std::vector<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(step_outcome::eof); ++i)
    words.push_back(step_outcome_name(static_cast<step_outcome>(i)));
  return words;
}

class expectation_compiler {
 public:
  expectation_compiler(strand_context& in, const step_row& of, const step_body* body)
      : in_(in), out_(in.out()), row_(of), body_(body) {}

  expectation compile(const node& from, bool alternatives_allowed);

 private:
  void compile_text(const node& from, expectation& made);
  void compile_word(const node& from, expectation& made);
  void compile_outcome(const node& from, expectation& made);
  void compile_result(const node& from, expectation& made);
  void compile_object(const node& from, bool alternatives_allowed, expectation& made);
  void compile_any_of(const checked_object& keys, bool allowed, expectation& made);
  void compile_data(const node& data, expectation& made);
  void compile_parts(const node& fields, expectation& made);
  void compile_named_parts(const checked_object& keys, expectation& made);
  void compile_datagrams(const node& list, expectation& made);
  void check_exit(const node& exit);
  void compile_part(const member& part, expectation& made);
  void compile_told(const member& part, expectation& made);
  void compile_submitted(const node& submitted, expectation& made);
  void compile_cqes(const node& list, expectation& made);
  expected_cqe compile_cqe(const node& from);
  const std::vector<told_field>& fields_told();
  bool needs_submission(span at, std::string_view what);
  void warn_impossible(const node& from);

  strand_context& in_;
  diagnostics& out_;
  const step_row& row_;
  const step_body* body_;
  std::optional<std::vector<told_field>> told_;
};

expectation expectation_compiler::compile(const node& from, bool alternatives_allowed) {
  expectation made;
  made.at = from.at();
  made.text = compact_text(from);
  switch (from.kind()) {
    case node_kind::string:
      compile_text(from, made);
      break;
    case node_kind::integer:
      compile_result(from, made);
      break;
    case node_kind::object:
      compile_object(from, alternatives_allowed, made);
      break;
    default:
      out_.error(code::wrong_type, from.at(),
                 fmt::format("an expectation is an outcome, an errno, an integer or an object, not "
                             "{}",
                             from.kind_name()));
  }
  return made;
}

/// An expression may stand for a word, or a number.
void expectation_compiler::compile_text(const node& from, expectation& made) {
  if (from.text().find("${") == std::string::npos) return compile_word(from, made);
  const expression word =
      in_.scope().read(from, value_type::text | value_type::integer, "an expectation");
  if (!word.is_valid()) return;
  if (word.is_constant() && word.constant().is(value_type::text)) {
    compile_word(node(from.at(), word.constant().data()), made);
  } else {
    compile_result(from, made);
  }
}

/// An outcome if it is one, else an errno's name.
void expectation_compiler::compile_word(const node& from, expectation& made) {
  if (const auto outcome = find_step_outcome(from.text())) {
    made.outcome = outcome;
    made.outcome_at = from.at();
    return;
  }
  if (uring::errno_number(from.text()) != 0) return compile_result(from, made);
  std::vector<std::string_view> words = outcome_names();
  const auto errnos = uring::errno_names();
  words.insert(words.end(), errnos.begin(), errnos.end());
  diagnostic& told =
      out_.error(code::unknown_constant, from.at(),
                 fmt::format("{} is neither an outcome nor an errno", in_quotes(from.text())));
  told.help = did_you_mean(from.text(), words);
  if (told.help.empty()) told.help = "data is expected so: { \"data\": … }";
}

void expectation_compiler::compile_outcome(const node& from, expectation& made) {
  made.outcome_at = from.at();
  const std::optional<std::string> name = in_.scope().read_text(from, "an outcome");
  if (!name) return;
  made.outcome = find_step_outcome(*name);
  if (made.outcome) return;
  out_.error(code::unknown_constant, from.at(),
             fmt::format("there is no outcome {}", in_quotes(*name)))
      .help = uring::errno_number(*name) != 0 ? "an errno stands under `res`"
                                              : suggestion(*name, outcome_names());
}

void expectation_compiler::compile_result(const node& from, expectation& made) {
  if (!needs_submission(from.at(), "a result")) return;
  made.res = in_.scope().read_matcher(from, match_domain::result);
  made.res_at = from.at();
  warn_impossible(from);
}

/// Barriers and signals are not submitted: they end, and that is all.
bool expectation_compiler::needs_submission(span at, std::string_view what) {
  if (!row_.opcodes.empty() || row_.is(step_trait::has_result)) return true;
  out_.error(code::modifier_not_allowed, at,
             fmt::format("`{}` submits nothing, so it has no {}", row_.name, what.substr(2)))
      .help = "what can be expected of it is its outcome, and how long it took";
  return false;
}

/// A name that is never an operand of a negative matcher: what the op can't return is a mistake,
/// but perhaps one of our table, so the scenario still runs.
void expectation_compiler::warn_impossible(const node& from) {
  for (const node& item : from.items()) warn_impossible(item);
  for (const member& m : from.members())
    if (m.key == "eq" || m.key == "any" || m.key == "any_of") warn_impossible(m.value);
  if (!from.is(node_kind::string)) return;
  const int number = uring::errno_number(from.text());
  // What is no message of its layout is our word, not the kernel's.
  if (number == EBADMSG && in_.received != nullptr) return;
  scenarios::warn_impossible(out_, row_, from.at(), number);
}

void expectation_compiler::compile_object(const node& from, bool alternatives_allowed,
                                          expectation& made) {
  const checked_object keys(from, keys::expect, out_);
  if (says_nothing(from)) out_.error(code::empty_value, from.at(), "this expects nothing");
  compile_any_of(keys, alternatives_allowed, made);
  if (const node* outcome = keys.find("outcome")) compile_outcome(*outcome, made);
  if (const node* res = keys.find("res")) compile_result(*res, made);
  if (const node* data = keys.find("data")) compile_data(*data, made);
  if (const node* flags = keys.find("flags");
      flags != nullptr && needs_submission(flags->at(), "a completion")) {
    made.flags = in_.scope().read_matcher(*flags, match_domain::flags, cqe_flag_names());
    made.flags_at = flags->at();
  }
  if (const node* took = keys.find("took")) {
    made.took = in_.scope().read_matcher(*took, match_domain::duration);
    made.took_at = took->at();
  }
  if (const node* fields = keys.find("fields")) compile_parts(*fields, made);
  if (const node* submitted = keys.find("submitted")) compile_submitted(*submitted, made);
  if (const node* cqes = keys.find("cqes")) compile_cqes(*cqes, made);
  compile_named_parts(keys, made);
  if (const node* datagrams = keys.find("datagrams")) compile_datagrams(*datagrams, made);
  if (const member* unordered = keys.find_member("unordered")) {
    (keys.has("datagrams") ? made.datagrams_unordered : made.cqes_unordered) =
        unordered->value.boolean();
    if (!keys.has("cqes") && !keys.has("datagrams"))
      out_.error(code::missing_key, unordered->key_at,
                 "\"unordered\" is about \"cqes\" or \"datagrams\"");
  }
}

void expectation_compiler::compile_any_of(const checked_object& keys, bool allowed,
                                          expectation& made) {
  const member* any_of = keys.find_member("any_of");
  if (any_of == nullptr) return;
  if (!allowed) {
    out_.error(code::conflicting_keys, any_of->key_at, "any_of does not stand inside any_of").help =
        "put all of them into one list";
    return;
  }
  for (const member& other : keys.whole().members()) {
    if (other.key == "any_of" || other.key.starts_with("x-")) continue;
    out_.error(code::conflicting_keys, other.key_at,
               fmt::format("{} does not stand beside any_of", in_quotes(other.key)))
        .help = "each entry of any_of is a whole expectation: put it into each";
    break;
  }
  if (any_of->value.items().empty())
    out_.error(code::empty_value, any_of->value.at(), "any_of has no expectation");
  for (const node& item : any_of->value.items()) made.any_of.push_back(compile(item, false));
}

void expectation_compiler::compile_data(const node& data, expectation& made) {
  if (!row_.is(step_trait::yields_data)) {
    out_.error(code::modifier_not_allowed, data.at(),
               fmt::format("`{}` receives no data", row_.name));
    return;
  }
  made.data = in_.scope().read_matcher(data, match_domain::data);
  made.data_at = data.at();
}

void expectation_compiler::compile_parts(const node& fields, expectation& made) {
  if (!needs_submission(fields.at(), "a field")) return;
  if (says_nothing(fields)) out_.error(code::empty_value, fields.at(), "`fields` has no field");
  for (const member& m : fields.members()) {
    if (m.key.starts_with("x-")) continue;
    compile_part(m, made);
  }
}

/// Parts with a word of their own, which are fields of what the step came to.
void expectation_compiler::compile_named_parts(const checked_object& keys, expectation& made) {
  struct named_part {
    std::string_view key;
    match_domain domain;
    std::string_view owner;  // the steps that tell it
  };
  static constexpr std::string_view datagram = "a step that receives one datagram",
                                    program = "`exec` and `wait_exit`";
  static constexpr named_part parts[] = {{"from", match_domain::value, datagram},
                                         {"truncated", match_domain::value, datagram},
                                         {"exit", match_domain::value, program},
                                         {"stdout", match_domain::data, program},
                                         {"stderr", match_domain::data, program}};
  if (const node* exit = keys.find("exit")) check_exit(*exit);
  for (const named_part& part : parts) {
    const node* given = keys.find(part.key);
    if (given == nullptr) continue;
    if (std::ranges::find(fields_told(), part.key, &told_field::name) == fields_told().end()) {
      out_.error(code::modifier_not_allowed, given->at(),
                 fmt::format("{} is a part of {} only", in_quotes(part.key), part.owner));
      continue;
    }
    made.fields.push_back(
        {parse_field_path(part.key).path, in_.scope().read_matcher(*given, part.domain)});
  }
}

/// A constant that no program ends with is a mistake.
void expectation_compiler::check_exit(const node& exit) {
  if (exit.is(node_kind::integer)) {
    check_range(exit.integer(), {0, 255}, exit.at(), "an exit code", out_);
  } else if (exit.is(node_kind::string) && exit.text().find("${") == std::string::npos) {
    read_signal(in_.scope(), exit);
  }
}

void expectation_compiler::compile_datagrams(const node& list, expectation& made) {
  made.datagrams_at = list.at();
  made.datagrams.emplace();
  for (const node& item : list.items()) {
    expected_datagram one;
    one.at = item.at();
    const bool whole = std::ranges::any_of(item.members(), [](const member& m) {
      return find_key(keys::expect_datagram.rows, m.key) != nullptr;
    });
    if (!whole) {
      one.data = in_.scope().read_matcher(item, match_domain::data);
    } else {
      const checked_object keys(item, keys::expect_datagram, out_);
      if (const node* data = keys.find("data"))
        one.data = in_.scope().read_matcher(*data, match_domain::data);
      if (const node* from = keys.find("from"))
        one.from = in_.scope().read_matcher(*from, match_domain::value);
    }
    made.datagrams->push_back(std::move(one));
  }
}

void expectation_compiler::compile_part(const member& part, expectation& made) {
  if (in_.received == nullptr) return compile_told(part, made);
  parsed_path path = read_field_path(*in_.received, part, out_);
  if (!path) return;
  const node wanted = letters_as_numbers(*in_.received, path.path, part.value);
  made.fields.push_back(
      {std::move(path.path), in_.scope().read_matcher(wanted, match_domain::value)});
}

/// Made where something asks for it: most expectations don't.
const std::vector<told_field>& expectation_compiler::fields_told() {
  if (!told_) told_ = body_ != nullptr ? told_fields(row_, *body_) : told_fields(row_);
  return *told_;
}

/// A field that is no message's, but what the kernel or a program told.
void expectation_compiler::compile_told(const member& part, expectation& made) {
  parsed_path path = parse_field_path(part.key);
  if (!path) {
    out_.error(code::bad_path, part.key_at, path.error);
    return;
  }
  const told_field* field =
      find_told(fields_told(), path.path.first_name(), part.key_at, row_, out_);
  if (field == nullptr) return;
  const bool whole = path.path.is_single_name();
  if (whole && !fits_type(*field, part.value)) {
    out_.error(code::wrong_type, part.value.at(),
               fmt::format("{} is {}, and never equals {}", in_quotes(field->name),
                           with_article(field->type), part.value.kind_name()));
    return;
  }
  const bool counts = whole && field->type == value_type::integer;
  made.fields.push_back(
      {std::move(path.path),
       in_.scope().read_matcher(part.value, counts ? match_domain::number : match_domain::value)});
}

void expectation_compiler::compile_submitted(const node& submitted, expectation& made) {
  made.submitted_at = submitted.at();
  if (row_.compile != compile_chain || in_.current_ring() == no_index) {
    out_.error(code::modifier_not_allowed, submitted.at(),
               "only a chain on a private ring knows how many were submitted");
    return;
  }
  made.submitted = in_.scope().read_matcher(submitted, match_domain::number);
}

void expectation_compiler::compile_cqes(const node& list, expectation& made) {
  made.cqes_at = list.at();
  if (!needs_submission(list.at(), "a completion")) return;
  made.cqes.emplace();
  for (const node& item : list.items()) made.cqes->push_back(compile_cqe(item));
}

expected_cqe expectation_compiler::compile_cqe(const node& from) {
  expected_cqe made;
  made.at = from.at();
  const bool whole = std::ranges::any_of(from.members(), [](const member& m) {
    return find_key(keys::expect_cqe.rows, m.key) != nullptr;
  });
  if (!whole) {
    made.res = in_.scope().read_matcher(from, match_domain::result);
    return made;
  }
  const checked_object keys(from, keys::expect_cqe, out_);
  if (const node* id = keys.find("id")) {
    const auto* word = std::ranges::find(cqe_words, id->text(), &cqe_word::name);
    // A member may be called as one of these words is; then it is meant.
    if (row_.compile == compile_chain && in_.is_request(id->text())) {
      made.member = id->text();
    } else if (word != std::end(cqe_words)) {
      made.kind = word->kind;
    } else {
      out_.error(code::unknown_constant, id->at(),
                 fmt::format("a step has no completion called {}", in_quotes(id->text())))
          .help = row_.compile == compile_chain ? "a member's completion has the member's id"
                                                : "it is op, timeout or cancel";
    }
  }
  if (const node* res = keys.find("res"))
    made.res = in_.scope().read_matcher(*res, match_domain::result);
  if (const node* flags = keys.find("flags"))
    made.flags = in_.scope().read_matcher(*flags, match_domain::flags, cqe_flag_names());
  if (const node* buf = keys.find("buf"))
    made.buf = in_.scope().read_matcher(*buf, match_domain::number);
  if (const node* data = keys.find("data"))
    made.data = in_.scope().read_matcher(*data, match_domain::data);
  if (const node* big = keys.find("big"))
    made.big = in_.scope().read_matcher(*big, match_domain::value);
  if (const node* user_data = keys.find("user_data"))
    made.user_data = in_.scope().read_matcher(*user_data, match_domain::number);
  return made;
}

}  // namespace

expectation compile_expectation(strand_context& in, const node& from, const step_row& of,
                                const step_body* body) {
  return expectation_compiler(in, of, body).compile(from, true);
}

}  // namespace scenarios
