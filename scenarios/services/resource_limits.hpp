// The resource limits that a service can be given: setrlimit(2), soft and hard at once.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <string_view>

namespace scenarios {

struct resource_limit_row {
  std::string_view name;  ///< RLIMIT_* in lower case
  int resource = 0;
  std::string_view doc;
};

inline constexpr resource_limit_row resource_limit_table[] = {
    {"as", RLIMIT_AS, "bytes of address space"},
    {"core", RLIMIT_CORE, "bytes of a core file"},
    {"cpu", RLIMIT_CPU, "seconds of processor time"},
    {"data", RLIMIT_DATA, "bytes of data and heap"},
    {"fsize", RLIMIT_FSIZE, "bytes of a file that it writes"},
    {"memlock", RLIMIT_MEMLOCK, "bytes that it locks in memory"},
    {"nofile", RLIMIT_NOFILE, "descriptors"},
    {"nproc", RLIMIT_NPROC, "processes and threads of its user"},
    {"stack", RLIMIT_STACK, "bytes of a stack"},
};

struct resource_limit {
  int resource = 0;
  std::uint64_t most = 0;
};

}  // namespace scenarios
