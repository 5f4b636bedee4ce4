// `proxy`: a fault relay by itself, for programs that know nothing of scenarios.
#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>
#include <vector>

#include "engine/limits.hpp"
#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/mechanisms.hpp"
#include "runner/output.hpp"
#include "runner/refusal.hpp"
#include "runner/signals.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/faults/fault_table.hpp"
#include "scenarios/source.hpp"
#include "scenarios/wire/proxy_host.hpp"

namespace runner {
namespace {

// Wakes the loop from the thread of the signals, as long as there is one.
struct shared_loop {
  std::mutex mutex;
  uring::loop* loop = nullptr;
  std::atomic<bool> ending{false};
  std::atomic<bool> describing{false};

  void ask(std::atomic<bool>& what) {
    what = true;
    const std::scoped_lock lock(mutex);
    if (loop != nullptr) loop->wake();
  }
  void set(uring::loop* to) {
    const std::scoped_lock lock(mutex);
    loop = to;
  }
};

int tell(const scenarios::diagnostics& out, const settings& with, exit_code code) {
  print_error(scenarios::render(out, {wants_color(stream::error, with.color)}));
  return number(code);
}

/// Of the faults of its file; what is added later is taken on trust.
std::set<std::string_view> types_of(const scenarios::proxy_plan& plan) {
  std::set<std::string_view> types;
  for (const scenarios::wire_rule& each : plan.rules)
    if (const auto* row = scenarios::find_fault_type(
            fmt::format("wire.{}", scenarios::wire_fault_name(each.effect->type))))
      types.insert(row->name);
  return types;
}

int serve(scenarios::proxy_plan plan, const settings& with) {
  shared_loop shared;
  // Before the loop, so that what it starts leaves signals to the watch.
  const signal_watch watch([&] { shared.ask(shared.ending); },
                           [&] { shared.ask(shared.describing); });
  int refused = 0;
  const std::unique_ptr<uring::loop> loop = uring::loop::open({}, refused);
  if (loop == nullptr) {
    scenarios::diagnostics out;
    out.add(refusal_diagnostic(uring::diagnose_ring_failure(-refused)));
    return tell(out, with, exit_code::environment);
  }
  const std::vector<std::string> broken = broken_mechanisms(*loop, types_of(plan));
  for (const std::string& each : broken) complain(each);
  if (!broken.empty()) return number(exit_code::environment);
  scenarios::proxy_host host(*loop, std::move(plan),
                             [](const std::string& line) { complain(line); });
  scenarios::diagnostics out;
  if (!host.open(out)) return tell(out, with, exit_code::environment);
  loop->on_wake([&] {
    if (shared.describing.exchange(false)) print_error(host.summary());
    if (shared.ending) host.stop();
  });
  print(host.describe());
  shared.set(loop.get());
  if (shared.ending) host.stop();
  loop->run(host.run());
  shared.set(nullptr);
  print(host.summary());
  return number(exit_code::passed);
}

}  // namespace

int proxy_command(const settings& with) {
  scenarios::diagnostics out;
  const auto text = scenarios::load_source(with.operands.front(), out);
  std::optional<scenarios::proxy_plan> plan;
  if (text != nullptr) plan = scenarios::compile_proxy_file(text, out);
  if (!plan) return tell(out, with, exit_code::scenario_wrong);
  return serve(*std::move(plan), with);
}

}  // namespace runner
