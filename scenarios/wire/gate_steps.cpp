// pause, pass, resume: steps that hold what goes through a proxy, and let it go on.
//
// No faults: nothing of it is counted or must have been observed. What the relay has read is held
// in its order, ends of streams, too; who sends notices nothing until the relay's memory is full.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/compile_strand.hpp"
#include "scenarios/counted.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/step_rows.hpp"
#include "scenarios/step_runner.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/proxy_group.hpp"

namespace scenarios {
namespace {

constexpr std::uint64_t pass_max = std::uint64_t{1} << 40;

const relay_plan* read_proxy(strand_context& in, const node* from) {
  const auto name = from != nullptr ? in.scope().read_text(*from, "a proxy") : std::nullopt;
  return name ? find_proxy(in.in(), *name, from->at()) : nullptr;
}

direction read_direction(strand_context& in, const node* from, bool one_only) {
  const auto word = from != nullptr ? in.scope().read_text(*from, "a direction") : std::nullopt;
  if (!word) return direction::both;
  const std::span<const std::string_view> words(direction_words, one_only ? 2 : 3);
  const auto found = std::ranges::find(words, *word);
  if (found != words.end()) return static_cast<direction>(found - words.begin());
  in.out()
      .error(code::unknown_constant, from->at(),
             fmt::format("{} is no direction here", in_quotes(*word)))
      .help = suggestion(*word, words);
  return direction::both;
}

void compile_gate(strand_context& in, const step_arguments& given, bool shuts, step_plan& into) {
  gate_step made;
  made.shuts = shuts;
  made.dir = read_direction(in, given.find("dir"), false);
  if (const relay_plan* proxy = read_proxy(in, given.find("proxy"))) {
    made.proxy = into.note = proxy->name;
    in.in().gate_uses.push_back({proxy->name, given.op_at(), into.op, shuts, made.dir});
  }
  into.body = std::move(made);
}

void compile_pause(strand_context& in, const step_arguments& given, step_plan& into) {
  compile_gate(in, given, true, into);
}
void compile_resume(strand_context& in, const step_arguments& given, step_plan& into) {
  compile_gate(in, given, false, into);
}

bool takes_datagrams(const relay_plan& proxy) {
  const auto known = known_endpoint(proxy.listen);
  return known && known->address.is_datagram();
}

void compile_pass(strand_context& in, const step_arguments& given, step_plan& into) {
  pass_step made;
  made.dir = read_direction(in, given.find("dir"), true);
  const relay_plan* proxy = read_proxy(in, given.find("proxy"));
  const node* bytes = given.find("bytes");
  const node* datagrams = given.find("datagrams");
  if ((bytes == nullptr) == (datagrams == nullptr) && given.sound()) {
    in.out()
        .error(code::conflicting_keys, given.op_at(),
               "`pass` lets either `bytes` or `datagrams` through")
        .help = fmt::format("for example {}", given.row().example);
  }
  made.datagrams = datagrams != nullptr;
  const node* amount = made.datagrams ? datagrams : bytes;
  const std::string_view unit = made.datagrams ? "datagram" : "byte";
  if (amount != nullptr)
    made.amount = in.scope().read_count(*amount, {1, pass_max}, fmt::format("`{}s`", unit));
  if (proxy != nullptr && amount != nullptr) {
    made.proxy = proxy->name;
    into.note = fmt::format("{} {}s of {}", shown(made.amount, *amount), unit, proxy->name);
    in.in().gate_uses.push_back({proxy->name, given.op_at(), into.op, false, made.dir});
    const std::string_view other = made.datagrams ? "bytes" : "datagrams";
    if (takes_datagrams(*proxy) != made.datagrams && given.find(other) == nullptr)
      in.out()
          .error(code::conflicting_keys, amount->at(),
                 fmt::format("{} go through {}, not {}s", other, proxy->name, unit))
          .help = fmt::format(R"({{ "pass": {{ "proxy": "{}", "dir": "c2s", "{}": 1 }} }})",
                              proxy->name, other);
  }
  into.body = std::move(made);
}

}  // namespace

void check_gates(case_context& in) {
  for (const gate_use& use : in.gate_uses) {
    const auto pauses = [&](const gate_use& other) {
      return other.pauses && other.proxy == use.proxy &&
             (other.dir == direction::both || use.dir == direction::both || other.dir == use.dir);
    };
    if (std::ranges::any_of(in.gate_uses, pauses)) continue;
    in.out
        .error(code::misplaced_step, use.at,
               fmt::format("`{}` does nothing: no step pauses {} in this direction", use.op,
                           use.proxy))
        .help = fmt::format("{{ \"pause\": \"{}\" }}", use.proxy);
  }
}

namespace rows {
namespace {

constexpr key_row gate_keys[] = {{"proxy", j::string, required, "one of `proxies`"},
                                 {"dir", j::string, optional, "c2s, s2c or both (default)"}};
constexpr key_row pass_keys[] = {
    {"proxy", j::string, required, "one of `proxies`"},
    {"dir", j::string, required, "c2s, or s2c"},
    {"bytes", j::number | j::string, optional, "how many more of a stream"},
    {"datagrams", j::number | j::string, optional, "how many more of them"}};

}  // namespace

std::vector<step_row> gate_rows() {
  std::vector<step_row> rows;
  rows.push_back(with(flow("pause", always, compile_pause), j::string, "proxy", gate_keys,
                      "Holds what goes through a proxy from now on, in its order, with the ends of "
                      "streams; senders go on until its memory is full.",
                      R"({ "pause": "px" })"));
  rows.push_back(with(flow("pass", always | timeout | expect, compile_pass), 0, "", pass_keys,
                      "Lets some more through a proxy that is paused, and waits until it has gone "
                      "on.",
                      R"({ "pass": { "proxy": "px", "dir": "c2s", "bytes": 4 } })"));
  rows.push_back(with(flow("resume", always, compile_resume), j::string, "proxy", gate_keys,
                      "Lets a proxy that is paused go on.", R"({ "resume": "px" })"));
  return rows;
}

}  // namespace rows

uring::task<step_end> step_runner::on(const gate_step& body) {
  if (relay* proxy = run_.proxies->find(body.proxy)) proxy->hold(body.dir, body.shuts);
  co_return step_end{};
}

uring::task<step_end> step_runner::on(const pass_step& body) {
  const evaluation wanted = body.amount.eval(strand_);
  if (!wanted) co_return broken(wanted.message(), body.amount.at());
  if (!wanted->is(value_type::integer) || wanted->integer() < 1)
    co_return broken("how much passes is a number of at least 1", body.amount.at());
  relay* proxy = run_.proxies->find(body.proxy);
  if (proxy == nullptr) co_return not_in_time();
  wire_gate& gate = proxy->gate(body.dir);
  if (!gate.is_shut())
    co_return broken(fmt::format("{} is not paused: everything passes", body.proxy), step_.op_at);
  const auto amount = static_cast<std::uint64_t>(wanted->integer());
  proxy->let_pass(body.dir, amount);
  while (gate.left() != 0) {
    std::optional<blocked_wait> blocked;
    if (const auto kind = hopeless_kind(wait_kind::arriving))
      blocked.emplace(run_, *kind, strand_.name, step_.op_at,
                      fmt::format("for what {} is to let pass", body.proxy), nullptr, -1);
    if (co_await gate.changed.wait().cancel_on(context_.stop)) continue;
    step_end end = not_in_time();
    end.detail = fmt::format("{} of {} had not come", gate.left(),
                             counted(amount, body.datagrams ? "datagram" : "byte"));
    gate.withdraw();
    co_return end;
  }
  co_return step_end{};
}

}  // namespace scenarios
