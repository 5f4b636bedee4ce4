// `services`: real programs, what they are given, and how one sees that they are ready.

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr value_type argument = value_type::data | value_type::integer;

class service_compiler {
 public:
  service_compiler(case_context& in, const named_party& party, const node& from)
      : in_(in),
        scope_(name_scope(in.names, name_stage::services, nullptr, party.order), in.files, in.out),
        party_(party),
        keys_(from, keys::service, in.out) {}

  service_plan compile() {
    scope_.note_reads(&made_.reads);
    made_.name = party_.name;
    made_.at = party_.at;
    made_.addr = party_.addr;
    made_.port = party_.port;
    made_.pid = party_.pid;
    made_.captures = party_.captures;
    compile_program();
    compile_files();
    if (const node* ready = keys_.find("ready")) compile_ready(*ready);
    if (const node* timeout = keys_.find("ready_timeout"))
      made_.ready_timeout =
          scope_.read_fixed_duration(*timeout, "ready_timeout").value_or(made_.ready_timeout);
    if (const node* stop = keys_.find("stop")) compile_stop(*stop);
    if (const node* limits = keys_.find("limits")) compile_limits(*limits);
    if (const node* status = keys_.find("expect_exit")) compile_exit(*status);
    std::ranges::sort(made_.reads);
    const auto repeated = std::ranges::unique(made_.reads);
    made_.reads.erase(repeated.begin(), repeated.end());
    return std::move(made_);
  }

 private:
  std::vector<expression> read_argv(const node& from, std::string_view what) {
    std::vector<expression> argv;
    if (from.items().empty())
      in_.out.error(code::empty_value, from.at(), fmt::format("{} names no program", what));
    for (const node& item : from.items())
      argv.push_back(scope_.read(item, argument, "an argument"));
    return argv;
  }

  void compile_program() {
    if (const node* run = keys_.find("run")) made_.run = read_argv(*run, "\"run\"");
    if (const node* env = keys_.find("env")) {
      for (const member& m : env->members()) {
        if (m.key.empty() || m.key.find('=') != std::string::npos)
          in_.out.error(code::bad_name, m.key_at, "this is no name of an environment variable");
        made_.env.emplace_back(m.key, scope_.read(m.value, argument, "an environment variable"));
      }
    }
    if (const node* cwd = keys_.find("cwd"))
      made_.cwd = scope_.read(*cwd, value_type::text, "the working directory");
    if (const node* user = keys_.find("user"))
      made_.user = scope_.read_text(*user, "a user").value_or("");
  }

  void compile_files() {
    const node* files = keys_.find("files");
    if (files == nullptr) return;
    in_.names.tmp_slot();
    for (const member& m : files->members()) {
      service_file_plan file;
      const node path(m.key_at, m.key);
      file.path = scope_.read(path, value_type::text, "a path");
      if (file.path.is_constant()) check_path(file.path.constant().data(), m.key_at);
      const node* data = &m.value;
      if (m.value.find("data") != nullptr) {
        const checked_object keys(m.value, keys::service_file, in_.out);
        data = keys.find("data");
        if (const node* mode = keys.find("mode")) compile_mode(*mode, file);
      }
      if (data != nullptr) file.data = scope_.read_data(*data);
      made_.files.push_back(std::move(file));
    }
  }

  void check_path(std::string_view path, span at) {
    const bool leaves = path.starts_with('/') || path == ".." || path.starts_with("../") ||
                        path.ends_with("/..") || path.find("/../") != std::string_view::npos;
    if (!leaves && !path.empty()) return;
    in_.out.error(code::value_out_of_range, at, "files are written below ${tmp}").help =
        "give a relative path without ..; it can be used as ${tmp}/PATH";
  }

  void compile_mode(const node& mode, service_file_plan& file) {
    std::uint32_t bits = 0;
    bool octal = mode.is(node_kind::string) && !mode.text().empty() && mode.text().size() <= 5;
    for (const char digit : mode.text()) {
      octal = octal && digit >= '0' && digit <= '7';
      bits = bits * 8 + static_cast<std::uint32_t>(digit - '0');
    }
    if (mode.is(node_kind::integer) && mode.integer() >= 0 && mode.integer() <= 07777) {
      octal = true;
      bits = static_cast<std::uint32_t>(mode.integer());
    }
    if (octal && bits <= 07777) {
      file.mode = bits;
    } else {
      in_.out.error(code::value_out_of_range, mode.at(), "a mode is octal: \"0644\"");
    }
  }

  void compile_ready(const node& ready) {
    const checked_object keys(ready, keys::ready, in_.out);
    if (says_nothing(ready))
      in_.out.error(code::empty_value, ready.at(),
                    "\"ready\" needs one of port, stdout, file and exec");
    if (const node* port = keys.find("port")) {
      made_.ready_port =
          port->is(node_kind::string) && port->text().find("://") != std::string::npos
              ? scope_.read_address(*port, address_use::connect, "an address")
              : scope_.read(*port, argument, "a port or address");
      if (made_.ready_port->is_constant()) check_port(*made_.ready_port, *port);
    }
    if (const node* out = keys.find("stdout")) compile_stdout(*out);
    if (const node* file = keys.find("file"))
      made_.ready_file = scope_.read(*file, value_type::text, "a path");
    if (const node* exec = keys.find("exec")) made_.ready_exec = read_argv(*exec, "\"exec\"");
  }

  void check_port(const expression& port, const node& at) {
    const value& given = port.constant();
    if (given.is(value_type::integer)) {
      check_range(given.integer(), {1, 65'535}, at.at(), "a port", in_.out);
    } else if (given.data().find("://") == std::string::npos) {
      in_.out.error(code::bad_address, at.at(), "this is neither a port nor an address").help =
          "\"${port.NAME}\" is a free port of this machine";
    }
  }

  void compile_stdout(const node& out) {
    made_.ready_stdout = scope_.read(out, value_type::text, "a regular expression");
    if (!made_.ready_stdout->is_constant()) return;
    const RE2 compiled(made_.ready_stdout->constant().data(), RE2::Quiet);
    if (compiled.ok()) return;
    in_.out.error(code::bad_regex, out.at(),
                  fmt::format("this is no regular expression: {}", compiled.error()));
  }

  void compile_stop(const node& stop) {
    const checked_object keys(stop, keys::stop, in_.out);
    if (const node* signal = keys.find("signal")) made_.stop_signal = read_signal(scope_, *signal);
    if (const node* grace = keys.find("grace"))
      made_.grace = scope_.read_fixed_duration(*grace, "the grace").value_or(made_.grace);
  }

  void compile_limits(const node& limits) {
    const checked_object keys(limits, keys::limits, in_.out);
    if (says_nothing(limits))
      in_.out.error(code::empty_value, limits.at(), "\"limits\" limits nothing");
    for (const resource_limit_row& row : resource_limit_table) {
      const node* most = keys.find(row.name);
      if (most == nullptr) continue;
      if (const auto read = scope_.read_fixed_count(*most, {0, INT64_MAX}, in_quotes(row.name)))
        made_.limits.push_back({row.resource, static_cast<std::uint64_t>(*read)});
    }
  }

  void compile_exit(const node& status) {
    if (status.is(node_kind::integer)) return read_code(status);
    if (status.is(node_kind::string)) {
      made_.expect_exit_signal = read_signal(scope_, status);
      return;
    }
    const checked_object keys(status, keys::exit_status, in_.out);
    const node* code_node = keys.find("code");
    const node* signal = keys.find("signal");
    if ((code_node == nullptr) == (signal == nullptr)) {
      if (keys.sound())
        in_.out.error(signal == nullptr ? code::missing_key : code::conflicting_keys, status.at(),
                      "an exit has either a code or a signal");
      return;
    }
    if (code_node != nullptr) return read_code(*code_node);
    made_.expect_exit_signal = read_signal(scope_, *signal);
  }

  void read_code(const node& from) {
    if (check_range(from.integer(), {0, 255}, from.at(), "an exit code", in_.out))
      made_.expect_exit_code = static_cast<int>(from.integer());
  }

  case_context& in_;
  compile_scope scope_;
  const named_party& party_;
  checked_object keys_;
  service_plan made_;
};

/// The names that a pattern of `ready.stdout` gives; errors are told when it is compiled.
std::vector<std::string> group_names(case_context& in, const node& pattern) {
  diagnostics untold;
  compile_scope scope(name_scope(in.names, name_stage::constants), in.files, untold);
  std::vector<std::string> names;
  const auto text = scope.read_text(pattern, "a regular expression");
  if (!text) return names;
  const RE2 compiled(*text, RE2::Quiet);
  if (!compiled.ok()) return names;
  for (const auto& [name, number] : compiled.NamedCapturingGroups()) names.push_back(name);
  return names;
}

void declare_service(case_context& in, const member& from, std::size_t order) {
  if (!check_name(from.key, from.key_at, "a service", in.out)) return;
  if (from.key == "conn") {
    in.out.error(code::bad_name, from.key_at, "conn is the connection of a client or server");
  } else if (in.names.find_var(from.key) != nullptr) {
    in.out.error(code::duplicate_name, from.key_at,
                 fmt::format("{} is a variable already", in_quotes(from.key)));
  }
  named_party made;
  made.what = named_party::kind::service;
  made.name = from.key;
  made.at = from.key_at;
  made.order = order;
  made.pid = {no_index, in.names.add_shared(from.key + ".pid")};
  const node* ready = from.value.find("ready");
  if (ready != nullptr && ready->find("port") != nullptr) {
    made.addr = {no_index, in.names.add_shared(from.key + ".addr")};
    made.port = {no_index, in.names.add_shared(from.key + ".port")};
  }
  const node* out = ready != nullptr ? ready->find("stdout") : nullptr;
  if (out != nullptr && out->is(node_kind::string)) {
    for (std::string& name : group_names(in, *out)) {
      if (name == "addr" || name == "port" || name == "pid") {
        in.out
            .error(code::duplicate_name, out->at(),
                   fmt::format("every service has {} of its own", in_quotes(name)))
            .help = "give the group another name";
        continue;
      }
      const name_target to{no_index, in.names.add_shared(from.key + '.' + name)};
      made.captures.emplace_back(std::move(name), to);
    }
  }
  in.names.add_party(std::move(made));
}

}  // namespace

void declare_services(case_context& in, const node& from) {
  std::size_t order = 0;
  for (const member& m : from.members())
    if (!m.key.starts_with("x-")) declare_service(in, m, order++);
}

void compile_services(case_context& in, const node& from) {
  for (const member& m : from.members()) {
    const named_party* party = in.names.find_party(m.key);
    if (party == nullptr || party->what != named_party::kind::service) continue;
    in.into.services.push_back(service_compiler(in, *party, m.value).compile());
  }
}

}  // namespace scenarios
