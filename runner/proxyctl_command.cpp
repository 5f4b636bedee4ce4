// `proxyctl`: a command to a proxy that runs, and its answer.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/socket_address.hpp"
#include "runner/command_table.hpp"
#include "runner/exit_code.hpp"
#include "runner/output.hpp"
#include "runner/proxy_listing.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/document.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/proxy_commands.hpp"

namespace runner {
namespace {

using json = nlohmann::ordered_json;
using scenarios::in_quotes;

struct other_word {
  std::string_view word;
  std::string_view ours;
};
// What people say who come from toxiproxy-cli.
constexpr std::array<other_word, 8> other_words{{
    {"toxic", "`add` adds a fault, `remove` takes it away"},
    {"toxics", "`list` shows the faults"},
    {"inspect", "`list` shows proxies and faults"},
    {"ls", "`list` shows proxies and faults"},
    {"delete", "`remove ID` takes a fault away"},
    {"update", "`remove ID`, then `add` it as it is to be"},
    {"reset", "`heal` ends all faults"},
    {"toggle", "`add '{\"id\":\"off\",\"type\":\"wire.refuse\"}'` and `heal off`"},
}};

std::string all_commands() {
  std::string all;
  for (const auto& each : scenarios::proxy_commands) {
    if (!all.empty()) all += ", ";
    all += each.name;
    if (each.argument.empty()) continue;
    const std::string word = each.verb == scenarios::proxy_verb::add ? "FAULT" : "ID";
    all += each.needs_argument ? " " + word : " [" + word + "]";
  }
  return all;
}

std::string unknown_command(const std::string& word) {
  std::vector<std::string_view> names;
  names.reserve(scenarios::proxy_commands.size());
  for (const auto& each : scenarios::proxy_commands) names.push_back(each.name);
  const auto* const known = std::ranges::find(other_words, word, &other_word::word);
  const std::string near =
      known != other_words.end() ? std::string(known->ours) : scenarios::did_you_mean(word, names);
  return fmt::format("a proxy has no command {}; {}", in_quotes(word),
                     near.empty() ? "it has " + all_commands() : near);
}

/// The request, or what is wrong with the words.
std::string request_of(const std::vector<std::string>& words, json& into) {
  if (words.size() < 2) return "COMMAND is missing: " + all_commands();
  const auto* const found = scenarios::find_proxy_command(words[1]);
  if (found == nullptr) return unknown_command(words[1]);
  into = {{"command", words[1]}};
  if (words.size() < 3) {
    return found->needs_argument
               ? fmt::format("{0} needs {1}: `uring-scenario proxyctl {2} {0} {3}`", words[1],
                             found->argument_is, words[0], found->example)
               : std::string();
  }
  if (found->argument.empty()) return fmt::format("{} takes no word behind it", words[1]);
  const bool adds = found->verb == scenarios::proxy_verb::add;
  if (words.size() > 3)
    return fmt::format("{} is one too many{}", in_quotes(words[3]),
                       adds ? ": the fault is one word, in single quotes" : "");
  json& argument = into[std::string(found->argument)];
  argument = words[2];
  if (!adds) return {};
  // What a file may not say, such as a key twice, a word may not say either.
  scenarios::diagnostics told;
  scenarios::parse_document(scenarios::source::from_text("the fault", words[2]), told);
  argument = json::parse(words[2], nullptr, false, true);
  if (argument.is_object() && told.has_errors())
    return fmt::format("{}: {}", in_quotes(words[2]), told.all().front().message);
  return argument.is_object() ? ""
                              : fmt::format("{} is no JSON object; a fault is written {}",
                                            in_quotes(words[2]), found->example);
}

/// What was done, in words; the answer as it is with --json.
std::string text_of(const json& answer, const settings& with) {
  if (with.json) return answer.dump(1, ' ', true, json::error_handler_t::replace) + '\n';
  const std::string& command = with.operands[1];
  const auto* const known = scenarios::find_proxy_command(command);
  using enum scenarios::proxy_verb;
  switch (known->verb) {
    case add:
      return fmt::format("added {}\n", scenarios::visible(answer.value("id", "it")));
    case remove:
      return fmt::format("removed {}\n", scenarios::visible(with.operands[2]));
    case heal:
      return fmt::format("healed {}\n", with.operands.size() > 2
                                            ? scenarios::visible(with.operands[2])
                                            : std::string("all"));
    default:
      return proxy_listing(answer);
  }
}

/// Its answer; empty with errno when there is none.
std::string ask(const std::string& path, const std::string& line) {
  std::string reason;
  const auto where = uring::socket_address::parse("unix://" + path, reason);
  errno = EINVAL;
  if (!where) return {};
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string got;
  if (fd >= 0 && ::connect(fd, where->data(), where->length()) == 0 &&
      ::send(fd, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size())) {
    std::array<char, 4096> room;
    ssize_t n = 0;
    while (got.find('\n') == std::string::npos && (n = ::recv(fd, room.data(), room.size(), 0)) > 0)
      got.append(room.data(), static_cast<std::size_t>(n));
    if (n == 0 && got.empty()) errno = EACCES;  // it hangs up on who may not
  }
  const int error = errno;
  if (fd >= 0) ::close(fd);
  errno = error;
  return got;
}

}  // namespace

int proxyctl_command(const settings& with) {
  json request;
  if (const std::string wrong = request_of(with.operands, request); !wrong.empty()) {
    complain(wrong);
    return number(exit_code::usage);
  }
  const std::string reply = ask(with.operands[0], request.dump() + '\n');
  if (reply.empty()) {
    complain(
        fmt::format("no answer from {}: {}\na proxy listens there that has this path as "
                    "\"control\", and takes commands of its own user",
                    in_quotes(with.operands[0]), std::strerror(errno)));
    return number(exit_code::environment);
  }
  const json answer = json::parse(reply, nullptr, false);
  const bool done = answer.is_object() && answer.value("ok", false);
  if (!done && answer.is_object() && answer.contains("error") && answer["error"].is_string()) {
    complain(answer["error"].get<std::string>());
  } else {
    print(done ? text_of(answer, with)
               : answer.dump(1, ' ', true, json::error_handler_t::replace) + '\n');
  }
  return number(done ? exit_code::passed : exit_code::failed);
}

}  // namespace runner
