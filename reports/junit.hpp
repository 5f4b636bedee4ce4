// The JUnit report in Jenkins' dialect, which GitLab, Azure and others read, too.
//
// One testsuite a file, one testcase a case; `failure` for what was tested, `error` for the
// environment, for faults that did not fire and for what did not run, `skipped` with its reason,
// `flakyFailure` for each earlier attempt of what passed in the end. The text of a failure is the
// console's block without colour. Written by hand: what XML 1.0 asks for is one function that
// escapes, and a library that builds trees would be one more dependency. Pure.
#pragma once

#include <string>
#include <string_view>

#include "scenarios/outcome.hpp"

namespace reports {

std::string junit_report(const scenarios::suite_result& of);

/// Text that XML 1.0 allows anywhere: markup escaped, what it forbids made visible (\x1b, \ufffe),
/// line breaks kept.
std::string xml_escaped(std::string_view text);

}  // namespace reports
