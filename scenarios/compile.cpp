#include "scenarios/compile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include "scenarios/cases.hpp"
#include "scenarios/checked_object.hpp"
#include "scenarios/compile_actors.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/document.hpp"
#include "scenarios/faults/planned.hpp"
#include "scenarios/follow/follow.hpp"
#include "scenarios/include.hpp"
#include "scenarios/matrix.hpp"
#include "scenarios/units.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using plan_list = std::vector<std::shared_ptr<const plan>>;

constexpr std::int64_t format_version = 1;
/// Steps of all cases together: what their plans may take of the memory.
constexpr std::size_t file_steps_max = 500'000;
/// After so many cases with errors the others are taken to have the same.
constexpr std::size_t failed_cases_max = 64;

/// Adds what was found in one case to what is told about the file: the same mistake, which most
/// cases share, once.
class case_merger {
 public:
  explicit case_merger(diagnostics& out) : out_(out) {}

  void add(const diagnostics& of_case, const std::string& label, bool first) {
    for (const diagnostic& each : of_case.all()) {
      if (!seen_.emplace(each.id, each.where.begin, each.where.end, each.message).second) continue;
      diagnostic told = each;
      if (!first) told.notes.push_back(fmt::format("in the case [{}]", label));
      out_.add(std::move(told));
    }
  }

 private:
  diagnostics& out_;
  std::set<std::tuple<code, std::uint32_t, std::uint32_t, std::string>> seen_;
};

class file_compiler {
 public:
  file_compiler(const document& from, const source_list& included, const compile_options& options,
                diagnostics& out)
      : from_(from),
        options_(options),
        out_(out),
        top_(from.root, keys::top_level, out, code::unknown_top_level_key) {
    header_.included = included;
  }

  plan_list compile();

 private:
  std::shared_ptr<plan> compile_case(const matrix_case& which, diagnostics& out);
  void declare(case_context& in, actor_compiler& actors);
  void check_macros(const matrix_case& which, diagnostics& out);
  payload_context files_of(const plan& made) const;
  void compile_header();
  void compile_tags(const node& tags);

  const document& from_;
  const compile_options& options_;
  diagnostics& out_;
  checked_object top_;
  plan header_;
  std::size_t steps_ = 0;
  std::set<std::string, std::less<>> called_;  // macros
};

plan_list file_compiler::compile() {
  if (!from_.root.is(node_kind::object)) return {};
  compile_header();
  const matrix_table matrix = read_matrix(top_.find("matrix"), top_.find("cases"), out_);
  const std::size_t cases = matrix.size();
  const node* rows = top_.find("cases");
  if (rows != nullptr && rows->is(node_kind::object)) {
    const node* csv = rows->find("csv");
    if (csv != nullptr && csv->is(node_kind::string)) header_.read_files = {path_of_csv(*csv)};
  }

  plan_list made;
  case_merger merger(out_);
  std::size_t failed = 0;
  for (std::size_t i = 0; i < cases && failed < failed_cases_max; ++i) {
    const matrix_case which = matrix.at(i);
    diagnostics of_case;
    made.push_back(compile_case(which, of_case));
    merger.add(of_case, which.label(), i == 0);
    if (i == 0) {
      diagnostics of_macros;
      check_macros(which, of_macros);
      merger.add(of_macros, which.label(), true);
    }
    if (of_case.has_errors()) ++failed;
    // All cases have the same steps.
    if (i == 0 && steps_ * cases > file_steps_max) {
      const node* where = top_.find("matrix");
      if (where == nullptr) where = top_.find("cases");
      out_.error(code::value_out_of_range, where->at(),
                 fmt::format("{} cases of {} steps each: a file has at most {}, its cases counted",
                             cases, steps_, file_steps_max));
      break;
    }
  }
  return out_.has_errors() ? plan_list{} : made;
}

void file_compiler::compile_header() {
  if (const node* defaults = top_.find("defaults")) check_defaults(*defaults, out_);
  header_.text = from_.from;
  header_.file = from_.from->name();
  if (const node* name = top_.find("name")) header_.name = name->text();
  if (const node* description = top_.find("description")) header_.description = description->text();
  if (const node* tags = top_.find("tags")) compile_tags(*tags);
  compile_conduct(top_, header_, out_);
  if (const node* seed = top_.find("seed");
      seed != nullptr && check_range(seed->integer(), {}, seed->at(), "\"seed\"", out_))
    header_.seed = static_cast<std::uint64_t>(seed->integer());
  if (const node* net = top_.find("net")) {
    header_.private_net = net->text() == "private";
    if (!header_.private_net)
      out_.error(code::unknown_constant, net->at(),
                 fmt::format("\"net\" is \"private\", not {}", in_quotes(net->text())));
  }
  if (const node* timeout = top_.find("timeout")) {
    const auto time = read_duration(*timeout, out_);
    if (time && time->count() == 0)
      out_.error(code::value_out_of_range, timeout->at(), "a deadline is longer than nothing");
    if (time) header_.timeout = *time;
  }
}

void file_compiler::compile_tags(const node& tags) {
  std::set<std::string> seen;
  for (const node& tag : tags.items()) {
    if (!check_type(tag, json::string, "a tag", out_)) continue;
    if (!seen.insert(tag.text()).second) {
      out_.error(code::duplicate_name, tag.at(),
                 fmt::format("the tag {} stands here twice", in_quotes(tag.text())));
    } else if (check_name(tag.text(), tag.at(), "a tag", out_)) {
      header_.tags.push_back(tag.text());
    }
  }
}

std::shared_ptr<plan> file_compiler::compile_case(const matrix_case& which, diagnostics& out) {
  auto made = std::make_shared<plan>(header_);
  made->case_label = which.label();
  made->id =
      made->case_label.empty() ? made->file : fmt::format("{}[{}]", made->file, made->case_label);
  payload_context files = files_of(*made);
  const auto read_files = std::make_shared<std::vector<std::string>>(made->read_files);
  files.read_files = read_files;
  case_context in(*made, which, std::move(files), out);
  actor_compiler actors(in);
  declare(in, actors);
  if (const node* services = top_.find("services")) compile_services(in, *services);
  if (const node* proxies = top_.find("proxies")) compile_proxies(in, *proxies);
  actors.compile();
  called_.insert(in.called.begin(), in.called.end());
  check_barriers(in);
  check_signals(in);
  check_order(in);
  check_addresses(in);
  check_descriptors(in);
  check_times(in);
  check_conditions(in);
  // What is wrong elsewhere may be why nobody dials.
  if (!out.has_errors()) check_dialers(in);
  check_gates(in);
  if (const node* replayed = planned_faults(options_.faults.get(), made->id)) {
    made->included.push_back(options_.faults->from);
    in.replays = true;
    if (options_.planned_seeds)
      if (const auto seed = planned_seed(options_.faults.get(), made->id)) made->seed = seed;
    compile_faults(in, *replayed);
  } else if (const node* faults = top_.find("faults")) {
    compile_faults(in, *faults);
  }
  check_fault_uses(in);
  if (made->has_threads) check_threads(in, top_);
  steps_ += in.step_count + made->actors.size();  // each client's connect is a step, too
  std::ranges::sort(*read_files);
  read_files->erase(std::ranges::unique(*read_files).begin(), read_files->end());
  made->read_files = *read_files;
  return made;
}

payload_context file_compiler::files_of(const plan& made) const {
  payload_context files;
  files.directory = std::filesystem::path(made.file).parent_path();
  files.by_source = true;
  files.bless = options_.bless;
  return files;
}

/// Of the macros that no step has called; in a case of their own, which nobody keeps.
void file_compiler::check_macros(const matrix_case& which, diagnostics& out) {
  const node* macros = top_.find("macros");
  const auto is_called = [&](const member& m) { return called_.contains(m.key); };
  if (macros == nullptr || std::ranges::all_of(macros->members(), is_called)) return;
  plan unused(header_);
  diagnostics told;
  case_context in(unused, which, files_of(unused), told);
  in.called = called_;
  actor_compiler actors(in);
  declare(in, actors);
  check_uncalled(in, from_.root, out);
}

/// All names, and what steps refer to by name.
void file_compiler::declare(case_context& in, actor_compiler& actors) {
  diagnostics& out = in.out;
  for (const std::string_view key : {"actors", "services", "proxies"}) {
    if (const node* parties = top_.find(key))
      for (const member& m : parties->members()) in.names.add_later_name(m.key);
  }
  if (const node* vars = top_.find("vars")) {
    compile_vars(in, *vars, options_.vars);
    if (options_.known_vars != nullptr)
      for (const auto& [name, content] : in.names.vars()) options_.known_vars->insert(name);
  }
  if (const node* secrets = top_.find("secrets")) compile_secrets(in, *secrets);
  if (const node* messages = top_.find("messages")) {
    name_scope constants(in.names, name_stage::constants);
    in.files.messages = compile_messages(*messages, constants, out);
    constants.tell_problems(*messages, out);
  }
  if (const node* needed = top_.find("requires")) compile_requires(in, *needed);
  in.defaults = top_.find("defaults");
  in.has_faults = top_.find("faults") != nullptr || options_.faults != nullptr;
  if (const node* macros = top_.find("macros")) in.macros = read_macros(*macros, out);
  const node* services = top_.find("services");
  if (services != nullptr) declare_services(in, *services);
  const node* proxies = top_.find("proxies");
  if (proxies != nullptr) declare_proxies(in, *proxies);
  if (const node* rings = top_.find("rings")) compile_rings(in, *rings);
  actors.declare(top_);
}

plan_list compile_text(const std::shared_ptr<const source>& text, suite_use suite,
                       const compile_options& options, diagnostics& out) {
  diagnostics of_file;
  plan_list made;
  std::optional<document> parsed = parse_document(text, of_file);
  if (parsed && check_format(parsed->root, of_file)) {
    const source_list included = assemble(*parsed, suite, of_file);
    made = file_compiler(*parsed, included, options, of_file).compile();
  }
  for (const diagnostic& each : of_file.all()) out.add(each);
  return made;
}

}  // namespace

bool check_format(const node& root, diagnostics& out) {
  const node* format = root.find("format");
  if (format == nullptr || !format->is(node_kind::integer) || format->integer() == format_version)
    return true;
  out.error(
      code::format_version, format->at(),
      fmt::format("this is format {}, and known is format {}", format->integer(), format_version));
  return false;
}

std::vector<std::shared_ptr<const plan>> compile_source(const std::shared_ptr<const source>& text,
                                                        const compile_options& options,
                                                        diagnostics& out) {
  return compile_text(text, suite_use::none, options, out);
}

std::vector<std::shared_ptr<const plan>> compile_file(const std::string& path,
                                                      const compile_options& options,
                                                      diagnostics& out) {
  std::shared_ptr<const source> text = load_source(path, out);
  if (text == nullptr) return {};
  return compile_text(text, suite_use::beside, options, out);
}

}  // namespace scenarios
