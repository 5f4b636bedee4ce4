#include <fmt/format.h>

#include <algorithm>

#include "scenarios/names.hpp"
#include "scenarios/string_token.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/tls_certificate.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

using path_type = std::span<const std::string_view>;

value_type type_of(handle_value what) {
  switch (what) {
    case handle_value::fd:
    case handle_value::port:
    case handle_value::slot:
    case handle_value::pid:
      return value_type::integer;
    default:
      return value_type::text;
  }
}

/// The string of `from`, or inside it, whose text `part` is a piece of.
const node* holder_of(const node& from, std::string_view part) {
  if (from.is(node_kind::string)) {
    const char* begin = from.text().data();
    const bool inside = !std::less<>()(part.data(), begin) &&
                        !std::less<>()(begin + from.text().size(), part.data() + part.size());
    return inside ? &from : nullptr;
  }
  for (const node& item : from.items())
    if (const node* found = holder_of(item, part)) return found;
  for (const member& m : from.members())
    if (const node* found = holder_of(m.value, part)) return found;
  return nullptr;
}

resolved_name shared_slot(std::uint32_t slot, value_type type, std::size_t parts) {
  return {std::nullopt, {shared_space, slot}, type, parts};
}

}  // namespace

name_scope::found name_scope::refuse(path_type path, code id, std::string message,
                                     std::string help) {
  problems_.push_back({path.front(), path.back(), id, std::move(message), std::move(help)});
  // Known, so that the expression compiler does not call it unknown; the plan is not run.
  return resolved_name{std::nullopt, {local_space, 0}, value_type::any, path.size()};
}

bool name_scope::tell_problems(const node& from, diagnostics& out) {
  const bool any = !problems_.empty();
  for (problem& p : problems_) {
    span where = from.at();
    if (const node* holder = holder_of(from, p.first)) {
      const auto begin = static_cast<std::size_t>(p.first.data() - holder->text().data());
      const auto end =
          static_cast<std::size_t>(p.last.data() - holder->text().data()) + p.last.size();
      where = inside_string(*holder, begin, end);
    }
    out.error(p.id, where, std::move(p.message)).help = std::move(p.help);
  }
  problems_.clear();
  return any;
}

name_scope::found name_scope::resolve(path_type path) {
  if (found own = resolve_own(path)) return own;
  if (found special = resolve_special(path)) return special;
  if (const value* var = all_.find_var(path[0])) return constant(*var, 1, path);
  if (const auto secret = all_.find_secret(path[0]); secret && when_ != name_stage::constants)
    return shared_slot(*secret, value_type::text, 1);
  if (found party = resolve_party(path)) return party;
  // Last, so that an actor may be called so.
  if (path.size() < 2 || path[0] != "tls" || (path[1] != "cert" && path[1] != "key"))
    return std::nullopt;
  const certificate& made = automatic_certificate("");
  return constant(value::text(path[1] == "cert" ? made.cert : made.key), 2, path);
}

name_scope::found name_scope::constant(const value& content, std::size_t parts, path_type path) {
  if (!all_.admit_constant(content)) {
    return refuse(path, code::value_out_of_range,
                  "the constants of this file are too large where they are used",
                  "put large data into a file: { \"file\": … }");
  }
  return resolved_name{content, {}, content.kind(), parts};
}

name_scope::found name_scope::resolve_own(path_type path) {
  if (const macro_argument* given = own_ != nullptr ? own_->find_argument(path[0]) : nullptr) {
    if (given->constant) return constant(*given->constant, 1, path);
    return resolved_name{std::nullopt, {local_space, given->local}, given->type, 1};
  }
  declared_name* known = own_ != nullptr ? own_->find(path[0]) : nullptr;
  if (known == nullptr) return std::nullopt;
  if (known->kind == name_kind::descriptor) {
    const auto what = path.size() > 1 ? find_handle_value(path[1]) : std::nullopt;
    if (known->is_process && what != handle_value::pid) {
      return refuse(path, code::unknown_name,
                    fmt::format("{} is a program, not a value", in_quotes(path[0])),
                    fmt::format("it has {}.pid", path[0]));
    }
    if (!what) {
      return refuse(
          path, code::unknown_name,
          fmt::format("{} is a descriptor, not a value", in_quotes(path[0])),
          fmt::format("it has {0}.fd, {0}.addr, {0}.local, {0}.peer and {0}.port", path[0]));
    }
  }
  if (!known->ready) {
    const std::string help =
        known->async.empty()
            ? (all_.find_var(path[0]) != nullptr
                   ? "`set` makes a variable of the actor's own, which hides the one of `vars`"
                   : "it is made only later")
            : fmt::format("it is there after {{ \"join\": \"{}\" }}", known->async);
    return refuse(path, code::unknown_name,
                  fmt::format("{} is used before it is assigned", in_quotes(path[0])), help);
  }
  if (found refused = refuse_field(path, *known, 1)) return refused;
  if (known->kind != name_kind::descriptor)
    return resolved_name{std::nullopt, {local_space, known->index}, known->type, 1};
  const handle_value what = *find_handle_value(path[1]);
  const name_target to = own_->property(known->index, what, false);
  return resolved_name{std::nullopt, {local_space, to.local}, type_of(what), 2};
}

name_scope::found name_scope::refuse_field(path_type path, const declared_name& known,
                                           std::size_t parts) {
  if (known.layout == nullptr || path.size() <= parts) return std::nullopt;
  if (known.layout->find_slot(path[parts]) != nullptr) return std::nullopt;
  return refuse(
      path, code::unknown_name,
      fmt::format("the message {} has no field {}", known.layout->name, in_quotes(path[parts])),
      suggestion(path[parts], known.layout->slot_names()));
}

name_scope::found name_scope::resolve_special(path_type path) {
  const std::string_view first = path[0];
  if (all_.matrix().unknown && (first == "matrix" || first == cases_axis))
    return resolved_name{std::nullopt, {local_space, 0}, value_type::any, path.size()};
  if (first == "matrix") return resolve_matrix(path);
  if (first == "case") {
    const matrix_case::choice* row = all_.matrix().find(cases_axis);
    if (row == nullptr) return std::nullopt;
    if (path.size() > 1 && path[1] == "label")
      return resolved_name{value::text(row->chosen->label), {}, value_type::text, 2};
    return constant(row->chosen->content, 1, path);
  }
  if (first == "actor" && path.size() > 1 && path[1] == "index") {
    if (own_ == nullptr || !own_->has_index()) {
      return refuse(path, code::unknown_name, "only clients and tasks have actor.index");
    }
    return resolved_name{std::nullopt, {local_space, own_->index_slot()}, value_type::integer, 2};
  }
  if ((first == "tmp" || first == "port") && when_ == name_stage::constants) {
    return refuse(path, code::not_yet_available,
                  fmt::format("{} is not there yet when this is computed", in_quotes(first)));
  }
  if (first == "tmp") return shared_slot(all_.tmp_slot(), value_type::text, 1);
  if (first == "port" && path.size() > 1)
    return shared_slot(all_.port_slot(path[1]), value_type::integer, 2);
  return std::nullopt;
}

name_scope::found name_scope::resolve_matrix(path_type path) {
  const matrix_case::choice* choice = path.size() > 1 ? all_.matrix().find(path[1]) : nullptr;
  if (choice == nullptr) return std::nullopt;
  if (path.size() > 2 && path[2] == "label")
    return resolved_name{value::text(choice->chosen->label), {}, value_type::text, 3};
  return constant(choice->chosen->content, 2, path);
}

name_scope::found name_scope::resolve_party(path_type path) {
  named_party* party = all_.find_party(path[0]);
  if (when_ == name_stage::constants && all_.is_later_name(path[0])) {
    return refuse(path, code::not_yet_available,
                  fmt::format("{} is not there yet when this is computed", in_quotes(path[0])));
  }
  if (party == nullptr) return std::nullopt;
  if (path.size() < 2) {
    return refuse(path, code::unknown_name,
                  fmt::format("{} is a name of many values", in_quotes(path[0])),
                  party->addr.shared != no_index || party->what == named_party::kind::service
                      ? fmt::format("write ${{{}.addr}}", path[0])
                      : fmt::format("write ${{{}.NAME}}", path[0]));
  }
  switch (party->what) {
    case named_party::kind::server:
      if (const declared_name* list =
              party->strand != nullptr ? party->strand->find(path[1]) : nullptr;
          list != nullptr && list->kind == name_kind::collection && party->strand != own_ &&
          when_ >= name_stage::actors)
        return shared_slot(list->shared, value_type::list, 2);
      if (path[1] != "addr" && path[1] != "port") {
        if (party->strand == nullptr || party->strand->find(path[1]) == nullptr)
          return std::nullopt;
        return refuse(
            path, code::unknown_name,
            fmt::format("{} is of one connection's handler, which publishes nothing",
                        in_quotes(path[1])),
            fmt::format("a server publishes {0}.addr, {0}.port and what its handlers collect",
                        path[0]));
      }
      return resolve_address(*party, path);
    case named_party::kind::proxy:
      return path[1] == "addr" || path[1] == "port" ? resolve_address(*party, path) : std::nullopt;
    case named_party::kind::service:
      return resolve_service(*party, path);
    case named_party::kind::setup:
    case named_party::kind::actor:
      if (party->addr.shared != no_index && (path[1] == "addr" || path[1] == "port"))
        return resolve_address(*party, path);
      return resolve_published(*party, path);
  }
  return std::nullopt;
}

/// Of what is bound before anything runs.
name_scope::found name_scope::resolve_address(const named_party& party, path_type path) {
  if (when_ < name_stage::setup) {
    return refuse(
        path, code::not_yet_available,
        "the addresses of servers and proxies are not known before all of them are bound");
  }
  return path[1] == "addr" ? shared_slot(party.addr.shared, value_type::text, 2)
                           : shared_slot(party.port.shared, value_type::integer, 2);
}

name_scope::found name_scope::resolve_published(named_party& party, path_type path) {
  const bool is_setup = party.what == named_party::kind::setup;
  if (party.strand == own_) {
    return refuse(path, code::unknown_name,
                  fmt::format("{} is this actor itself", in_quotes(path[0])),
                  fmt::format("its own names stand alone: ${{{}}}", path[1]));
  }
  declared_name* any = party.strand->find(path[1]);
  if (any == nullptr) return std::nullopt;
  if (when_ < (is_setup ? name_stage::services : name_stage::actors)) {
    return refuse(path, code::not_yet_available,
                  fmt::format("{} has not begun when this is computed", in_quotes(path[0])));
  }
  if (party.copied) {
    return refuse(path, code::unknown_name,
                  fmt::format("{} has `count`, and copies publish nothing", in_quotes(path[0])));
  }
  const declared_name* known = party.strand->find_published(path[1]);
  if (known == nullptr) return std::nullopt;
  if (known->kind == name_kind::variable) {
    return refuse(
        path, code::unknown_name,
        fmt::format("{} is a variable, and variables are not published", in_quotes(path[1])),
        "`as` and `capture` publish");
  }
  if (found refused = refuse_field(path, *known, 2)) return refused;
  if (known->kind != name_kind::descriptor) return shared_slot(known->shared, known->type, 2);
  const auto what = path.size() > 2 ? find_handle_value(path[2]) : std::nullopt;
  if (!what) {
    return refuse(path, code::unknown_name,
                  fmt::format("{} is a descriptor of {}, not a value", in_quotes(path[1]), path[0]),
                  "of a descriptor there are .fd, .addr, .local, .peer and .port");
  }
  const name_target to = party.strand->property(known->index, *what, true);
  return shared_slot(to.shared, type_of(*what), 3);
}

name_scope::found name_scope::resolve_service(named_party& party, path_type path) {
  std::uint32_t slot = no_index;
  value_type type = value_type::text;
  if (path[1] == "addr" || path[1] == "port") {
    slot = path[1] == "addr" ? party.addr.shared : party.port.shared;
    if (path[1] == "port") type = value_type::integer;
    if (slot == no_index) {
      return refuse(path, code::unknown_name,
                    fmt::format("the service {} has no ready port", in_quotes(path[0])),
                    "\"ready\": { \"port\": \"${port.NAME}\" } gives it one");
    }
  } else if (path[1] == "pid") {
    slot = party.pid.shared;
    type = value_type::integer;
  } else {
    for (const auto& [name, to] : party.captures)
      if (name == path[1]) slot = to.shared;
  }
  if (slot == no_index) return std::nullopt;
  if (when_ < name_stage::services || party.order >= services_before_) {
    return refuse(
        path, code::not_yet_available,
        fmt::format("the service {} is not started yet when this is computed", in_quotes(path[0])),
        when_ == name_stage::services ? "services start in the order of the file" : "");
  }
  return shared_slot(slot, type, 2);
}

std::vector<std::string> name_scope::candidates(path_type) {
  std::vector<std::string> words;
  if (!all_.admit_suggestion()) return words;
  if (own_ != nullptr) words = own_->words();
  for (const auto& [name, content] : all_.vars()) words.push_back(name);
  for (const matrix_case::choice& c : all_.matrix().choices)
    words.push_back("matrix." + c.axis->name);
  if (when_ == name_stage::constants) return words;
  words.emplace_back("tmp");
  words.emplace_back("actor.index");
  for (const named_party& party : all_.parties()) {
    if (party.addr.shared != no_index) words.push_back(party.name + ".addr");
    if (party.port.shared != no_index) words.push_back(party.name + ".port");
    if (party.pid.shared != no_index) words.push_back(party.name + ".pid");
    for (const auto& [name, to] : party.captures) words.push_back(party.name + '.' + name);
    if (party.strand == nullptr || party.strand == own_) continue;
    const std::vector<std::string> published = party.strand->published_words();
    words.insert(words.end(), published.begin(), published.end());
  }
  return words;
}

}  // namespace scenarios
