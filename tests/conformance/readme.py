#!/usr/bin/env python3
"""The table of the conformance corpus, README.md, is made of the scenarios' head comments.

    readme.py           compares the table with the files; exit code 1 when it is stale
    readme.py --write   writes it

A scenario begins with a comment: what it shows, then `Source:` and where what it expects is from.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
README = HERE / "README.md"
INTRODUCTION = """\
# The conformance corpus

What the kernel answers to each kind of request, one behaviour a step. What a kernel lacks is
skipped there by what a scenario requires; where the answer depends on the mode of the ring, a
matrix has one case for each mode. The table is made of the comments at the heads of the files, by
`python3 tests/conformance/readme.py --write`; a test keeps it true.\
"""


def head(path):
    """What it shows, and its source."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("//"):
            break
        lines.append(line.removeprefix("//").strip())
    shows, mark, source = " ".join(lines).partition("Source: ")
    if not shows or not mark:
        sys.exit(f"{path.relative_to(HERE)}: its head comment says what it shows, then `Source: …`")
    return shows.strip(), source.strip()


def table():
    rows = [INTRODUCTION]
    topics = sorted(folder for folder in HERE.iterdir() if folder.is_dir())
    for topic in topics:
        files = sorted(topic.glob("*.scenario.json"))
        if not files:
            continue
        rows.append(f"\n## {topic.name}\n\n| file | what it shows | source |\n|---|---|---|")
        for file in files:
            cells = [re.sub(r"\|", r"\\|", cell) for cell in head(file)]
            name = file.name.removesuffix(".scenario.json")
            rows.append(f"| [{name}]({topic.name}/{file.name}) | {cells[0]} | {cells[1]} |")
    return "\n".join(rows) + "\n"


def main():
    made = table()
    if sys.argv[1:] == ["--write"]:
        README.write_text(made)
        return
    if not README.exists() or README.read_text() != made:
        sys.exit("tests/conformance/README.md is stale: run tests/conformance/readme.py --write")
    print(f"{made.count('.scenario.json)')} scenarios are in the table")


main()
