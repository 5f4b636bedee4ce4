// Where the program's own words go: results to standard output, what concerns the tool to standard
// error.
//
// A reader that went away (a closed pipe) is no error and no crash; a full disk is told once, by
// finish_output(). Whatever stands in a message can neither write to the terminal nor forge a CI
// command. Callable from any thread; one call is one piece that others don't get into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "reports/console.hpp"
#include "reports/terminal.hpp"
#include "runner/settings.hpp"
#include "scenarios/counted.hpp"

namespace runner {

/// Standard output. The text must be safe to show already.
void print(std::string_view text);
/// Standard error, "uring-scenario: …" and a line end. May be of several lines; what comes from
/// outside (paths, words) must not bring line ends of its own.
void complain(std::string_view message);
/// Standard error, as it is: diagnostics.
void print_error(std::string_view text);

using scenarios::counted;

/// At the program's end: whether all that was printed has been taken. Complains if not, unless the
/// reader has only gone away.
bool finish_output();

/// A stream as `--color` and the environment (NO_COLOR, TERM=dumb) want it.
enum class stream : int { out = 1, error = 2 };
bool is_terminal(stream to);
bool wants_color(stream to, color_mode mode);
/// With the terminal's width.
reports::text_style style_of(stream to, color_mode mode);
/// A CI run: CI is set.
bool in_ci();
/// As `--progress` wants it: of itself a bar on a terminal that can redraw a line.
reports::progress progress_of(progress_mode mode, stream to);
/// Of the monotonic clock.
std::int64_t now_ns();
/// Lines of the terminal on standard output; 24 where there is none.
std::size_t terminal_height();

}  // namespace runner
