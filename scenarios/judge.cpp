#include "scenarios/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/errno_name.hpp"
#include "engine/flag_sets.hpp"
#include "scenarios/step_table.hpp"
#include "scenarios/units.hpp"

namespace scenarios {
namespace {

std::string res_text(std::int64_t res) {
  const char* name = res < 0 ? uring::errno_name(static_cast<int>(-res)) : nullptr;
  return name != nullptr ? std::string(name) : std::to_string(res);
}

value flags_value(std::uint32_t flags) {
  value::list_type names;
  for (std::string& name : uring::flag_names(uring::flags::cqe_flags, flags & 0xffffU)) {
    names.push_back(value::text(std::move(name)));
  }
  return value::list(std::move(names));
}

// What came, in one phrase: the label beside the caret.
std::string got(const step_end& end) {
  std::string text;
  if (end.outcome == step_outcome::eof) {
    text = "the end of the stream";
  } else if (end.res < 0) {
    text = res_text(end.res);
  } else {
    text = std::to_string(end.res);
  }
  if (end.data && !end.data->empty()) text += ": " + describe_data(*end.data, 40);
  if (end.outcome != step_outcome::ok && end.outcome != step_outcome::error &&
      end.outcome != step_outcome::eof) {
    text += fmt::format(" ({})", step_outcome_name(end.outcome));
  }
  return text;
}

class judge {
 public:
  judge(const step_plan& step, const step_end& end,
        const std::vector<completion_event>& completions, uring::duration elapsed,
        const match_context& context, const std::shared_ptr<const source>& text, bool bless)
      : step_(step),
        end_(end),
        completions_(completions),
        elapsed_(elapsed),
        context_(context),
        text_(text),
        bless_(bless) {}

  judgement run() {
    judgement all;
    if (!step_.expect) {
      if (!end_.natural) all.failures.push_back(natural_failure());
    } else {
      check(*step_.expect, all);
    }
    all.passed = all.failures.empty();
    return all;
  }

 private:
  diagnostic make(code id, span where, std::string message, std::string label) {
    diagnostic made;
    made.id = id;
    made.where = where;
    made.keeps = text_;
    made.message = std::move(message);
    made.label = std::move(label);
    if (!end_.detail.empty()) made.notes.push_back(end_.detail);
    return made;
  }

  diagnostic natural_failure() {
    const bool timed_out = end_.outcome == step_outcome::timed_out;
    const code id = end_.failed_as.value_or(timed_out ? code::step_timed_out : code::step_failed);
    diagnostic made = make(id, step_.op_at,
                           timed_out ? fmt::format("{} timed out", step_.op)
                                     : fmt::format("{} did not succeed", step_.op),
                           "got " + got(end_));
    const step_row* row = find_step(step_.op);
    made.help = row != nullptr && !row->allows(modifier::expect)
                    ? fmt::format("`{}` has no `expect`: what it waits for must come", step_.op)
                    : std::string("if this is what should happen, say so with `expect`");
    return made;
  }

  void check(const expectation& wanted, judgement& all) {
    if (!wanted.any_of.empty()) {
      check_any(wanted, all);
      return;
    }
    if (wanted.outcome && *wanted.outcome != end_.outcome) {
      all.failures.push_back(
          make(code::outcome_differs, wanted.outcome_at,
               fmt::format("outcome differs: expected {}", step_outcome_name(*wanted.outcome)),
               "got " + got(end_)));
    }
    if (wanted.res && !is_blessed(*wanted.res, value(end_.res), all)) {
      check_part(*wanted.res, value(end_.res), code::result_differs, "result differs",
                 wanted.res_at, "got " + got(end_), all);
    }
    // Bytes that should have come and a step that failed are one failure, not two.
    const bool spoken_for = wanted.outcome || wanted.res || wanted.cqes || wanted.submitted;
    if (!spoken_for && !end_.natural) {
      all.failures.push_back(natural_failure());
      return;
    }
    if (wanted.data) check_data(wanted, all);
    if (wanted.flags) {
      check_part(*wanted.flags, flags_value(end_.flags), code::completions_differ, "flags differ",
                 wanted.flags_at, "got " + describe(flags_value(end_.flags)), all);
    }
    if (wanted.took) check_took(wanted, all);
    for (const expected_field& field : wanted.fields) check_field(field, all);
    if (wanted.submitted) {
      const std::int64_t came = end_.submitted.value_or(0);
      check_part(*wanted.submitted, value(came), code::result_differs, "submitted differs",
                 wanted.submitted_at, "got " + res_text(came), all);
    }
    if (wanted.cqes) check_cqes(wanted, all);
    if (wanted.datagrams) check_datagrams(wanted, all);
  }

  bool fits(const expected_datagram& wanted, const received_datagram& came) const {
    if (wanted.from && !fits(*wanted.from, value::text(came.from))) return false;
    return !wanted.data || fits(*wanted.data, value::bytes(came.data));
  }

  // Finds a datagram for what is expected, sending those away that fit elsewhere, too.
  bool find_datagram(const std::vector<expected_datagram>& list, std::size_t which,
                     std::vector<std::size_t>& taken, std::vector<bool>& tried) const {
    for (std::size_t j = 0; j < taken.size(); ++j) {
      if (tried[j] || !fits(list[which], (*end_.datagrams)[j])) continue;
      tried[j] = true;
      if (taken[j] < list.size() && !find_datagram(list, taken[j], taken, tried)) continue;
      taken[j] = which;
      return true;
    }
    return false;
  }

  void check_datagrams(const expectation& wanted, judgement& all) {
    static const std::vector<received_datagram> none;
    const std::vector<expected_datagram>& list = *wanted.datagrams;
    const std::vector<received_datagram>& came = end_.datagrams ? *end_.datagrams : none;
    std::string label = fmt::format("got {}", came.size());
    for (std::size_t i = 0; i < came.size(); ++i)
      label += fmt::format("{} {}", i == 0 ? ":" : ",", describe_data(came[i].data, 24));
    if (list.size() != came.size()) {
      all.failures.push_back(make(code::data_differs, wanted.datagrams_at,
                                  fmt::format("datagrams differ: expected {}", list.size()),
                                  label));
      return;
    }
    std::vector<std::size_t> taken(came.size(), list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      std::vector<bool> tried(came.size());
      const bool found = wanted.datagrams_unordered ? find_datagram(list, i, taken, tried)
                                                    : fits(list[i], came[i]);
      if (found) continue;
      all.failures.push_back(
          make(code::data_differs, list[i].at,
               wanted.datagrams_unordered
                   ? "datagrams differ: none is left that fits this"
                   : fmt::format("datagrams differ: number {} is another one", i + 1),
               wanted.datagrams_unordered
                   ? label
                   : fmt::format("got {} from {}", describe_data(came[i].data, 48), came[i].from)));
      return;
    }
  }

  /// What differs from a plain value because something else was there, not because it was late.
  bool is_blessed(const matcher& wanted, const value& found, judgement& all) {
    const bool came = end_.outcome == step_outcome::ok || end_.outcome == step_outcome::eof ||
                      end_.outcome == step_outcome::error;
    if (!bless_ || !came || !wanted.check(found, context_)) return false;
    std::optional<blessing> made = bless(wanted, found);
    if (!made) return false;
    all.blessings.push_back(*std::move(made));
    return true;
  }

  void check_any(const expectation& wanted, judgement& all) {
    // Which of the alternatives should be another, nobody knows.
    bless_ = false;
    std::string tried;
    for (const expectation& each : wanted.any_of) {
      judgement one;
      check(each, one);
      if (one.failures.empty()) {
        all.took = one.took;
        return;
      }
      if (!tried.empty()) tried += "; ";
      tried += each.text;
    }
    all.failures.push_back(make(code::result_differs, wanted.at,
                                "none of the alternatives came: " + tried, "got " + got(end_)));
  }

  bool check_part(const matcher& wanted, const value& found, code id, std::string_view message,
                  span where, std::string label, judgement& all) {
    const std::optional<mismatch> wrong = wanted.check(found, context_);
    if (!wrong) return true;
    if (!wrong->got.empty()) label = "got " + wrong->got;
    const std::string text = wrong->error.empty()
                                 ? fmt::format("{}: expected {}", message, wrong->expected)
                                 : fmt::format("{}: {}", message, wrong->error);
    all.failures.push_back(make(wrong->error.empty() ? id : code::evaluation_failed,
                                wrong->where.in != nullptr ? wrong->where : where, text,
                                std::move(label)));
    return false;
  }

  void check_data(const expectation& wanted, judgement& all) {
    const std::string data = end_.data.value_or(std::string());
    const std::optional<mismatch> wrong = wanted.data->check(value::bytes(data), context_);
    if (!wrong || is_blessed(*wanted.data, value::bytes(data), all)) return;
    diagnostic made = make(wrong->error.empty() ? code::data_differs : code::evaluation_failed,
                           wrong->where.in != nullptr ? wrong->where : wanted.data_at,
                           wrong->error.empty() ? "data differs: expected " + wrong->expected
                                                : "data differs: " + wrong->error,
                           "got " + (wrong->got.empty() ? describe_data(data, 48) : wrong->got));
    all.expected_data = wrong->expected_data;
    if (wrong->first_difference) {
      made.notes.push_back(
          fmt::format("the first difference is at byte {}", *wrong->first_difference));
    }
    all.failures.push_back(std::move(made));
  }

  void check_field(const expected_field& wanted, judgement& all) {
    static const value nothing;
    const value* found = end_.fields ? wanted.path.find(*end_.fields) : nullptr;
    const value& came = found != nullptr ? *found : nothing;
    const std::string_view none =
        end_.is_message ? "the message has no such field" : "there is no such field";
    check_part(wanted.is, came, code::fields_differ, fmt::format("{} differs", wanted.path.text()),
               wanted.is.at(), found != nullptr ? "got " + describe(came) : std::string(none), all);
  }

  void check_took(const expectation& wanted, judgement& all) {
    const std::optional<mismatch> wrong =
        wanted.took->check(value(std::int64_t{elapsed_.count()}), context_);
    all.took = timing::in_window;
    if (!wrong) return;
    // Early or late is stable, the number is not.
    all.took = wrong->side == miss_side::below ? timing::early : timing::late;
    diagnostic made =
        make(code::timing_differs, wrong->where.in != nullptr ? wrong->where : wanted.took_at,
             fmt::format("{}: expected {}",
                         all.took == timing::late ? "it took too long" : "it was too quick",
                         wrong->expected),
             "took " + format_elapsed(elapsed_));
    all.failures.push_back(std::move(made));
  }

  void check_cqes(const expectation& wanted, judgement& all) {
    const std::vector<expected_cqe>& list = *wanted.cqes;
    const std::vector<completion_event>& came = completions_;
    bool fits = list.size() == came.size();
    std::vector<bool> used(came.size());
    for (std::size_t i = 0; fits && i < list.size(); ++i) {
      if (!wanted.cqes_unordered) {
        fits = matches(list[i], came[i]);
        continue;
      }
      fits = false;
      for (std::size_t j = 0; j < came.size() && !fits; ++j) {
        if (!used[j] && matches(list[i], came[j])) used[j] = fits = true;
      }
    }
    if (fits) return;
    std::string label = "got ";
    for (std::size_t i = 0; i < came.size(); ++i) {
      if (i != 0) label += " ; ";
      label += fmt::format("{}:{}", came[i].member.empty() ? came[i].op : came[i].member,
                           res_text(came[i].res));
      const std::vector<std::string> names =
          uring::flag_names(uring::flags::cqe_flags, came[i].flags & 0xffffU);
      if (!names.empty()) label += fmt::format("[{}]", fmt::join(names, " "));
    }
    if (came.empty()) label += "none";
    all.failures.push_back(
        make(code::completions_differ, wanted.cqes_at, "completions differ", std::move(label)));
  }

  bool matches(const expected_cqe& wanted, const completion_event& came) const {
    if (wanted.kind && *wanted.kind != came.kind) return false;
    if (!wanted.member.empty() && wanted.member != came.member) return false;
    if (wanted.buf && !fits(*wanted.buf, came.buffer ? value(std::int64_t{*came.buffer}) : value()))
      return false;
    if (wanted.data && !fits(*wanted.data, value::bytes(came.data.value_or("")))) return false;
    if (wanted.user_data &&
        !fits(*wanted.user_data, value(static_cast<std::int64_t>(came.user_data.value_or(0)))))
      return false;
    if (wanted.big && !fits(*wanted.big, big_value(came))) return false;
    if (wanted.res && wanted.res->check(value(std::int64_t{came.res}), context_)) return false;
    return !wanted.flags || !wanted.flags->check(flags_value(came.flags), context_);
  }

  bool fits(const matcher& wanted, const value& came) const {
    return !wanted.check(came, context_);
  }
  static value big_value(const completion_event& came) {
    if (!came.big) return {};
    value::list_type both;
    for (const std::uint64_t each : *came.big) both.emplace_back(static_cast<std::int64_t>(each));
    return value::list(std::move(both));
  }

  const step_plan& step_;
  const step_end& end_;
  const std::vector<completion_event>& completions_;
  const uring::duration elapsed_;
  const match_context& context_;
  const std::shared_ptr<const source>& text_;
  bool bless_;
};

}  // namespace

judgement judge_step(const step_plan& step, const step_end& end,
                     const std::vector<completion_event>& completions, uring::duration elapsed,
                     const match_context& context, const std::shared_ptr<const source>& text,
                     bool bless) {
  return judge(step, end, completions, elapsed, context, text, bless).run();
}

}  // namespace scenarios
