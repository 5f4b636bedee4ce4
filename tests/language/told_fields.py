#!/usr/bin/env python3
"""What steps tell of themselves is what `explain` says that they can tell.

    told_fields.py PROGRAM SCENARIOS…

`check` refuses a field that is not in the table of scenarios/told_fields.cpp, so the table must
have all that the interpreter makes. This runs the scenarios and holds each step's fields in the
report against the section `tells` of `explain`. A recv of a message has the fields of its layout,
which are no part of that.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

# So many different ops must have told something, or the test has seen nothing.
OPS_MIN = 12


def walk(of):
    if isinstance(of, dict):
        if "op" in of:
            yield of
        for each in of.values():
            yield from walk(each)
    elif isinstance(of, list):
        for each in of:
            yield from walk(each)


def explained(program, op):
    asked = subprocess.run([program, "explain", op], capture_output=True, text=True, check=True)
    section = re.search(r"^  tells\n((?:    .*\n)+)", asked.stdout, re.M)
    return set(re.findall(r"^    (\w+)(?: |$)", section[1], re.M)) if section else set()


def main(program, *scenarios):
    with tempfile.TemporaryDirectory() as made:
        report = pathlib.Path(made, "report.json")
        subprocess.run([program, "run", *scenarios, "--report", f"json={report}"], check=True,
                       stdout=subprocess.DEVNULL)
        steps = list(walk(json.loads(report.read_text())))
    told = {}
    for step in steps:
        fields = step.get("volatile", {}).get("fields")
        if fields:
            told.setdefault(step["op"], set()).update(fields)
    wrong = [f"{op} tells {name}, and explain {op} does not say so"
             for op, names in sorted(told.items())
             for name in sorted(names - explained(program, op))]
    if len(told) < OPS_MIN:
        wrong.append(f"only {len(told)} ops told anything")
    print("\n".join(wrong) or f"{len(told)} ops told {sum(map(len, told.values()))} fields")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
