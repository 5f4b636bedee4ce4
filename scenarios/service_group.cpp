#include "scenarios/service_group.hpp"

#include <fmt/format.h>

#include <utility>

#include "scenarios/strand.hpp"

namespace scenarios {
namespace {

std::string as_text(const value& v) {
  return v.is(value_type::data) ? v.data() : describe(v, 4096);
}

}  // namespace

// A port that stands alone as an argument is as volatile as one within an address.
void redact_ports(scenario_run& run, std::vector<std::string>& argv) {
  for (const auto& [name, target] : run.what.ports) {
    if (target.shared == no_index) continue;
    const shared_future& port = run.future(target.shared);
    const std::string number = port.assigned.is_set() ? as_text(port.held) : std::string();
    if (number.empty()) continue;
    // The number itself, or the value of an option: --port=20017, port:20017.
    for (std::string& argument : argv) {
      const std::size_t before = argument.size() - std::min(argument.size(), number.size());
      const bool at_end = std::string_view(argument).substr(before) == number;
      const bool alone = before == 0 || argument[before - 1] == '=' || argument[before - 1] == ':';
      if (at_end && alone) argument.replace(before, number.size(), fmt::format("<port:{}>", name));
    }
  }
}

void service_group::fail(span at, std::string message) {
  run_.fail(run_.make(code::setup_failed, at, std::move(message)));
}

bool service_group::text(const expression& from, const strand& names, std::string& out) {
  const evaluation found = from.eval(names);
  if (!found) {
    fail(from.at(), found.message());
    return false;
  }
  out = as_text(*found);
  return true;
}

uring::task<bool> service_group::start_all() {
  for (const service_plan& plan : run_.what.services) {
    if (run_.stop.stop_requested() || !co_await start_one(plan)) co_return false;
  }
  co_return true;
}

uring::task<bool> service_group::start_one(const service_plan& plan) {
  const strand names(run_, run_.what.setup, plan.name, plan.name, run_.stop);
  service_spec spec;
  if (!specify(plan, names, spec)) co_return false;
  service& one =
      *services_.emplace_back(std::make_unique<service>(run_.loop, std::move(spec), *directory_));
  if (auto wrong = co_await one.start(run_.stop)) {
    wrong->keeps = run_.what.text;
    told_ = true;
    run_.fail(std::move(*wrong));
    co_return false;
  }
  publish(plan, one);
  co_return true;
}

bool service_group::specify(const service_plan& plan, const strand& names, service_spec& spec) {
  spec.name = plan.name;
  spec.at = plan.at;
  spec.user = plan.user;
  spec.limits = plan.limits;
  spec.ready_timeout = run_.scaled(plan.ready_timeout);
  spec.stop_signal = plan.stop_signal;
  spec.grace = run_.scaled(plan.grace);
  if (plan.expect_exit_code) spec.expected_exit = exit_status::exited(*plan.expect_exit_code);
  if (plan.expect_exit_signal) spec.expected_exit = exit_status::killed(*plan.expect_exit_signal);
  for (const expression& argument : plan.run) {
    if (!text(argument, names, spec.argv.emplace_back())) return false;
  }
  for (const auto& [name, content] : plan.env) {
    if (!text(content, names, spec.env.emplace_back(name, std::string()).second)) return false;
  }
  if (plan.cwd && !text(*plan.cwd, names, spec.cwd)) return false;
  for (const service_file_plan& file : plan.files) {
    service_file& made = spec.files.emplace_back();
    made.mode = file.mode;
    if (!text(file.path, names, made.path)) return false;
    evaluation bytes = file.data.eval(names);
    if (!bytes) {
      fail(file.data.at(), bytes.message());
      return false;
    }
    made.bytes = (*std::move(bytes)).take_data();
  }
  return specify_ready(plan, names, spec);
}

bool service_group::specify_ready(const service_plan& plan, const strand& names,
                                  service_spec& spec) {
  if (plan.ready_port) {
    std::string where;
    if (!text(*plan.ready_port, names, where)) return false;
    // A bare number is a port of the loopback address.
    const bool number = where.find_first_not_of("0123456789") == std::string::npos;
    std::string reason;
    spec.ready.port =
        uring::socket_address::parse(number ? "tcp://127.0.0.1:" + where : where, reason);
    if (!spec.ready.port) {
      fail(plan.ready_port->at(), fmt::format("{} is not an address: {}", where, reason));
      return false;
    }
  }
  if (plan.ready_stdout && !text(*plan.ready_stdout, names, spec.ready.stdout_regex)) return false;
  if (plan.ready_file && !text(*plan.ready_file, names, spec.ready.file)) return false;
  for (const expression& argument : plan.ready_exec) {
    if (!text(argument, names, spec.ready.exec.emplace_back())) return false;
  }
  return true;
}

void service_group::publish(const service_plan& plan, const service& one) {
  if (one.spec().ready.port) {
    const uring::socket_address& address = *one.spec().ready.port;
    run_.publish(plan.addr.shared, value::text(address.url()));
    run_.publish(plan.port.shared, value(std::int64_t{address.port()}));
  }
  run_.publish(plan.pid.shared, value(std::int64_t{one.pid()}));
  for (const auto& [name, target] : plan.captures) {
    for (const auto& [group, found] : one.captures()) {
      if (group == name) run_.publish(target.shared, value::text(found));
    }
  }
}

void service_group::watch(uring::scope& watchers, uring::stop_source& until) {
  watchers_ = &watchers;
  watched_until_ = &until;
  for (auto& each : services_) watchers.spawn(watch_one(*each, until));
}

uring::task<void> service_group::end_watch() {
  uring::scope* const watchers = std::exchange(watchers_, nullptr);
  if (watchers == nullptr) co_return;
  std::exchange(watched_until_, nullptr)->request_stop();
  co_await watchers->join();
}

uring::task<bool> service_group::restart(std::uint32_t index, uring::stop_source& stop) {
  service& one = *services_[index];
  co_await one.stop();
  auto wrong = co_await one.start(stop);
  if (!wrong) {
    // Each life of a program has an end of its own to be watched.
    if (watchers_ != nullptr) watchers_->spawn(watch_one(one, *watched_until_));
    co_return true;
  }
  if (stop.stop_requested()) co_return false;
  wrong->keeps = run_.what.text;
  told_ = true;
  run_.fail(std::move(*wrong));
  co_return false;
}

uring::task<void> service_group::watch_one(service& one, uring::stop_source& until) {
  if (!co_await one.exited().wait().cancel_on(until)) co_return;
  if (auto wrong = one.problem()) {
    wrong->keeps = run_.what.text;
    told_ = true;
    run_.fail(std::move(*wrong));
  }
}

uring::task<void> service_group::stop_all() {
  for (auto each = services_.rbegin(); each != services_.rend(); ++each) {
    co_await (*each)->stop();
    auto wrong = (*each)->problem();
    // The end that was told while the scenario ran is not told twice.
    if (!wrong || told_ || run_.was_interrupted()) continue;
    wrong->keeps = run_.what.text;
    run_.result.failures.push_back(std::move(*wrong));
  }
}

void service_group::collect(scenario_result& into) {
  for (const auto& each : services_) {
    service_result result = each->result(run_.clock.started);
    redact_ports(run_, result.argv);
    into.services.push_back(std::move(result));
  }
}

}  // namespace scenarios
