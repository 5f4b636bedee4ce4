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
`python3 tests/conformance/readme.py --write`; a test keeps it true.

Of what the kernel does, this is not shown:\
"""

# What scenarios can't say, or should not do; each with its reason.
NOT_THERE = (
    ("a poll of a signalfd, and the signal that wakes it",
     "`make` makes no signalfd, and a signal that the program sends to itself would reach all "
     "other scenarios of the run"),
    ("SIGPIPE, which a write to a dead pipe or socket raises (not on an sqpoll ring)",
     "the program ignores it, and no step sees a signal; the result, EPIPE, is shown in "
     "`recv_send/ends`"),
    ("EEXIST for a submission from another thread on a `single_issuer` ring; such a ring that "
     "one thread makes and another one enables",
     "a private ring belongs to the thread of the one actor that submits on it, where it is "
     "made, too"),
    ("waits of `io_uring_enter`: with a limit, until a point of time, on a registered clock, "
     "with arguments in a registered region",
     "the program waits, not a step. That a clock can be registered is shown in "
     "`register/enabling`, that a region can in `register/newer`"),
    ("a limit of a wait that is told early on a `defer_taskrun` ring; when a cancelled "
     "request's completion becomes visible there",
     "the program asks the kernel for deferred work whenever it looks, and keeps deadlines "
     "itself"),
    ("a chain that goes on in the next call on an sqpoll ring whose thread has not looked "
     "meanwhile",
     "a step waits until the polling thread has taken what was submitted; see "
     "`links/across_submits`"),
    ("which comes first, a ring's message to itself or the completion of who sent it",
     "a completion that belongs to no request has no place among those of requests"),
    ("submissions of both sizes on one ring (`sqe_mixed`, since 6.19)",
     "a private ring's submissions are of one size: `cq_sq/wide_submissions` has a ring of 128"
     " bytes each"),
    ("the answer of the command `getsockname` (since 6.19)",
     "`uring_cmd` has no address that is filled in; that older kernels don't know it is shown "
     "in `accept_connect/getsockname`"),
    ("zero-copy receives that receive",
     "they need a network interface whose queue can be had for oneself; the refusal is shown "
     "in `recv_send/recv_zc`"),
    ("EMFILE of accept, of openat and of socket",
     "the limit of descriptors is the whole program's; a full table of slots, ENFILE, is shown"
     " in `accept_connect/accept`"),
    ("a ring that goes while requests wait on it",
     "every asynchronous step is joined; the unit tests of the engine leave some"),
    ("a cancel by `io_uring_register` without a limit of what a worker runs, on a "
     "`defer_taskrun` ring",
     "it never returns; `cancel/sync_cancel` has one with a limit"),
    ("a zero-copy send on an sqpoll ring whose bytes lie unread in the same process when that "
     "ends",
     "the polling thread was seen to spin in the kernel without end, and nothing but a reset "
     "of the connection ended it"),
)


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
    rows = [INTRODUCTION + "\n\n| what | why |\n|---|---|"]
    rows += [f"| {what} | {why} |" for what, why in NOT_THERE]
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
