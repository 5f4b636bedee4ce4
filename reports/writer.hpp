// Puts a report where it was asked for, whole or not at all.
//
// A regular file is written under a temporary name in the same directory, synced and renamed: a
// reader never sees half a report, and when anything fails the old one is still there and the
// temporary one gone. What is no regular file (a pipe, /dev/stdout) is written to directly. The
// path
// "-" is standard output. Blocking calls: for the end of a run, on no ring's thread that still
// works.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reports {

/// What went wrong, in one line that says what to do: "no space left on the device: cannot write
/// the junit report to "out/r.xml"". Nothing when all is well.
std::optional<std::string> write_report(std::string_view format, const std::string& path,
                                        std::string_view text);

}  // namespace reports
