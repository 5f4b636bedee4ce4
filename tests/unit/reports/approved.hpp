// Approved outputs: the text a test makes must be the file's, byte for byte. With URING_APPROVE=1
// in the environment the files are rewritten instead; review what git shows then.
#pragma once

#include <string>

namespace samples {

/// Fails the running test when `text` is not the content of tests/unit/reports/approved/`name`.
void check_approved(const std::string& name, const std::string& text);

std::string read_file(const std::string& path);

}  // namespace samples
