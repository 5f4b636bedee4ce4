#!/usr/bin/env python3
"""Runs the scenarios that fail on purpose; what the program says must be in the files beside them.

    golden.py PROGRAM [NAME...]

For NAME.scenario.json there are NAME.out (standard output) and NAME.exit (the exit code). What two
runs may see differently is replaced first: times, process ids, the machine's PATH. URING_BLESS=1
rewrites the files instead; read the difference before it is committed.
"""
import os
import pathlib
import re
import subprocess
import sys

FAIL = pathlib.Path(__file__).resolve().parent / "fail"
ROOT = FAIL.parents[2]

VOLATILE = [
    (re.compile(r"\+?\b\d+(\.\d+)? (µs|us|ms|s)\b"), "<time>"),
    # The timeline: how the actors interleave is the kernel's choice. tests/unit/reports holds it.
    (re.compile(r"^ {4}(ms |\d+\.\d{3}\b).*\n", re.M), ""),
    (re.compile(r"not found in PATH \([^)]*\)"), "not found in PATH (<path>)"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"/tmp/uring-\w+"), "<tmp>"),
    (re.compile(r" +$", re.M), ""),
]


def normalised(text):
    # A time has no fixed width, so neither has the space before it.
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return re.sub(r" {2,}<time>", "  <time>", text)


def run(program, scenario):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("URING_SCENARIO")}
    environment["NO_COLOR"] = "1"
    done = subprocess.run([program, "run", str(scenario.relative_to(ROOT))], cwd=ROOT, text=True,
                          capture_output=True, env=environment, check=False)
    return normalised(done.stdout + done.stderr), done.returncode


def check(program, scenario, bless):
    out, code = run(program, scenario)
    out_file = scenario.with_name(scenario.name.replace(".scenario.json", ".out"))
    exit_file = out_file.with_suffix(".exit")
    if bless:
        out_file.write_text(out)
        exit_file.write_text(f"{code}\n")
        return True
    expected = out_file.read_text() if out_file.exists() else ""
    expected_code = exit_file.read_text().strip() if exit_file.exists() else "(no .exit file)"
    if out == expected and str(code) == expected_code:
        return True
    print(f"FAIL {scenario.name}: exit code {code}, expected {expected_code}")
    if out != expected:
        print(f"---- expected\n{expected}---- got\n{out}----")
    return False


def main():
    program = os.path.abspath(sys.argv[1])
    names = sys.argv[2:]
    bless = os.environ.get("URING_BLESS") == "1"
    scenarios = sorted(FAIL.glob("*.scenario.json"))
    if names:
        scenarios = [s for s in scenarios if s.name.removesuffix(".scenario.json") in names]
    if not scenarios:
        sys.exit("golden.py: no scenario has that name")
    good = [check(program, s, bless) for s in scenarios]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    sys.exit(0 if all(good) else 1)


main()
