#!/usr/bin/env python3
"""What real programs make of faults, as the table in docs/proxy.md; it is made of cases.py.

    table.py           compares the table with the cases; exit code 1 when it is stale
    table.py --write   writes it
"""

import json
import pathlib
import sys

import cases

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "proxy.md"
BEGIN = "<!-- made by tests/victims/table.py --write -->\n"
END = "<!-- end -->\n"


def fault_text(fault):
    parameters = {key: value for key, value in fault.items() if key not in ("id", "type")}
    name = fault["type"].removeprefix("wire.")
    if not parameters:
        return f"`{name}`"
    return f"`{name}` `{json.dumps(parameters)[1:-1]}`"


def effect_text(case):
    if case.exit or case.says:
        parts = [f"exit code {case.exit}"]
        if case.says:
            parts.append(f"`{case.says[0]}`")
    elif case.order != (1, 2, 3, 4):
        parts = ["answers " + ", ".join(map(str, case.order))]
    else:
        parts = ["all is there"]
    if case.got is not None:
        parts.append(f"{case.got:,} bytes came")
    if case.seconds:
        parts.append(f"{case.seconds:g} s or more")
    if case.note:
        parts.append(case.note)
    return "; ".join(parts)


def table():
    rows = ["| program | fault | what it makes of it |", "|---|---|---|"]
    for victim in cases.VICTIMS.values():
        name = victim.name
        for case in victim.cases:
            rows.append(f"| {name} | {fault_text(case.fault)} | {effect_text(case)} |")
            name = ""
    return "\n".join(rows) + "\n"


def main():
    text = PAGE.read_text()
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{PAGE.name} has no place for the table: {BEGIN}{END}")
    made = head + begin + table() + end + tail
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(made)
    elif made != text:
        sys.exit("docs/proxy.md is stale: run tests/victims/table.py --write")


main()
