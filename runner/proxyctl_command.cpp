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
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"
#include "scenarios/wire/proxy_commands.hpp"

namespace runner {
namespace {

using nlohmann::json;
using scenarios::in_quotes;

/// The request, or what is wrong with the words.
std::string request_of(const std::vector<std::string>& words, json& into) {
  const auto* const found = scenarios::find_proxy_command(words[1]);
  if (found == nullptr) {
    std::vector<std::string_view> names;
    names.reserve(scenarios::proxy_commands.size());
    for (const auto& each : scenarios::proxy_commands) names.push_back(each.name);
    return fmt::format("there is no command {}; {}", in_quotes(words[1]),
                       scenarios::suggestion(words[1], names));
  }
  into = {{"command", words[1]}};
  if (words.size() < 3) {
    return found->needs_argument ? fmt::format("{} needs {}", words[1], found->argument_is)
                                 : std::string();
  }
  if (found->argument.empty()) return fmt::format("{} takes no word behind it", words[1]);
  json& argument = into[std::string(found->argument)];
  argument = words[2];
  if (found->verb != scenarios::proxy_verb::add) return {};
  argument = json::parse(words[2], nullptr, false, true);
  return argument.is_object() ? "" : fmt::format("{} is no JSON object", in_quotes(words[2]));
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
    print(answer.dump(1, ' ', true, json::error_handler_t::replace) + '\n');
  }
  return number(done ? exit_code::passed : exit_code::failed);
}

}  // namespace runner
