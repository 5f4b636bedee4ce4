#!/usr/bin/env python3
"""Runs what fails on purpose; what the program says must be in the files beside it.

    golden.py PROGRAM [NAME...]

For NAME.scenario.json there are NAME.out (standard output and error) and NAME.exit (the exit code).
NAME.how says how it is run, where `run SCENARIO` is not enough; it may stand alone. Its keys:

    why        what it shows, where no scenario does
    arguments  of the program; {scenario}, {files} and {address} stand for the scenario, the folder
               of `files`, and a listener of this test
    files      by name, {"before", "text", "times", "after"}: made for the run; '#' in the text is
               which time it is. {"size": N} has so many bytes of nothing; {"copies": N} are as
               many files, '#' in the name being which one, '@' in the text the one after it
    links      symbolic links by name, in the same folder
    limits     {"nofile": N}: of the process
    signal     sent when the program has connected to {address}

What two runs may see differently is replaced first: times, process ids, the machine's PATH.
Without names each code of an error must have been told by one of them, or by an input of
fail/check, or be among the exceptions of golden_codes.py. URING_BLESS=1 rewrites the files
instead; read the difference before it is committed.
"""
import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile

import golden_codes

FAIL = pathlib.Path(__file__).resolve().parent / "fail"
ROOT = FAIL.parents[2]

VOLATILE = [
    (re.compile(r"\+?\b\d+(\.\d+)? (µs|us|ms|s)\b"), "<time>"),
    # The timeline: how the actors interleave is the kernel's choice. tests/unit/reports holds it.
    (re.compile(r"^ {4}(ms |\d+\.\d{3}\b).*\n", re.M), ""),
    (re.compile(r"not found in PATH \([^)]*\)"), "not found in PATH (<path>)"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"sport = :\d+"), "sport = :<port>"),
    (re.compile(r"/tmp/uring-\w+"), "<tmp>"),
    (re.compile(r" +$", re.M), ""),
]


def normalised(text):
    # A time has no fixed width, so neither has the space before it.
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return re.sub(r" {2,}<time>", "  <time>", text)


def codes_in(node):
    """Numbers of codes, wherever they stand in a JSON report."""
    if isinstance(node, list):
        return set().union(*map(codes_in, node))
    if not isinstance(node, dict):
        return set()
    own = {node["code"]} if isinstance(node.get("code"), str) else set()
    return own.union(*map(codes_in, node.values()))


class Input:
    def __init__(self, name):
        self.name = name
        self.scenario = FAIL / f"{name}.scenario.json"
        how = FAIL / f"{name}.how"
        self.how = json.loads(how.read_text()) if how.exists() else {}

    def arguments(self, folder, address):
        given = self.how.get("arguments", ["run", "{scenario}"])
        places = {"scenario": self.scenario.relative_to(ROOT), "files": folder, "address": address}
        return [word.format(**places) for word in given]

    def prepare(self, folder):
        for name, made in self.how.get("files", {}).items():
            texts = [made.get("text", "").replace("#", str(n)) for n in range(made.get("times", 1))]
            text = made.get("before", "") + "".join(texts) + made.get("after", "")
            for number in range(made.get("copies", 1)):
                copy = text.replace("@", str(number + 1)) if "copies" in made else text
                (folder / name.replace("#", str(number))).write_text(copy)
            if "size" in made:
                os.truncate(folder / name, made["size"])
        for name, to in self.how.get("links", {}).items():
            (folder / name).symlink_to(to)

    def limit(self):
        for name, number in self.how.get("limits", {}).items():
            kind = getattr(resource, "RLIMIT_" + name.upper())
            resource.setrlimit(kind, (number, number))

    def run(self, program):
        """Its output, its exit code, and the names of the codes in it."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("URING_SCENARIO")}
        environment["NO_COLOR"] = "1"
        with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as door:
            folder = pathlib.Path(name)
            self.prepare(folder)
            words = self.arguments(folder, "tcp://127.0.0.1:%d" % door.getsockname()[1])
            report = folder / "report.json"
            if words[0] == "run" and "limits" not in self.how:
                words += ["--report", f"json={report}"]
            with subprocess.Popen([program, *words], cwd=ROOT, text=True, env=environment,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  preexec_fn=self.limit) as child:
                if "signal" in self.how:
                    door.settimeout(60)
                    with door.accept()[0]:
                        child.send_signal(getattr(signal, self.how["signal"]))
                        out, err = child.communicate(timeout=120)
                else:
                    out, err = child.communicate(timeout=120)
            text = normalised(out + err).replace(name, "<files>")
            known = json.loads(report.read_text()) if report.exists() else {}
            told = golden_codes.names_of(codes_in(known) | set(re.findall(r"\[(E\d{4})\]", text)))
            return text, child.returncode, told


def check(program, one, bless, told):
    out, code, codes = one.run(program)
    told |= codes
    out_file = FAIL / f"{one.name}.out"
    exit_file = out_file.with_suffix(".exit")
    if bless:
        out_file.write_text(out)
        exit_file.write_text(f"{code}\n")
        return True
    expected = out_file.read_text() if out_file.exists() else ""
    expected_code = exit_file.read_text().strip() if exit_file.exists() else "(no .exit file)"
    if out == expected and str(code) == expected_code:
        return True
    print(f"FAIL {one.name}: exit code {code}, expected {expected_code}")
    if out != expected:
        print(f"---- expected\n{expected}---- got\n{out}----")
    return False


def main():
    program = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:]
    bless = os.environ.get("URING_BLESS") == "1"
    names = {each.name.removesuffix(".scenario.json") for each in FAIL.glob("*.scenario.json")}
    names |= {each.stem for each in FAIL.glob("*.how")}
    if wanted:
        names &= set(wanted)
    if not names:
        sys.exit("golden.py: no scenario has that name")
    told = set()
    good = [check(program, Input(name), bless, told) for name in sorted(names)]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    wrong = [] if wanted else golden_codes.what_is_wrong(told)
    for line in wrong:
        print(line)
    sys.exit(0 if all(good) and not wrong else 1)


main()
