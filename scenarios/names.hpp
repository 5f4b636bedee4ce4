// The names of one case while it is compiled: what `${…}` can mean, where, and when.
//
// `name_table` is of the whole scenario (vars, matrix, ports, servers, services, and one
// `strand_names` for each strand); `name_scope` is the view from one place, which the expression
// compiler asks. They live for the compilation of one case and write slots into its plan. Names are
// declared before the steps are compiled, so that an actor can refer to what another makes later in
// the file.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/expression.hpp"
#include "scenarios/matrix.hpp"
#include "scenarios/node.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

/// What is known when: each stage knows everything of those before it.
enum class name_stage : std::uint8_t {
  constants,  // matrix, vars
  addresses,  // of servers: + ports, the temporary directory
  setup,      // + addresses of servers
  services,   // + what set-up made, and the services before this one
  actors,     // + services, other actors
  teardown,
};

/// A variable is made by `set` and may change; a value is assigned once in its scope; a collection
/// is the list of what `collect` added, of the whole strand.
enum class name_kind : std::uint8_t { value, variable, descriptor, collection };

struct declared_name {
  name_kind kind = name_kind::value;
  std::uint32_t index = 0;  // local slot, or number of the handle
  std::uint32_t shared = no_index;
  value_type type = value_type::any;
  span at;                                 // where it is made
  bool ready = false;                      // a step before the one that is being compiled made it
  std::string async;                       // not ready before this step is joined
  bool is_process = false;                 // a descriptor's name that stands for a program
  bool has_stdin = false;                  // of such: a pipe leads to it
  const message_layout* layout = nullptr;  // of a message: its fields are known

  name_target target() const { return {index, shared}; }
};

/// What a parameter of the macro stands for whose steps are being compiled.
struct macro_argument {
  std::optional<value> constant;
  std::uint32_t local = no_index;  // the slot, where it is no constant
  value_type type = value_type::any;
};
using argument_map = std::map<std::string, macro_argument, std::less<>>;

class name_table;

/// The names of one strand: blocks inside each other, the outermost of which may be published.
class strand_names {
 public:
  strand_names(name_table& all, std::string owner, bool publishes, bool has_index,
               strand_plan& into);

  const std::string& owner() const { return owner_; }
  bool publishes() const { return publishes_; }
  /// Clients and tasks know which of their copies they are.
  bool has_index() const { return has_index_; }
  bool is_outermost() const { return blocks_.size() == 1; }
  strand_plan& into() { return into_; }

  void enter_block() { blocks_.emplace_back(); }
  void leave_block() { blocks_.pop_back(); }
  /// Inside a macro its own arguments are known, not those of the macro that called it.
  void enter_macro(argument_map arguments) { arguments_.push_back(std::move(arguments)); }
  void leave_macro() { arguments_.pop_back(); }
  const macro_argument* find_argument(std::string_view name) const;
  /// In the innermost block; the caller has made sure that the name is free.
  declared_name& declare(const std::string& name, name_kind kind, value_type type, span at);
  /// In the outermost block, and published.
  declared_name& declare_collection(const std::string& name, span at);
  declared_name* find(std::string_view name);
  /// Of the outermost block only: what others may see.
  const declared_name* find_published(std::string_view name) const;
  /// A descriptor without a name, which no step can use.
  std::uint32_t add_unnamed_handle(std::string_view shown);
  std::uint32_t add_local() { return into_.locals++; }
  name_target property(std::uint32_t handle, handle_value what, bool published);
  std::uint32_t index_slot();

  /// Of descriptors that can be used here.
  std::vector<std::string> ready_descriptors() const;
  std::vector<std::string> words() const;
  std::vector<std::string> published_words() const;

 private:
  using block_names = std::map<std::string, declared_name, std::less<>>;

  name_table& all_;
  std::string owner_;
  bool publishes_;
  bool has_index_;
  strand_plan& into_;
  std::vector<block_names> blocks_;
  std::vector<argument_map> arguments_;
  std::map<std::pair<std::uint32_t, handle_value>, std::size_t> properties_;  // where in the plan
};

/// A top-level name that `${name.x}` can start with.
struct named_party {
  enum class kind : std::uint8_t { server, actor, setup, service, proxy };
  kind what = kind::actor;
  std::string name;
  span at;
  strand_names* strand = nullptr;  // actor, setup
  bool copied = false;             // has `count`: it publishes nothing
  std::size_t order = 0;           // of services: file order
  name_target addr, port, pid;     // no_index where there is none
  std::vector<std::pair<std::string, name_target>> captures;
};

class name_table {
 public:
  name_table(plan& into, const matrix_case& which) : into_(into), case_(which) {}

  plan& into() { return into_; }
  const matrix_case& matrix() const { return case_; }

  std::uint32_t add_shared(std::string shown);
  std::uint32_t port_slot(std::string_view name);
  std::uint32_t tmp_slot();

  void add_var(const std::string& name, value content) { vars_.emplace(name, std::move(content)); }
  const value* find_var(std::string_view name) const;
  const std::map<std::string, value, std::less<>>& vars() const { return vars_; }

  /// A text that is known when the scenario has started, and never before.
  name_target add_secret(const std::string& name);
  std::optional<std::uint32_t> find_secret(std::string_view name) const;

  strand_names& add_strand(std::string owner, bool publishes, bool has_index, strand_plan& into);
  named_party& add_party(named_party made);
  named_party* find_party(std::string_view name);
  const std::deque<named_party>& parties() const { return parties_; }

  /// Vars, actors and services that are still to come.
  void add_later_name(std::string_view name) { later_.emplace(name); }
  bool is_later_name(std::string_view name) const { return later_.contains(name); }
  /// Looking for what was meant takes time, so a file full of errors gets it for some of them.
  bool admit_suggestion() { return suggestions_left_-- > 0; }
  /// False when this use of a constant would make the plan hold too much.
  bool admit_constant(const value& used);

 private:
  plan& into_;
  const matrix_case& case_;
  std::map<std::string, value, std::less<>> vars_;
  std::map<std::string, std::uint32_t, std::less<>> ports_;
  std::map<std::string, std::uint32_t, std::less<>> secrets_;
  std::deque<strand_names> strands_;
  std::deque<named_party> parties_;
  std::map<std::string, std::size_t, std::less<>> party_by_name_;
  std::set<std::string, std::less<>> later_;
  std::size_t constant_bytes_ = 0;
  int suggestions_left_ = 200;
};

/// The names as seen from one place. Names that exist but can't be used there are noted, and told
/// by tell_problems() at their place in the file.
class name_scope final : public name_resolver {
 public:
  name_scope(name_table& all, name_stage when, strand_names* own = nullptr,
             std::size_t services_before = ~std::size_t{0})
      : all_(all), when_(when), own_(own), services_before_(services_before) {}

  std::optional<resolved_name> resolve(std::span<const std::string_view> path) override;
  std::vector<std::string> candidates(std::span<const std::string_view> path) override;

  /// `from` is the node that was compiled last. Returns whether there was any.
  bool tell_problems(const node& from, diagnostics& out);

  strand_names* own() { return own_; }
  name_table& all() { return all_; }
  name_stage when() const { return when_; }

 private:
  struct problem {
    std::string_view first, last;  // parts of the path, inside a node's text
    code id;
    std::string message;
    std::string help;
  };
  using found = std::optional<resolved_name>;

  found resolve_own(std::span<const std::string_view> path);
  found resolve_special(std::span<const std::string_view> path);
  found resolve_matrix(std::span<const std::string_view> path);
  found resolve_party(std::span<const std::string_view> path);
  found resolve_address(const named_party& party, std::span<const std::string_view> path);
  found resolve_published(named_party& party, std::span<const std::string_view> path);
  found resolve_service(named_party& party, std::span<const std::string_view> path);
  found constant(const value& content, std::size_t parts, std::span<const std::string_view> path);
  found refuse(std::span<const std::string_view> path, code id, std::string message,
               std::string help = {});
  /// Nothing when it is no message, or has the field.
  found refuse_field(std::span<const std::string_view> path, const declared_name& known,
                     std::size_t parts);

  name_table& all_;
  name_stage when_;
  strand_names* own_;
  std::size_t services_before_;
  std::vector<problem> problems_;
};

/// Whether `text` may be a name; if not, E0317 is told at `at`. `what` is "an actor", "a variable".
bool check_name(std::string_view text, span at, std::string_view what, diagnostics& out);

/// Reports words that can't stand for a meeting point (a barrier, a signal). No expression names
/// them, so any short text will do: "half the body is there".
bool check_words(std::string_view text, span at, std::string_view what, diagnostics& out);
/// Words with a meaning of their own in expressions: nothing may be called so.
bool is_reserved_name(std::string_view name);

std::optional<handle_value> find_handle_value(std::string_view name);

}  // namespace scenarios
