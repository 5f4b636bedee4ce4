// From `actors`, `steps`, `setup` and `teardown` to strands and actor plans.
//
// Two passes over all of them, because each may refer to names of the others: declare(), then
// compile(). Made by compile.cpp for one case; borrows the case and the file's nodes.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_strand.hpp"

namespace scenarios {

class actor_compiler {
 public:
  explicit actor_compiler(case_context& in) : in_(in) {}

  /// `top` is the file's root, whose keys are known to be sound.
  void declare(const checked_object& top);
  void compile();

 private:
  void check_ends();
  struct entry {
    std::string name;
    span at;
    const member* kind_key = nullptr;  // "server": …
    actor_kind kind = actor_kind::task;
    const node* steps = nullptr;
    std::optional<checked_object> keys;
    std::shared_ptr<strand_plan> body;
    std::optional<strand_context> strand;
    bool has_count = false;
    std::int64_t copies = 1;
    std::int64_t accept = 1;
    bool accept_each = false;
    name_target addr, port;
  };

  void add_actors(const node& actors);
  void add_actor(const member& from);
  bool find_kind(entry& into);
  void read_counts(entry& into);
  void read_accept(entry& into);
  void add_party(entry& into);
  void add_main(const member& steps);
  void add_setup(const node& steps);
  void add_teardown(const node& from);
  void compile_server(entry& from, actor_plan& into);
  void compile_handshake(entry& from, server_plan& into);
  void compile_client(entry& from, actor_plan& into);
  void compile_peer(entry& from, actor_plan& into);
  static void note_scheme(entry& from, const expression& address);
  void bound_by_default(entry& from, step_plan& step);
  step_plan step_zero(entry& from);
  void see_step_zero(const entry& from, const step_plan& made);
  void compile_actor(entry& from);

  case_context& in_;
  std::deque<entry> entries_;
  std::optional<strand_context> setup_;
  std::optional<strand_context> teardown_;
  const node* setup_steps_ = nullptr;
  const node* teardown_steps_ = nullptr;
  std::int64_t copies_ = 0;
};

}  // namespace scenarios
