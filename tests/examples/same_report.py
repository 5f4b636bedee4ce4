#!/usr/bin/env python3
"""Runs scenarios N times, eight at once, and requires that the stable reports are equal byte for
byte. same_report.py PROGRAM N [PATH...]: the examples without"""
import difflib
import pathlib
import subprocess
import sys
import tempfile

program, times = sys.argv[1], int(sys.argv[2])
paths = sys.argv[3:] or ["examples"]
first = None
with tempfile.TemporaryDirectory() as folder:
    for round_number in range(times):
        path = pathlib.Path(folder, f"{round_number}.json")
        subprocess.run([program, "run", *paths, "-j", "8", "-q", "--report",
                        f"json-stable={path}"], check=True)
        report = path.read_bytes()
        first = first or report
        if report != first:
            lines = difflib.unified_diff(first.decode().splitlines(), report.decode().splitlines(),
                                         "first run", f"run {round_number + 1}", lineterm="")
            print("\n".join(lines))
            sys.exit(f"run {round_number + 1} of {times} gave another stable report")
print(f"{times} runs, {len(first)} bytes each, all equal")
