// A proxy's file: proxies, rules, where commands are taken.

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile.hpp"
#include "scenarios/compile_case.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/document.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/proxy_loop.hpp"
#include "scenarios/wire/stream_when.hpp"
#include "scenarios/wire/wire_rule.hpp"

namespace scenarios {
namespace {

using enum key_state;
namespace j = json;

constexpr key_row file_rows[] = {
    {"$schema", j::string, optional, "where an editor finds the schema; not read here"},
    {"format", j::integer, optional, "version of the language: 1"},
    {"name", j::string, optional, "what it is for"},
    {"description", j::string, optional, "more about it"},
    {"seed", j::integer, optional, "of random draws (default 1)"},
    {"control", j::string, optional, "the path of the socket that takes commands"},
    {"proxies", j::object, required, "relays by name"},
    {"faults", j::array, optional, "rules that break what passes"},
};
constexpr key_row rule_rows[] = {
    {"type", j::string, required, "what it does: wire.latency"},
    {"id", j::string, optional, "its name (default fault1, fault2 …)"},
    {"where", j::object, optional, "whom it may hit"},
    {"when", j::object, optional, "which of those, and when"},
    {"times", j::integer, optional, "how often at most"},
    {"stack", j::boolean, optional, "true: acts beside an earlier rule of its kind"},
    {"seed", j::integer, optional, "of its own draws, in place of the proxies'"},
};
constexpr key_row where_rows[] = {
    {"proxy", j::string, optional, "one proxy"},
    {"conn", j::string, optional, "one connection: px#2, the second that px accepted"},
};
constexpr key_row when_rows[] = {
    {"nth", j::integer | j::string, optional, "n, or first..last+step: connections, or matches"},
    {"after_bytes", j::integer | j::string, optional, "behind exactly so many bytes"},
    {"match", j::object | j::string, optional, "behind these bytes: {text}, {hex} or {regex}"},
    {"after", j::object, optional, "after another rule has fired: {fault, delay}"},
    {"at", j::string, optional, "so long after the proxy began"},
    {"window", j::array, optional, "from … to …, counted since the proxy began"},
    {"p", j::integer | j::real, optional, "with this probability, drawn by the seed"},
};
constexpr key_row after_rows[] = {
    {"fault", j::string, required, "the id of the other rule"},
    {"delay", j::string, optional, "so long after it"},
};
constexpr key_table file_keys{"proxy file", "a proxy file", file_rows};
constexpr key_table where_keys{"where", "`where`", where_rows};
constexpr key_table when_keys{"when", "`when`", when_rows};
constexpr key_table after_keys{"after", "`after`", after_rows};

/// An empty case: expressions have constants to work with, and nothing to refer to.
struct constant_case {
  explicit constant_case(diagnostics& out) : in(nothing, no_case, {}, out) {}
  compile_scope scope() {
    return compile_scope(name_scope(in.names, name_stage::constants), in.files, in.out);
  }
  plan nothing;
  matrix_case no_case;
  case_context in;
};

class rule_compiler {
 public:
  rule_compiler(const proxy_plan& among, compile_scope scope, const node& from)
      : among_(among), scope_(std::move(scope)), out_(scope_.out()), from_(from) {}

  std::optional<wire_rule> compile() {
    const std::size_t before = out_.error_count();
    std::vector<key_row> rows(std::begin(rule_rows), std::end(rule_rows));
    const node* type = from_.find("type");
    const wire_fault_row* row =
        type != nullptr && type->is(node_kind::string) ? find_wire_fault(type->text()) : nullptr;
    if (row != nullptr)
      for (const wire_parameter& each : row->parameters)
        rows.push_back({each.key, j::any, optional, each.doc});
    const key_table table{"fault", "a fault", rows};
    const checked_object keys(from_, table, out_);
    if (const node* id = keys.find("id");
        id != nullptr && check_name(id->text(), id->at(), "a fault", out_))
      made_.id = id->text();
    if (const node* where = keys.find("where")) compile_where(*where);
    if (keys.find("type") == nullptr || !keys.sound()) return std::nullopt;
    made_.text = from_.at().text();
    auto effect = compile_wire_effect(from_, scope_, carrier());
    if (!effect) return std::nullopt;
    made_.effect = std::make_shared<const wire_effect>(*std::move(effect));
    if (const node* when = keys.find("when")) {
      compile_when(*when);
      check_stage(*when, row_of(made_.effect->type));
    }
    if (made_.effect->type == wire_fault::refuse && !made_.conn.empty())
      out_.error(code::rule_cannot_match, from_.at(), "wire.refuse hits nobody who is connected")
          .help = "`where` names a proxy; nth: 3 refuses from the third connection on";
    const bool many = made_.nth.ranged || made_.p || made_.window ||
                      row_of(made_.effect->type).span == wire_span::condition;
    made_.times = many ? fault_forever : 1;
    made_.one_stroke = keys.find("times") == nullptr;
    if (const node* times = keys.find("times"))
      if (check_range(times->integer(), {1, INT64_MAX}, times->at(), "\"times\"", out_))
        made_.times = static_cast<std::uint64_t>(times->integer());
    if (const node* stack = keys.find("stack")) made_.stack = stack->boolean();
    if (const node* seed = keys.find("seed")) made_.seed = read_seed(*seed, out_);
    if (out_.error_count() != before) return std::nullopt;
    return std::move(made_);
  }

 private:
  wire_carrier carrier() const {
    wire_carrier known = wire_carrier::unknown;
    for (const proxy_spec& each : among_.proxies) {
      if (!made_.proxy.empty() && made_.proxy != each.name) continue;
      const auto kind = each.listen.is_datagram() ? wire_carrier::datagram : wire_carrier::stream;
      if (known != wire_carrier::unknown && known != kind) return wire_carrier::unknown;
      known = kind;
    }
    return known;
  }

  void compile_where(const node& where) {
    const checked_object keys(where, where_keys, out_);
    if (const node* proxy = keys.find("proxy")) {
      made_.proxy = proxy->text();
      check_proxy(made_.proxy, proxy->at());
    }
    if (const node* conn = keys.find("conn")) {
      made_.conn = conn->text();
      const std::size_t hash = made_.conn.find('#');
      if (hash == std::string::npos) {
        out_.error(code::bad_name, conn->at(), "a connection is written proxy#number").help =
            "px#2 is the second that px accepted";
      } else {
        check_proxy(made_.conn.substr(0, hash), conn->at());
      }
    }
  }

  void check_proxy(const std::string& name, span at) {
    std::vector<std::string_view> names;
    names.reserve(among_.proxies.size());
    for (const proxy_spec& each : among_.proxies) names.push_back(each.name);
    if (std::ranges::find(names, name) != names.end()) return;
    out_.error(code::unknown_name, at, fmt::format("there is no proxy {}", in_quotes(name))).help =
        suggestion(name, names);
  }

  void compile_when(const node& when) {
    const checked_object keys(when, when_keys, out_);
    if (const node* nth = keys.find("nth"))
      made_.nth = read_occurrences(*nth, scope_).value_or(made_.nth);
    made_.on = read_stream_condition(keys, scope_);
    if (const node* after = keys.find("after")) {
      const checked_object inside(*after, after_keys, out_);
      if (const node* fault = inside.find("fault")) made_.after_fault = fault->text();
      if (const node* delay = inside.find("delay"))
        made_.after_delay =
            scope_.read_fixed_duration(*delay, "\"delay\"").value_or(made_.after_delay);
    }
    if (const node* at = keys.find("at")) made_.at = scope_.read_fixed_duration(*at, "\"at\"");
    if (const node* window = keys.find("window"))
      made_.window = read_window(*window, scope_, "the proxy began");
    if (const node* p = keys.find("p")) made_.p = read_chance(*p, out_);
  }

  /// Some faults are decided when a connection begins, or concern nobody who is connected.
  void check_stage(const node& when, const wire_fault_row& row) {
    const auto wrong = [&](std::string_view key, std::string_view why) {
      out_.error(code::rule_cannot_match, when.at(),
                 fmt::format("{} has no meaning for wire.{}: {}", in_quotes(key), row.name, why));
    };
    if (row.stage != wire_stage::bytes && made_.on.any())
      wrong(made_.on.match != nullptr ? "match" : "after_bytes",
            "it is decided before bytes have passed");
    if (row.type == wire_fault::refuse && made_.p) wrong("p", "who is refused is never seen");
  }

  const proxy_plan& among_;
  compile_scope scope_;
  diagnostics& out_;
  const node& from_;
  wire_rule made_;
};

std::optional<uring::socket_address> read_address(const node& from, bool listens,
                                                  diagnostics& out) {
  std::string reason;
  const auto read = uring::socket_address::parse(from.text(), reason);
  if (!read) {
    diagnostic& told =
        out.error(code::bad_address, from.at(),
                  fmt::format("{} is no address: {}", in_quotes(from.text()), reason));
    std::string ignored;
    const std::string with_scheme = "tcp://" + from.text();
    if (uring::socket_address::parse(with_scheme, ignored))
      told.help = fmt::format("write {}", in_quotes(with_scheme));
    else if (from.text().find("localhost") != std::string::npos)
      told.help = "localhost may be 127.0.0.1 or [::1], as the machine has it: write which one";
  } else if (!listens && (read->is_any_port() || read->is_nameless())) {
    out.error(code::bad_address, from.at(), "nobody can be dialled at port 0").help =
        "name the server's port";
    return std::nullopt;
  }
  return read;
}

void compile_one_proxy(const member& from, proxy_plan& into, diagnostics& out) {
  if (!check_name(from.key, from.key_at, "a proxy", out)) return;
  const checked_object keys(from.value, keys::proxy, out);
  const node* listen = keys.find("listen");
  const node* to = keys.find("to");
  if (listen == nullptr || to == nullptr) return;
  const auto where = read_address(*listen, true, out);
  const auto server = read_address(*to, false, out);
  if (!where || !server) return;
  if (where->is_datagram() != server->is_datagram()) {
    out.error(code::bad_address, to->at(),
              "it takes a stream on one side and datagrams on the other")
        .help = "tcp and unix go together, and udp and unixgram";
    return;
  }
  into.proxies.push_back({from.key, *where, *server});
}

void check_circles(const node& proxies, const proxy_plan& made, diagnostics& out) {
  std::vector<proxy_path> all;
  all.reserve(made.proxies.size());
  for (const proxy_spec& each : made.proxies) all.push_back({each.name, each.listen, each.to, {}});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string circle = proxy_circle(all, i);
    const node* from = proxies.find(all[i].name);
    if (circle.empty() || from == nullptr || from->find("to") == nullptr) continue;
    out.error(code::bad_address, from->find("to")->at(), circle_message(circle)).help =
        "\"to\" is the server's own address, and \"listen\" another one that clients dial";
    return;
  }
}

void name_rule(wire_rule& rule, const proxy_plan& among, span at, diagnostics& out) {
  const auto taken = [&](const std::string& id) {
    return std::ranges::find(among.rules, id, &wire_rule::id) != among.rules.end();
  };
  if (rule.id.empty()) {
    std::size_t number = among.rules.size() + 1;
    while (taken(fmt::format("fault{}", number))) ++number;
    rule.id = fmt::format("fault{}", number);
  } else if (taken(rule.id)) {
    out.error(code::duplicate_name, at,
              fmt::format("another fault has the id {}", in_quotes(rule.id)));
  }
}

void check_references(const wire_rule& rule, const proxy_plan& among, span at, diagnostics& out) {
  std::vector<std::string_view> ids;
  ids.reserve(among.rules.size());
  for (const wire_rule& each : among.rules) ids.push_back(each.id);
  for (const std::string& id : {rule.after_fault, rule.effect->target}) {
    if (id.empty() || (std::ranges::find(ids, id) != ids.end() && id != rule.id)) continue;
    out.error(code::unknown_name, at, fmt::format("there is no other fault {}", in_quotes(id)))
        .help = suggestion(id, ids);
  }
}

}  // namespace

std::optional<proxy_plan> compile_proxy_file(const std::shared_ptr<const source>& text,
                                             diagnostics& out) {
  const auto read = parse_document(text, out);
  if (!read) return std::nullopt;
  const checked_object keys(read->root, file_keys, out);
  if (!check_format(read->root, out)) return std::nullopt;
  proxy_plan made;
  if (const node* seed = keys.find("seed")) made.seed = static_cast<std::uint64_t>(seed->integer());
  if (const node* control = keys.find("control")) made.control = control->text();
  if (const node* proxies = keys.find("proxies")) {
    for (const member& each : proxies->members())
      if (!each.key.starts_with("x-")) compile_one_proxy(each, made, out);
    check_circles(*proxies, made, out);
    if (says_nothing(*proxies))
      out.error(code::empty_value, proxies->at(), "there is no proxy in it");
  }
  std::vector<span> places;
  if (const node* faults = keys.find("faults")) {
    constant_case constants(out);
    for (const node& item : faults->items()) {
      auto rule = rule_compiler(made, constants.scope(), item).compile();
      if (!rule) continue;
      name_rule(*rule, made, item.at(), out);
      made.rules.push_back(*std::move(rule));
      places.push_back(item.at());
    }
  }
  if (out.has_errors()) return std::nullopt;
  for (std::size_t i = 0; i < made.rules.size(); ++i)
    check_references(made.rules[i], made, places[i], out);
  if (out.has_errors()) return std::nullopt;
  return made;
}

std::optional<wire_rule> compile_wire_rule(const std::shared_ptr<const source>& text,
                                           const proxy_plan& among, diagnostics& out) {
  const auto read = parse_document(text, out);
  if (!read) return std::nullopt;
  constant_case constants(out);
  auto rule = rule_compiler(among, constants.scope(), read->root).compile();
  if (!rule) return std::nullopt;
  name_rule(*rule, among, read->root.at(), out);
  if (!out.has_errors()) check_references(*rule, among, read->root.at(), out);
  if (out.has_errors()) return std::nullopt;
  return rule;
}

}  // namespace scenarios
