// Which program an argv names, and which user it shall run as: found out before anything is
// started, so that a scenario can be skipped or refused with a reason.
//
// Asks the file system and the user database; no state. Names are looked up as execvp(3) does.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace scenarios {

/// What execvp(3) falls back to when there is no PATH.
inline constexpr std::string_view default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where programs are looked for, and the PATH that they get: ours (or the default), and after it
/// the directories of servers, /usr/local/sbin, /usr/sbin and /sbin, which the PATH of most users
/// lacks.
std::string program_path();

/// The file that `argv0` names: with a slash itself (relative to `cwd`), else the first executable
/// one along `path` (directories with colons between; relative and empty ones are of `cwd`, too).
/// Nothing when there is none; `why`, if given, then says so in a phrase: "not found in PATH
/// (/usr/bin:/bin)", "/x is not executable".
std::optional<std::string> find_program(std::string_view argv0, std::string_view path,
                                        std::string* why = nullptr, std::string_view cwd = {});

struct user_identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;  ///< "nobody", or the number when the user database has no such user
};

/// By name or number. Nothing when there is no such user; `why` then says so.
std::optional<user_identity> find_user(const std::string& name, std::string& why);
/// Whom a service runs as: `wanted`, or without a wish "nobody" if we are root and else ourselves.
/// Nothing when there is no such user or we lack the privilege; `why` then says so.
std::optional<user_identity> service_user(const std::string& wanted, std::string& why);

}  // namespace scenarios
