// How a scenario is run and told about, rather than what it does: retries, xfail, locks, tolerance,
// redact, secrets.

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t retries_max = 100;
constexpr double tolerance_max = 1000;

void compile_locks(const node& from, plan& into, diagnostics& out) {
  for (const node& lock : from.items()) {
    if (!check_type(lock, json::string, "a lock", out) ||
        !check_words(lock.text(), lock.at(), "a lock", out))
      continue;
    if (std::ranges::find(into.locks, lock.text()) == into.locks.end())
      into.locks.push_back(lock.text());
  }
}

void compile_tolerance(const node& from, plan& into, diagnostics& out) {
  const double factor = from.real();
  if (factor < 1 || factor > tolerance_max) {
    out.error(code::value_out_of_range, from.at(),
              fmt::format("\"tolerance\" is from 1 to {}", tolerance_max))
        .help = "upper bounds of times are multiplied by it; lower bounds are exact";
  } else {
    into.tolerance = factor;
  }
}

void add_pattern(const node& from, plan& into, diagnostics& out) {
  redact_plan made;
  made.placeholder = "<redacted>";
  const node* regex = &from;
  bool literal = true;
  if (from.is(node_kind::object)) {
    const checked_object keys(from, keys::redact, out);
    regex = keys.find("regex");
    literal = false;
    if (const node* as = keys.find("as")) made.placeholder = as->text();
    if (regex == nullptr) return;
  } else if (!check_type(from, json::string, "what is redacted", out)) {
    return;
  }
  if (regex->text().empty()) {
    out.error(code::empty_value, regex->at(), "an empty text stands everywhere");
    return;
  }
  made.pattern = literal ? RE2::QuoteMeta(regex->text()) : regex->text();
  RE2::Options quiet(RE2::Latin1);
  quiet.set_log_errors(false);
  const RE2 compiled(made.pattern, quiet);
  if (!compiled.ok()) {
    out.error(code::bad_regex, regex->at(), compiled.error());
  } else if (RE2::FullMatch("", compiled)) {
    out.error(code::bad_regex, regex->at(), "this matches the empty text, which stands everywhere");
  } else {
    into.redact.push_back(std::move(made));
  }
}

}  // namespace

void compile_conduct(const checked_object& top, plan& into, diagnostics& out) {
  if (const node* retries = top.find("retries");
      retries != nullptr &&
      check_range(retries->integer(), {0, retries_max}, retries->at(), "\"retries\"", out))
    into.retries = static_cast<std::uint32_t>(retries->integer());
  if (const node* reason = top.find("xfail")) {
    into.xfail = reason->text();
    if (into.xfail.empty())
      out.error(code::empty_value, reason->at(), "\"xfail\" says why the scenario fails");
  }
  if (const node* locks = top.find("locks")) compile_locks(*locks, into, out);
  if (const node* tolerance = top.find("tolerance")) compile_tolerance(*tolerance, into, out);
  if (const node* redact = top.find("redact"))
    for (const node& each : redact->items()) add_pattern(each, into, out);
}

void compile_secrets(case_context& in, const node& from) {
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-") || !check_name(m.key, m.key_at, "a secret", in.out)) continue;
    if (in.names.find_var(m.key) != nullptr) {
      in.out.error(code::duplicate_name, m.key_at,
                   fmt::format("{} is a variable already", in_quotes(m.key)));
      continue;
    }
    secret_plan made;
    made.name = m.key;
    made.at = m.key_at;
    const checked_object keys(m.value, keys::secret, in.out);
    const node* env = keys.find("env");
    const node* file = keys.find("file");
    if (keys.sound() && (env != nullptr) == (file != nullptr)) {
      in.out.error(code::conflicting_keys, m.value.at(),
                   "a secret comes from an environment variable, `env`, or from a `file`");
      continue;
    }
    if (env != nullptr) made.variable = env->text();
    if (file != nullptr) made.file = file->text();
    made.to = in.names.add_secret(m.key);
    in.into.secrets.push_back(std::move(made));
  }
}

}  // namespace scenarios
