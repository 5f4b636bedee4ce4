#include "scenarios/socket_options.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>

#include "engine/errno_name.hpp"

namespace scenarios {

int apply_socket_options(int fd, std::span<const socket_option_plan> options,
                         const environment& env, std::string& what) {
  for (const socket_option_plan& option : options) {
    std::string octets;
    const evaluation given = option.value ? option.value->eval(env) : option.data.eval(env);
    if (!given) {
      what = fmt::format("{}: {}", option.name, given.message());
      return -EINVAL;
    }
    if (given->is(value_type::integer)) {
      const auto number = static_cast<int>(given->integer());
      octets.assign(reinterpret_cast<const char*>(&number), sizeof number);
    } else if (given->is(value_type::data)) {
      octets = given->data();
    }
    if (::setsockopt(fd, option.level, option.number, octets.data(),
                     static_cast<socklen_t>(octets.size())) == 0)
      continue;
    const int error = errno;
    const char* name = uring::errno_name(error);
    what = fmt::format("the socket option {} was refused: {}", option.name,
                       name != nullptr ? name : "unknown error");
    return -error;
  }
  return 0;
}

}  // namespace scenarios
