// The life of one scenario: requirements, addresses, set-up, services, actors, teardown, verdict.

#include "scenarios/interpret.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "engine/errno_name.hpp"
#include "engine/op_table.hpp"
#include "scenarios/actors.hpp"
#include "scenarios/faults/resolved.hpp"
#include "scenarios/isolation.hpp"
#include "scenarios/mask.hpp"
#include "scenarios/process_table.hpp"
#include "scenarios/requirements.hpp"
#include "scenarios/run_state.hpp"
#include "scenarios/scenario_rings.hpp"
#include "scenarios/scenario_threads.hpp"
#include "scenarios/service_group.hpp"
#include "scenarios/services/free_port.hpp"
#include "scenarios/services/temp_dir.hpp"
#include "scenarios/step_order.hpp"
#include "scenarios/wire/proxy_group.hpp"

namespace scenarios {
namespace {

class scenario_life {
 public:
  scenario_life(uring::loop& on, const plan& what, const run_options& options, mailbox* home)
      : run_(on, what, options), services_(run_), processes_(on) {
    run_.services = &services_;
    if (!what.proxies.empty()) run_.proxies = &proxies_.emplace(run_);
    run_.processes = &processes_;
    if (home != nullptr && what.has_threads) threads_.emplace(run_, options, *home);
  }

  uring::task<scenario_result> live(std::string skip_reason) {
    describe();
    if (!skip_reason.empty()) {
      run_.result.result = verdict::skipped;
      run_.result.skip_reason = std::move(skip_reason);
      co_return finish();
    }
    if (auto reason = unmet_requirement(run_.what, run_.loop.kernel())) {
      run_.result.result = verdict::skipped;
      run_.result.skip_reason = std::move(*reason);
      co_return finish();
    }
    co_await go();
    co_await tear_down();
    judge();
    expect_failure();
    co_return finish();
  }

 private:
  void describe() {
    scenario_result& result = run_.result;
    result.id = run_.what.id;
    result.file = run_.what.file;
    result.case_label = run_.what.case_label;
    result.name = run_.what.name;
    result.tags = run_.what.tags;
    result.text = run_.what.text;
    result.included = run_.what.included;
    result.seed = run_.seed;
    result.ring_mode = uring::ring_mode_name(run_.loop.io().mode());
    const std::string seed = std::to_string(run_.seed);
    if (run_.what.variant_of.empty()) {
      result.rerun = {"run", run_.what.id, "--seed", seed};
    } else {
      result.rerun = {"run", run_.what.variant_of, "--seeds", seed};
    }
    const std::vector<std::string>& more = run_.options.rerun_words;
    result.rerun.insert(result.rerun.end(), more.begin(), more.end());
  }

  uring::task<void> go() {
    if (!prepare() || !read_secrets() || !open_rings(run_)) co_return;
    actor_group actors(run_);
    if (!actors.bind_all()) co_return;
    if (proxies_ && !proxies_->open_all()) co_return;
    if (threads_ && !co_await threads_->start()) co_return;
    bool ready = co_await set_up();
    if (ready) ready = co_await services_.start_all();
    if (ready) {
      uring::stop_source watching;
      uring::scope watchers;
      services_.watch(watchers, watching);
      run_.arm_deadline();
      started_ = true;
      run_.faults.begin();
      if (threads_) threads_->go();
      co_await actors.run_all();
      run_.disarm_deadline();
      co_await run_.faults.end();
      co_await services_.end_watch();
    }
    if (threads_) co_await threads_->gather();
    actors.collect(run_.result.actors);
  }

  // Ports and the temporary directory: what texts may name before anything runs.
  bool prepare() {
    for (const auto& [name, target] : run_.what.ports) {
      const int port = find_free_port();
      if (port < 0) return broken(fmt::format("no free port for ${{port.{}}}", name));
      run_.publish(target.shared, value(std::int64_t{port}));
      run_.redact(fmt::format("127.0.0.1:{}", port), fmt::format("127.0.0.1:<port:{}>", name));
      run_.redact(fmt::format("[::1]:{}", port), fmt::format("[::1]:<port:{}>", name));
    }
    if (!run_.what.tmp_slot && run_.what.services.empty()) return true;
    std::string why;
    temp_ = temp_dir::make(why);
    if (!temp_) return broken("no temporary directory: " + why);
    if (run_.what.tmp_slot) run_.publish(*run_.what.tmp_slot, value::text(temp_->path()));
    run_.redact(temp_->path(), "<tmp>");
    services_.use(*temp_);
    run_.directory = temp_.get();
    return true;
  }

  // Before anything can use them; without one nothing is tried.
  bool read_secrets() {
    for (const secret_plan& each : run_.what.secrets) {
      std::string why;
      const std::optional<std::string> text = read_secret(each, why);
      if (!text) {
        diagnostic told = run_.make(code::setup_failed, each.at,
                                    fmt::format("the secret {} is not there: {}", each.name, why));
        told.help = "set it, or add it to `requires`, so that the scenario is skipped without it";
        run_.fail(std::move(told));
        return false;
      }
      for (masked_text& form : forms_of_secret(*text, each.name)) masks_.push_back(std::move(form));
      run_.publish(each.to.shared, value::text(*text));
    }
    return true;
  }

  bool broken(std::string message) {
    run_.fail(run_.make(code::setup_failed, {}, std::move(message)));
    return false;
  }

  uring::task<bool> set_up() {
    if (run_.what.setup.steps.empty()) co_return true;
    strand control(run_, run_.what.setup, "setup", "setup", run_.stop);
    control.result.kind = "setup";
    run_.arm_deadline();
    run_.strand_started();
    co_await control.run_all();
    run_.strand_ended();
    run_.disarm_deadline();
    co_await control.close_all();
    const bool passed = control.result.status == step_status::passed;
    run_.result.actors.push_back(std::move(control.result));
    co_return passed;
  }

  // Runs always and last, whatever happened, under a stop and a deadline of its own.
  uring::task<void> tear_down() {
    // What is looked at in the end is looked at in a world that works again.
    run_.faults.heal("");
    if (!run_.what.teardown.steps.empty()) {
      struct limit : uring::timer {
        explicit limit(uring::stop_source& source)
            : timer([](uring::timer& t) noexcept { static_cast<limit&>(t).stop.request_stop(); }),
              stop(source) {}
        uring::stop_source& stop;
      };
      uring::stop_source own_stop;
      limit deadline(own_stop);
      run_.loop.timers().arm(deadline,
                             uring::clock::now() + run_.scaled(run_.what.teardown_timeout));
      strand control(run_, run_.what.teardown, "teardown", "teardown", own_stop);
      control.result.kind = "teardown";
      co_await control.run_all();
      co_await control.close_all();
      co_await run_.faults.end();  // what its steps have set off
      teardown_failed_ = control.result.status != step_status::passed;
      run_.result.actors.push_back(std::move(control.result));
    }
    co_await close_rings(run_);
    if (threads_) co_await threads_->end();
    std::vector<std::string> problems;
    co_await processes_.end_all(problems);
    if (!problems.empty()) {
      run_.fail(run_.make(
          code::teardown_failed, {},
          "processes could not be ended: " + fmt::format("{}", fmt::join(problems, "; "))));
    }
    processes_.collect(run_.result.processes);
    for (service_result& each : run_.result.processes) redact_ports(run_, each.argv);
    co_await services_.stop_all();
    services_.collect(run_.result);
    if (proxies_) co_await proxies_->end();
    if (temp_) {
      for (const std::string& problem : temp_->remove()) {
        run_.result.logs.push_back("harness: could not remove " + problem);
      }
    }
  }

  void judge() {
    scenario_result& result = run_.result;
    result.fault_strays = run_.clock.fault_strays->all;
    std::ranges::sort(result.fault_strays);
    result.strays += result.fault_strays.size();
    if (proxies_) proxies_->collect();
    result.faults = judge_faults(run_.what.faults, run_.faults.tallies());
    if (!run_.what.faults.empty()) {
      result.account = run_.clock.account;
      result.resolved_faults = resolved_faults(run_.what, result, 0);
    }
    if (run_.faults.sites() != nullptr) result.sites = std::move(*run_.faults.sites());
    bool failed = !result.failures.empty();
    for (actor_result& actor : result.actors) {
      order_steps(actor.steps);
      const bool framing = actor.kind == "setup" || actor.kind == "teardown";
      failed = failed || (!framing && actor.status == step_status::failed);
    }
    for (const service_result& service : result.services) {
      failed = failed || !service.exit_as_expected;
    }
    if (run_.was_interrupted()) {
      result.failures.push_back(
          run_.make(code::interrupted, {}, "interrupted by a signal before it ended"));
      result.result = verdict::error;
    } else if (!result.skip_reason.empty() && !failed && !teardown_failed_) {
      result.result = verdict::skipped;
    } else if (!started_ || (teardown_failed_ && !failed)) {
      result.result = verdict::error;
    } else if (result.account && !result.account->balances()) {
      result.failures.push_back(
          run_.make(code::account_unbalanced, {}, imbalance(*result.account)));
      result.result = verdict::error;
    } else if (failed) {
      result.result = verdict::failed;
    } else {
      result.result = verdict::passed;
      for (const fault_result& fault : result.faults) {
        if (!fault.satisfied) tell_unfired(fault);
      }
    }
  }

  // A failure that is expected is none; its absence is.
  void expect_failure() {
    if (run_.what.xfail.empty()) return;
    verdict& result = run_.result.result;
    if (result == verdict::failed) {
      result = verdict::xfailed;
      run_.result.skip_reason = run_.what.xfail;
    } else if (result == verdict::passed) {
      result = verdict::xpassed;
      run_.result.failures.push_back(
          run_.make(code::unexpected_pass, {},
                    fmt::format("this was expected to fail ({}), and passed", run_.what.xfail)));
    }
  }

  void tell_unfired(const fault_result& fault) {
    const std::string wanted =
        fault.expected.empty() ? std::string() : fmt::format("; required: {}", fault.expected);
    const bool in_vain = fault.expected.empty() && fault.fired > 0;
    diagnostic why = run_.make(
        code::fault_not_fired, fault.at,
        fmt::format("the required fault \"{}\" fired {} time{}{}{}", fault.id, fault.fired,
                    fault.fired == 1 ? "" : "s", in_vain ? " in vain" : "", wanted));
    why.label = fault.nearest_miss;
    why.help = "aim it at something that happens, or say \"require\": false";
    run_.result.failures.push_back(std::move(why));
    run_.result.result = verdict::invalid;
  }

  scenario_result finish() {
    run_.result.duration_ns = run_.clock.now_ns();
    apply_masks(run_.result, std::move(masks_), run_.what.redact);
    return std::move(run_.result);
  }

  scenario_run run_;
  service_group services_;
  process_table processes_;
  std::optional<proxy_group> proxies_;
  std::optional<scenario_threads> threads_;
  std::unique_ptr<temp_dir> temp_;
  std::vector<masked_text> masks_;
  bool started_ = false;
  bool teardown_failed_ = false;
};

}  // namespace

uring::task<scenario_result> run_in_place(uring::loop& on, std::shared_ptr<const plan> what,
                                          run_options options, std::string skip_reason,
                                          mailbox* home) {
  scenario_life life(on, *what, options, home);
  co_return co_await life.live(std::move(skip_reason));
}

uring::task<scenario_result> run_scenario(uring::loop& on, std::shared_ptr<const plan> what,
                                          run_options options) {
  const bool apart = what->private_net || what->has_threads || what->own_loop;
  if (apart && !unmet_requirement(*what, on.kernel()))
    return run_isolated(on, std::move(what), std::move(options));
  return run_in_place(on, std::move(what), std::move(options), {});
}

}  // namespace scenarios
