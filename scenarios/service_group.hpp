// The services of one scenario: made from the plan, started in file order, watched, stopped in
// reverse order.
//
// What a service publishes (its address, port, process id, captures) is assigned when it is ready,
// so that a later service and every actor can use it. Used by run_scenario only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/scope.hpp"
#include "scenarios/run_state.hpp"
#include "scenarios/services/service.hpp"

namespace scenarios {

class strand;

// Ports of the scenario that are arguments of a program: what stands for them in reports.
void redact_ports(scenario_run& run, std::vector<std::string>& argv);

class service_group {
 public:
  explicit service_group(scenario_run& run) : run_(run) {}

  // The directory that services run in; must outlive them.
  void use(temp_dir& directory) { directory_ = &directory; }
  // Starts all, one after the other. False: told in the result.
  uring::task<bool> start_all();
  // Fails the scenario when a service ends while the actors run.
  void watch(uring::scope& watchers, uring::stop_source& until);
  // What ends from here on is told by stop_all().
  uring::task<void> end_watch();
  // On behalf of a fault: ends a service, starts it again, and waits until it is ready. False when
  // it did not come back, which fails the scenario.
  uring::task<bool> restart(std::uint32_t index, uring::stop_source& stop);
  uring::task<void> stop_all();
  // By its place in the plan; null when it was not started.
  [[nodiscard]] service* find(std::uint32_t index) const {
    return index < services_.size() ? services_[index].get() : nullptr;
  }
  void collect(scenario_result& into);

 private:
  uring::task<bool> start_one(const service_plan& plan);
  uring::task<void> watch_one(service& one, uring::stop_source& until);
  bool specify(const service_plan& plan, const strand& names, service_spec& spec);
  bool specify_ready(const service_plan& plan, const strand& names, service_spec& spec);
  bool text(const expression& from, const strand& names, std::string& out);
  void publish(const service_plan& plan, const service& one);
  void fail(span at, std::string message);

  scenario_run& run_;
  temp_dir* directory_ = nullptr;
  std::vector<std::unique_ptr<service>> services_;
  uring::scope* watchers_ = nullptr;  // while the actors run
  uring::stop_source* watched_until_ = nullptr;
  bool told_ = false;  // a service's early end has failed the scenario already
};

}  // namespace scenarios
