#include "scenarios/actors.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "engine/errno_name.hpp"
#include "scenarios/endpoint.hpp"
#include "scenarios/services/descriptor.hpp"
#include "scenarios/services/free_port.hpp"
#include "scenarios/socket_options.hpp"
#include "scenarios/step_runner.hpp"
#include "scenarios/thread_link.hpp"
#include "scenarios/wire/listen_remedy.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

std::string_view kind_name(actor_kind kind) {
  switch (kind) {
    case actor_kind::server:
      return "server";
    case actor_kind::client:
      return "client";
    case actor_kind::peer:
      return "peer";
    case actor_kind::task:
      break;
  }
  return "task";
}

// Connecting, which comes before the steps of the list.
const step_plan* step_zero(const actor_plan& actor) {
  if (actor.client) return &actor.client->connect;
  return actor.peer && actor.peer->connect ? &*actor.peer->connect : nullptr;
}

// What accepts has no slots of its own: a rule about it is made of constants.
const environment& no_values() {
  struct nothing final : environment {
    const value* read(slot_ref /*slot*/) const override { return nullptr; }
    std::uint64_t seed_for(std::string_view /*label*/) const override { return 0; }
  };
  static const nothing made;
  return made;
}

// A name in the file system outlives its socket.
void remove_name(const uring::socket_address& bound) {
  if (const std::string path = bound.path(); !path.empty()) ::unlink(path.c_str());
}

}  // namespace

actor_group::actor_group(scenario_run& run)
    : run_(run), strands_(run.what.actors.size()), servers_(run.what.actors.size()) {
  for (std::size_t i = 0; i < strands_.size(); ++i) {
    if (!run.is_here(i)) continue;
    const actor_plan& actor = run.what.actors[i];
    if (actor.kind == actor_kind::server) {
      servers_[i].result.name = actor.name;
      servers_[i].result.kind = "server";
      servers_[i].result.at = actor.at;
      servers_[i].faults.emplace(run.faults, no_values(), actor.name, actor.base);
      continue;
    }
    strands_[i] = std::make_unique<strand>(run, *actor.body, actor.name, actor.base, run.stop);
    strands_[i]->result.kind = kind_name(actor.kind);
    strands_[i]->result.at = actor.at;
    strands_[i]->actor_index = static_cast<std::uint32_t>(i);
    strands_[i]->set_index(actor.index);
  }
}

actor_group::~actor_group() {
  for (server_state& each : servers_) {
    if (each.listener >= 0) ::close(each.listener);
    remove_name(each.bound);
  }
  for (const uring::socket_address& each : peers_) remove_name(each);
}

bool actor_group::waits_for_others(std::size_t index) const {
  const actor_plan& actor = run_.what.actors[index];
  return actor.server && actor.server->accept_each;
}

bool actor_group::bind_all() {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (!run_.is_here(i)) continue;
    const actor_plan& actor = run_.what.actors[i];
    if (actor.server && !bind_server(i)) return false;
    if (actor.peer && !bind_peer(i)) return false;
  }
  return true;
}

// Addresses are constant, or made of what is known before anything runs.
std::optional<endpoint> actor_group::address_of(const actor_plan& actor, const expression& from) {
  const strand nobody(run_, run_.what.setup, actor.name, actor.base, run_.stop);
  const evaluation text = from.eval(nobody);
  std::string reason;
  auto address = text ? parse_endpoint(text->data(), reason) : std::nullopt;
  if (!address) {
    run_.fail(run_.make(code::setup_failed, from.at(),
                        fmt::format("{}: no address to listen on: {}", actor.name,
                                    text ? reason : text.message())));
  }
  return address;
}

bool actor_group::refuse(const actor_plan& actor, const expression& from,
                         const uring::socket_address& address, int error) {
  const char* name = uring::errno_name(error);
  diagnostic told = run_.make(code::setup_failed, from.at(),
                              fmt::format("{} can't {} {}: {}", actor.name,
                                          address.is_datagram() ? "receive at" : "listen on",
                                          address.url(), name != nullptr ? name : "unknown error"));
  told.help = listen_remedy(address, error);
  run_.fail(std::move(told));
  return false;
}

bool actor_group::set_options(const actor_plan& actor, int fd) {
  if (actor.options.empty()) return true;
  const strand nobody(run_, run_.what.setup, actor.name, actor.base, run_.stop);
  std::string why;
  if (apply_socket_options(fd, actor.options, nobody, why) == 0) return true;
  run_.fail(run_.make(code::setup_failed, actor.options.front().at,
                      fmt::format("{}: {}", actor.name, why)));
  return false;
}

bool actor_group::bind_server(std::size_t index) {
  const actor_plan& actor = run_.what.actors[index];
  auto wanted = address_of(actor, actor.server->address);
  if (!wanted) return false;
  uring::socket_address* const address = &wanted->address;
  run_.meet(*address);
  if (address->is_datagram())
    return refuse(actor, actor.server->address, *address, ESOCKTNOSUPPORT);
  const int fd = open_listener(*address, actor.server->backlog);
  if (fd < 0) return refuse(actor, actor.server->address, *address, -fd);
  server_state& server = servers_[index];
  server.listener = fd;
  server.bound = uring::socket_address::local_of(fd);
  // What it accepts inherits them; nobody knows yet whom to dial.
  if (!set_options(actor, fd)) return false;
  run_.add_listener(server.bound);
  server.speaks_tls = wanted->tls || actor.server->tls != nullptr;
  publish(actor, {.address = server.bound, .tls = server.speaks_tls}, actor.server->addr,
          actor.server->port);
  return true;
}

bool actor_group::bind_peer(std::size_t index) {
  const actor_plan& actor = run_.what.actors[index];
  auto wanted = address_of(actor, actor.peer->address);
  if (!wanted) return false;
  uring::socket_address* const address = &wanted->address;
  run_.meet(*address);
  if (!address->is_datagram()) return refuse(actor, actor.peer->address, *address, ESOCKTNOSUPPORT);
  descriptor fd(::socket(address->family(), address->type() | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return refuse(actor, actor.peer->address, *address, errno);
  if (!set_options(actor, fd.get())) return false;
  int refused = 0;
  if (address->is_any_port()) {
    refused = -bind_free_port(fd.get(), *address);
  } else if (::bind(fd.get(), address->data(), address->length()) != 0) {
    refused = errno;
  }
  if (refused != 0) return refuse(actor, actor.peer->address, *address, refused);
  strands_[index]->make_handle(0, fd.release());
  peers_.push_back(strands_[index]->handle_at(0).local);
  run_.peers.emplace_back(peers_.back(), static_cast<std::uint32_t>(index));
  publish(actor, {.address = peers_.back()}, actor.peer->addr, actor.peer->port);
  return true;
}

void actor_group::publish(const actor_plan& actor, const endpoint& at, const name_target& addr,
                          const name_target& port) {
  const uring::socket_address& bound = at.address;
  run_.publish(addr.shared, value::text(at.url()));
  run_.publish(port.shared, value(std::int64_t{bound.port()}));
  // Of a Unix address only a name that the kernel chose varies.
  const bool chosen = bound.is_unix() && bound.is_datagram() && bound.path().empty();
  if (!bound.is_unix()) run_.redact(bound.url().substr(6), fmt::format("<addr:{}>", actor.name));
  if (chosen) run_.redact(bound.url(), fmt::format("unixgram://<addr:{}>", actor.name));
}

namespace {

// Armed for as long as it lives, if the actor has a timeout.
class actor_deadline {
 public:
  actor_deadline(scenario_run& run, const actor_plan& actor) : expiry_(run, actor) {
    if (!actor.timeout) return;
    std::string why;
    const strand nobody(run, run.what.setup, actor.name, actor.base, run.stop);
    const auto limit = evaluate_duration(*actor.timeout, nobody, why);
    if (!limit) {
      run.fail(run.make(code::evaluation_failed, actor.timeout->at(), why));
      return;
    }
    expiry_.limit = run.scaled(*limit);
    run.loop.timers().arm(expiry_, uring::clock::now() + expiry_.limit);
  }
  ~actor_deadline() { expiry_.disarm(); }
  actor_deadline(const actor_deadline&) = delete;
  actor_deadline& operator=(const actor_deadline&) = delete;

 private:
  struct expiry : uring::timer {
    expiry(scenario_run& of, const actor_plan& whose)
        : timer([](uring::timer& t) noexcept {
            auto& self = static_cast<expiry&>(t);
            self.run.tell_actor_deadline(self.actor, self.limit);
          }),
          run(of),
          actor(whose) {}
    scenario_run& run;
    const actor_plan& actor;
    uring::duration limit{0};
  };
  expiry expiry_;
};

}  // namespace

uring::task<void> actor_group::run_all() {
  uring::scope all;
  // All are counted before the first one starts: it must not look alone in the world.
  for (std::size_t i = 0; i < strands_.size(); ++i)
    if (run_.is_here(i)) run_.strand_started();
  for (std::size_t i = 0; i < strands_.size(); ++i)
    if (run_.is_here(i)) all.spawn(run_actor(i));
  co_await all.join();
  if (run_.threads != nullptr) co_await run_.threads->all_ended();
  // After a failure everything stayed open until everybody had stopped.
  for (auto& each : strands_) {
    if (each) co_await each->close_all();
  }
  for (server_state& server : servers_) {
    for (handler& each : server.handlers) co_await each.control->close_all();
  }
}

uring::task<void> actor_group::run_actor(std::size_t index) {
  const actor_kind kind = run_.what.actors[index].kind;
  actor_deadline deadline(run_, run_.what.actors[index]);
  if (kind == actor_kind::server) {
    co_await run_server(index);
  } else if (const step_plan* first = step_zero(run_.what.actors[index])) {
    co_await run_connected(index, *first);
  } else {
    co_await strands_[index]->run_all();
    if (!run_.has_failed()) co_await strands_[index]->close_all();
  }
  actor_ended(index);
}

void actor_group::actor_ended(std::size_t index) {
  if (!waits_for_others(index)) run_.actor_ended();
  run_.strand_ended();
}

uring::task<void> actor_group::run_connected(std::size_t index, const step_plan& first) {
  strand& control = *strands_[index];
  if (co_await control.run_single(first, "0")) {
    co_await control.run_all();
  } else {
    control.settle(false);
  }
  if (!run_.has_failed()) co_await control.close_all();
}

uring::task<void> actor_group::run_server(std::size_t index) {
  server_state& server = servers_[index];
  const actor_plan& actor = run_.what.actors[index];
  uring::stop_source accepting(run_.stop);
  uring::stop_source handling(run_.stop);
  strand_group handlers;
  co_await accept_all(index, handlers, accepting, handling);
  if (actor.server->accept_each && handlers.tasks.running() != 0) {
    // The others have ended: handlers may still see the end of their streams.
    std::string why;
    const strand nobody(run_, run_.what.setup, actor.name, actor.base, run_.stop);
    const auto grace = evaluate_duration(actor.server->grace, nobody, why);
    struct grace_timer : uring::timer {
      explicit grace_timer(uring::stop_source& source)
          : timer(
                [](uring::timer& t) noexcept { static_cast<grace_timer&>(t).stop.request_stop(); }),
            stop(source) {}
      uring::stop_source& stop;
    };
    grace_timer expiry(handling);
    run_.loop.timers().arm(expiry, uring::clock::now() + run_.scaled(grace.value_or(1s)));
    co_await run_.join_strands(handlers);
    expiry.disarm();
    if (handling.stop_requested() && !run_.stop.stop_requested()) {
      run_.fail(run_.make(
          code::stop_failed, actor.at,
          fmt::format("a handler of {} had not ended when its grace was over", actor.name)));
    }
  } else {
    co_await run_.join_strands(handlers);
  }
  publish_lists(index);
  step_status status = run_.stop.stop_requested() ? step_status::not_judged : step_status::passed;
  for (const handler& each : server.handlers) {
    if (each.control->result.status == step_status::failed) status = step_status::failed;
  }
  for (const step_result& each : server.result.steps) {
    if (each.status == step_status::failed) status = step_status::failed;
  }
  server.result.status = status;
}

// What its handlers collected, in the order in which reports have them: by who dialled.
void actor_group::publish_lists(std::size_t index) {
  std::vector<const handler*> sorted;
  for (const handler& each : servers_[index].handlers) sorted.push_back(&each);
  std::ranges::sort(sorted, {},
                    [](const handler* each) { return std::pair(each->dialler, each->ordinal); });
  for (const name_target& list : run_.what.actors[index].body->lists) {
    value::list_type all;
    bool varies = false;
    for (const handler* each : sorted) {
      varies |= each->control->varies({local_space, list.local});
      const auto& items = each->control->read({local_space, list.local})->items();
      all.insert(all.end(), items.begin(), items.end());
    }
    run_.publish(list.shared, value::list(std::move(all)), varies);
  }
}

uring::task<void> actor_group::accept_all(std::size_t index, strand_group& handlers,
                                          uring::stop_source& accepting,
                                          uring::stop_source& handling) {
  const server_plan& plan = *run_.what.actors[index].server;
  struct ended_link : uring::stop_callback {
    explicit ended_link(uring::stop_source& source)
        : stop_callback(
              [](stop_callback& c) noexcept { static_cast<ended_link&>(c).target.request_stop(); }),
          target(source) {}
    uring::stop_source& target;
  };
  ended_link when_others_end(accepting);
  if (plan.accept_each) when_others_end.link(run_.others_ended);
  for (std::uint32_t n = 0; plan.accept_each || n < plan.accept; ++n) {
    int fd = -1;
    uring::socket_address peer;
    if (!co_await accept_one(index, accepting, fd, peer)) break;
    handler* admitted = co_await admit(index, fd, peer, handling);
    run_.strand_started(handlers);
    handlers.tasks.spawn(run_handler(index, *admitted->control, handlers));
  }
}

uring::task<bool> actor_group::accept_one(std::size_t index, uring::stop_source& accepting, int& fd,
                                          uring::socket_address& peer) {
  server_state& server = servers_[index];
  const actor_plan& actor = run_.what.actors[index];
  step_recorder recorder(run_.clock);
  const std::string path = fmt::format("accept[{}]", server.accepted);
  if (server.faults->any()) {
    recorder.counter = &*server.faults;
    recorder.path = path;
  }
  uring::accept_operation op = run_.loop.accept(server.listener);
  op.cancel_on(accepting).tag(&recorder);
  const std::int64_t started = run_.clock.now_ns();
  uring::completion result;
  {
    const blocked_wait blocked(run_, wait_kind::accepting, actor.name, actor.server->address.at(),
                               fmt::format("for connection {}", server.accepted + 1), nullptr,
                               server.listener);
    result = co_await op;
  }
  const bool others_gone = actor.server->accept_each && run_.others_ended.stop_requested();
  if (result.res < 0 && others_gone && !run_.stop.stop_requested()) co_return false;
  step_result entry;
  entry.path = path;
  entry.op = "accept";
  entry.at = actor.server->address.at();
  entry.started_ns = started;
  entry.ended_ns = run_.clock.now_ns();
  entry.submissions = std::move(recorder.submissions);
  entry.completions = std::move(recorder.completions);
  entry.outcome = step_outcome_name(static_cast<step_outcome>(result.why));
  entry.res = result.res;
  entry.res_is = res_kind::descriptor;
  if (result.res >= 0) {
    entry.res_name = fmt::format("<fd:{}#{}>", actor.name, ++server.accepted);
    entry.status = step_status::passed;
    fd = result.res;
    peer = uring::socket_address(op.peer(), op.peer_length());
  } else if (run_.stop.stop_requested()) {
    entry.status = step_status::not_judged;
  } else {
    entry.status = step_status::failed;
    diagnostic why = run_.make(code::step_failed, entry.at, "accept did not succeed");
    const char* name = uring::errno_name(-result.res);
    why.label = fmt::format("got {}", name != nullptr ? name : std::to_string(result.res));
    entry.failures.push_back(std::move(why));
    run_.step_failed();
  }
  server.result.steps.push_back(std::move(entry));
  co_return fd >= 0;
}

// Names the connection's handler after who dialled. The dialler's own completion is at most a turn
// of the loop away: the kernel posted it before the accept could be.
uring::task<actor_group::handler*> actor_group::admit(std::size_t index, int fd,
                                                      const uring::socket_address& peer,
                                                      uring::stop_source& handling) {
  server_state& server = servers_[index];
  const actor_plan& actor = run_.what.actors[index];
  const scenario_run::dialled* dialler = run_.find_dialler(peer, server.bound);
  for (int turns = 0; dialler == nullptr && turns < 4; ++turns) {
    co_await run_.loop.sleep_for(0ns);
    dialler = run_.find_dialler(peer, server.bound);
  }
  if (dialler == nullptr && run_.threads != nullptr) {
    co_await run_.threads->catch_up();
    dialler = run_.find_dialler(peer, server.bound);
  }
  if (!server.bound.is_unix()) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  set_options(actor, fd);
  handler made;
  std::string name = fmt::format("{}#{}", actor.name, server.accepted);
  made.ordinal = server.accepted;  // outsiders are told apart by nothing else
  if (dialler != nullptr && dialler->actor != no_index) {
    made.dialler = dialler->actor;
    made.ordinal = dialler->ordinal;
    name = fmt::format("{}#{} (from {})", actor.name, dialler->ordinal,
                       run_.what.actors[dialler->actor].name);
  }
  made.control = std::make_unique<strand>(run_, *actor.body, std::move(name), actor.base, handling);
  made.control->result.kind = "handler";
  made.control->result.at = actor.at;
  made.control->make_handle(0, fd);
  server.handlers.push_back(std::move(made));
  co_return &server.handlers.back();
}

uring::task<void> actor_group::run_handler(std::size_t index, strand& control, strand_group& in) {
  // Beside the other handlers: one that does not come to its handshake must not hold them up.
  const step_plan& handshake = run_.what.actors[index].server->handshake;
  if (!servers_[index].speaks_tls || co_await control.run_single(handshake, "0")) {
    co_await control.run_all();
  } else {
    control.settle(false);
  }
  if (!run_.has_failed()) co_await control.close_all();
  run_.strand_ended(in);
}

void actor_group::collect(std::vector<actor_result>& into) {
  for (std::size_t i = 0; i < strands_.size(); ++i) {
    if (!run_.is_here(i)) {
      // A thread gathers what is its own.
      if (run_.only_actor == no_index)
        run_.threads->results_of(static_cast<std::uint32_t>(i), into);
      continue;
    }
    if (strands_[i]) {
      into.push_back(std::move(strands_[i]->result));
      continue;
    }
    server_state& server = servers_[i];
    into.push_back(std::move(server.result));
    std::sort(server.handlers.begin(), server.handlers.end(),
              [](const handler& a, const handler& b) {
                return std::pair(a.dialler, a.ordinal) < std::pair(b.dialler, b.ordinal);
              });
    for (handler& each : server.handlers) into.push_back(std::move(each.control->result));
  }
}

}  // namespace scenarios
