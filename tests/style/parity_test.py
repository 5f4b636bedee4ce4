#!/usr/bin/env python3
"""Each row of docs/parity.md points to files that are there and that have the words it promises.

A word is what stands between backquotes under "here"; each must be in one of the row's files. A row
without a file says why not: "out of scope", or "no, because".
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
CODE = re.compile(r"`([^`]+)`")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Names that a reader fills in, and parts of words.
PLACEHOLDERS = {"N", "NAME", "MATCHER"}


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def problems(page, root):
    rows = 0
    for number, line in enumerate(page.splitlines(), 1):
        if not line.startswith("|") or line.startswith(("|--", "| there |")):
            continue
        rows += 1
        row = cells(line)
        if len(row) != 3:
            yield f"line {number}: {len(row)} cells, not 3"
            continue
        paths = CODE.findall(row[2])
        if not paths:
            if not re.search(r"out of scope|no, because", row[1]):
                yield f"line {number}: neither a file nor a reason"
            continue
        missing = [path for path in paths if not (root / path).is_file()]
        for path in missing:
            yield f"line {number}: there is no {path}"
        if missing:
            continue
        text = "\n".join((root / path).read_text() for path in paths)
        for code in CODE.findall(row[1]):
            for word in WORD.findall(code):
                whole_word = rf"(?<!\w){re.escape(word)}(?!\w)"
                if word not in PLACEHOLDERS and not re.search(whole_word, text):
                    yield f"line {number}: `{word}` is in none of {', '.join(paths)}"
    if rows < 40:
        yield f"only {rows} rows were found"


def main():
    # The check itself must be able to fail.
    bad = "| a | `nobody_writes_this` | `README.md` |\n| b | `x` | `no/such.file` |\n| c | x | |"
    if len(list(problems(bad, ROOT))) != 4:
        sys.exit("parity_test.py does not find what is wrong in its own example")
    found = list(problems((ROOT / "docs/parity.md").read_text(), ROOT))
    print("\n".join(found) or "docs/parity.md holds")
    sys.exit(1 if found else 0)


main()
