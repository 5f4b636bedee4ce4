#!/usr/bin/env python3
"""lint.py ROOT: the house rules that no compiler checks, over the files that git tracks in ROOT.

Prints `file:line: what` for each breach and exits 1 if there was any, 77 (skipped) when ROOT is not
a git checkout. A rule is a function below that yields (file, line, what); lint_test.py breaks each.
"""

import re
import subprocess
import sys
from pathlib import Path

COLUMNS_MAX = 100
LINES_MAX = 500

# Floors from the ground up: a file may include its own floor and those before it.
FLOORS = ("engine", "scenarios", "reports", "runner")
CPP = {".cpp", ".hpp"}
CODE = CPP | {".py", ".cmake", ".sh"}
TEXT = CODE | {".md", ".txt", ".yml", ".yaml"}
# What tests compare byte for byte may be laid out as it likes.
DATA = re.compile(r"^tests/(golden|conformance|fuzz|data)/")

# Spelled in halves, or this file would accuse itself.
FORBIDDEN = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
QUOTED = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
ANGLED = re.compile(r"^\s*#\s*include\s+<([^>]+)>")
FREE_QUOTED = re.compile(r"^[\w:]+ quoted\(")


class File:
    """A tracked file with its lines; `name` is relative to the root."""

    def __init__(self, root, name, mode):
        self.name = name
        self.suffix = Path(name).suffix
        self.floor = name.split("/")[0] if name.split("/")[0] in FLOORS else None
        self.executable = mode == "100755"
        raw = (root / name).read_bytes()
        self.script = raw.startswith(b"#!")
        self.text = raw.decode("utf-8", errors="replace")
        self.lines = self.text.split("\n")

    def is_code(self):
        return self.suffix in CODE or self.script or Path(self.name).name == "CMakeLists.txt"

    def is_text(self):
        return self.is_code() or (self.suffix in TEXT and not DATA.match(self.name))

    def numbered(self):
        return enumerate(self.lines, start=1)

    def includes(self, pattern=QUOTED):
        for number, line in self.numbered():
            if found := pattern.match(line):
                yield number, found[1]


def long_lines(files):
    for file in files:
        if not file.is_code():
            continue
        for number, line in file.numbered():
            if len(line) > COLUMNS_MAX:
                yield file.name, number, f"{len(line)} columns, {COLUMNS_MAX} at most"


def long_files(files):
    for file in files:
        count = len(file.lines) - 1
        if file.is_code() and count > LINES_MAX:
            yield file.name, count, f"{count} lines, {LINES_MAX} at most: this is two rooms"


def forbidden_words(files):
    for file in files:
        if not file.is_code():
            continue
        for number, line in file.numbered():
            if found := FORBIDDEN.search(line):
                yield file.name, number, f"{found[1]}: do it, or say why it is as it is"


def white_space(files):
    for file in files:
        if not file.is_text():
            continue
        for number, line in file.numbered():
            if "\t" in line:
                yield file.name, number, "a tab"
            if line != line.rstrip():
                yield file.name, number, "white space at the end of the line"
        if file.text and not file.text.endswith("\n"):
            yield file.name, len(file.lines), "no newline at the end of the file"


def headers(files):
    for file in files:
        if file.suffix != ".hpp":
            continue
        first = next((line for line in file.lines if line not in ("", "#pragma once")), "")
        if not first.startswith("//"):
            yield file.name, 1, "a header starts with what it owns and who may call it"
        if "#pragma once" not in file.lines:
            yield file.name, 1, "no #pragma once"


def include_direction(files):
    """Imports go down only, and are written from the repository's root."""
    for file in files:
        if file.floor is None or file.suffix not in CPP:
            continue
        allowed = FLOORS[: FLOORS.index(file.floor) + 1]
        for number, path in file.includes():
            if path.split("/")[0] not in allowed:
                floors = ", ".join(allowed)
                yield file.name, number, f'"{path}" is not of {floors}: imports go down only'
        if file.floor != "engine":
            continue
        for number, path in file.includes(ANGLED):
            library = path.split("/")[0]
            if library == "nlohmann" or (library == "fmt" and file.suffix == ".hpp"):
                yield file.name, number, f"<{path}>: the engine knows no JSON, its headers no fmt"


def dead_headers(files):
    included = set()
    for file in files:
        for _, path in file.includes():
            # From the root, or from the file's own folder as the compiler probe's programs do.
            included |= {path, str(Path(file.name).parent / path)}
    for file in files:
        if file.suffix == ".hpp" and file.name not in included:
            yield file.name, 1, "included by nobody"


def borrowed_names(files):
    """libstdc++ 14 shows std::quoted to all who have a std::string; 12 shows it to nobody."""
    for file in files:
        if file.suffix not in CPP:
            continue
        for number, line in file.numbered():
            if FREE_QUOTED.match(line):
                yield file.name, number, "std::quoted is found as well with g++ 14's library"


def scripts(files):
    for file in files:
        if file.script and not file.executable:
            yield file.name, 1, "a script that is not executable"
        if file.executable and not file.script:
            yield file.name, 1, "executable, but without a #! line"


RULES = (
    long_lines,
    long_files,
    forbidden_words,
    white_space,
    headers,
    include_direction,
    dead_headers,
    borrowed_names,
    scripts,
)


def tracked(root):
    listing = subprocess.run(
        ["git", "-C", root, "ls-files", "--stage", "-z"], capture_output=True, text=True
    )
    if listing.returncode != 0:
        print(f"skipped: {listing.stderr.strip()}")
        sys.exit(77)
    for entry in filter(None, listing.stdout.split("\0")):
        about, name = entry.split("\t", 1)
        mode = about.split()[0]
        if mode.startswith("100") and (root / name).is_file():
            yield File(root, name, mode)


def main():
    root = Path(sys.argv[1])
    files = list(tracked(root))
    breaches = sorted({breach for rule in RULES for breach in rule(files)})
    for name, number, what in breaches:
        print(f"{name}:{number}: {what}")
    print(f"{len(files)} files, {len(breaches)} breaches")
    sys.exit(1 if breaches else 0)


main()
