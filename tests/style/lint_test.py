#!/usr/bin/env python3
"""Breaks each rule of lint.py once, in a repository of its own, and looks for the complaint."""

import subprocess
import sys
import tempfile
from pathlib import Path

LINT = Path(__file__).with_name("lint.py")

# A repository that breaks no rule.
CLEAN = {
    "engine/ring.hpp": "// Owns the ring.\n#pragma once\n#include <liburing.h>\n",
    "engine/ring.cpp": '#include "engine/ring.hpp"\n',
    "scenarios/plan.hpp": '// Owns the plan.\n#pragma once\n#include "engine/ring.hpp"\n',
    "reports/tap.cpp": '#include "scenarios/plan.hpp"\n',
    "tests/golden/tabs.md": "kept\tas it is \n",
    "cmake/probe/probe.hpp": "// Owns the shapes.\n#pragma once\n",
    "cmake/probe/main.cpp": '#include "probe.hpp"\n',
    "scripts/go": "#!/bin/sh\n",
}

word = "TO" + "DO"

# What is added or replaced; where the complaint must point; what it must say. And nothing else.
BROKEN = [
    ({"engine/a.cpp": "int a;  // " + "é" * 90 + "\n"}, "engine/a.cpp:1", "101 columns"),
    ({"engine/a.cpp": "int a;\n" * 501}, "engine/a.cpp:501", "501 lines, 500 at most"),
    ({"scripts/go": f"#!/bin/sh\n# {word}: all\n"}, "scripts/go:2", word),
    ({"engine/a.cpp": "\tint a;\n"}, "engine/a.cpp:1", "a tab"),
    ({"README.md": "\nword \n"}, "README.md:2", "white space at the end of the line"),
    ({"README.md": "word"}, "README.md:1", "no newline at the end of the file"),
    ({"engine/ring.hpp": "// Owns the ring.\n"}, "engine/ring.hpp:1", "no #pragma once"),
    (
        {"engine/ring.hpp": "#pragma once\n#include <liburing.h>\n// Owns the ring.\n"},
        "engine/ring.hpp:1",
        "a header starts with what it owns and who may call it",
    ),
    (
        {"engine/ring.cpp": '#include "engine/ring.hpp"\n#include "scenarios/plan.hpp"\n'},
        "engine/ring.cpp:2",
        '"scenarios/plan.hpp" is not of engine: imports go down only',
    ),
    (
        {"scenarios/a.cpp": '#include "reports/tap.hpp"\n'},
        "scenarios/a.cpp:1",
        '"reports/tap.hpp" is not of engine, scenarios: imports go down only',
    ),
    (
        {"reports/tap.cpp": '#include "scenarios/plan.hpp"\n#include "runner/args.hpp"\n'},
        "reports/tap.cpp:2",
        '"runner/args.hpp" is not of engine, scenarios, reports: imports go down only',
    ),
    ({"engine/a.cpp": "#include <nlohmann/json.hpp>\n"}, "engine/a.cpp:1", "knows no JSON"),
    (
        {"engine/ring.hpp": "// Owns the ring.\n#pragma once\n#include <fmt/format.h>\n"},
        "engine/ring.hpp:3",
        "its headers no fmt",
    ),
    (
        {"engine/a.cpp": "std::string quoted(std::string_view text) {\n"},
        "engine/a.cpp:1",
        "std::quoted is found as well",
    ),
    ({"engine/dead.hpp": "// Dead.\n#pragma once\n"}, "engine/dead.hpp:1", "included by nobody"),
    ({"engine/probe.hpp": "// Dead.\n#pragma once\n"}, "engine/probe.hpp:1", "included by nobody"),
    ({"scripts/stop": "#!/bin/sh\n"}, "scripts/stop:1", "a script that is not executable"),
]


def complaints(files):
    """What the lint says about a repository with these files: its lines, without the count."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        (root / "scripts/go").chmod(0o755)
        subprocess.run(["git", "init", "-q", root], check=True)
        subprocess.run(["git", "-C", root, "add", "-A"], check=True)
        lint = subprocess.run([sys.executable, LINT, root], capture_output=True, text=True)
        lines = lint.stdout.splitlines()[:-1]
        assert lint.returncode == (1 if lines else 0), lint
        return lines


failures = 0
for change, where, what in [({}, "", "")] + BROKEN:
    found = complaints({**CLEAN, **change})
    if not change:
        right = not found
    else:
        right = len(found) == 1 and found[0].startswith(f"{where}: ") and what in found[0]
    if not right:
        failures += 1
        print(f"expected: {where}: {what}\nfound:    {found}\n")
print(f"{len(BROKEN)} rules broken, {failures} not as expected")
sys.exit(1 if failures else 0)
