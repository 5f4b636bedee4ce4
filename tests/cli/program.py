"""What the tests of the command line share: the program, and a directory for each test.

`python3 tests/cli/run_test.py PATH/TO/uring-scenario [unittest's own arguments]`
"""

import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "uring-scenario"

ROOT = pathlib.Path(__file__).resolve().parents[2]

# For ever, as far as a test is concerned: nothing here waits this long, or for this reason fails
# on a slow machine.
LONG = 120

PASSING = {"name": "passes", "steps": [{"sleep": "0ns"}]}
FAILING = {"name": "fails", "steps": [{"fail": "on purpose"}]}
SKIPPED = {"requires": {"programs": ["no-such-program-anywhere"]}, "steps": [{"sleep": "0ns"}]}
WRONG = {"steps": [{"slep": "0ns"}]}
SLEEPING = {"timeout": "200s", "steps": [{"sleep": "100s"}]}
ECHO = {
    "name": "a byte there and back",
    "tags": ["tcp"],
    "matrix": {"size": [1, 6]},
    "actors": {
        "srv": {
            "server": "tcp://127.0.0.1:0",
            "do": [{"recv": {"exactly": "${matrix.size}"}, "as": "m"}, {"send": "${m}"}],
        },
        "c": {
            "client": "${srv.addr}",
            "do": [
                {"send": {"repeat": {"data": "x", "times": "${matrix.size}"}}},
                {"recv": {"exactly": "${matrix.size}"}},
                {"close": True},
            ],
        },
    },
}


def environment(**changes):
    """The caller's, without what would change the program's output."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("URING_SCENARIO_") and name not in ("CI", "NO_COLOR", "TERM")
    }
    kept.update(changes)
    return kept


def full_device():
    """Where nothing can be written; tests as root may have been careless with it."""
    if not os.path.exists("/dev/full") or not stat.S_ISCHR(os.stat("/dev/full").st_mode):
        raise unittest.SkipTest("no /dev/full here")
    return "/dev/full"


class ProgramTest(unittest.TestCase):
    """Each test runs in a directory of its own."""

    maxDiff = None

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="uring-cli-")
        self.addCleanup(holder.cleanup)
        self.dir = pathlib.Path(holder.name)

    def write(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        path.write_text(text)
        return path

    def run_program(self, *words, **more):
        return self.run_command(PROGRAM, *words, **more)

    def run_command(self, *words, input=None, env=None, **more):
        return subprocess.run(
            [*map(str, words)],
            cwd=self.dir,
            env=environment(**(env or {})),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            stdout=more.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            text=True,
            timeout=LONG,
            **more,
        )

    def start_program(self, *words, env=None, **more):
        return subprocess.Popen(
            [PROGRAM, *map(str, words)],
            cwd=self.dir,
            env=environment(**(env or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def expect(self, result, code):
        self.assertEqual(
            result.returncode, code, f"stdout:\n{result.stdout}\nstderr:\n{result.stderr}"
        )
        return result

    def report(self, name):
        """The scenarios of a native report."""
        return json.loads((self.dir / name).read_text())["scenarios"]

    def last_line(self, result):
        return result.stdout.rstrip("\n").split("\n")[-1]


def main():
    unittest.main(verbosity=1)
