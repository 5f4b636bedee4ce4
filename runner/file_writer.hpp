// Writing files whole or not at all: under a temporary name beside the place, then renamed, so that
// a reader never sees half of one. Both return what is wrong, for people, or "".
#pragma once

#include <string>
#include <string_view>

namespace runner {

/// Over a file that exists: its permissions stay, and a symbolic link goes on leading to it.
std::string replace_file(const std::string& path, std::string_view content);

/// A new file; one that exists is an error unless `over`. `exists` tells that this was the reason.
std::string create_file(const std::string& path, std::string_view content, bool over, bool& exists);

}  // namespace runner
