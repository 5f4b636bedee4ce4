#!/usr/bin/env python3
"""Signals: the first ends the run in order, the second at once, SIGUSR1 tells what runs."""

import json
import os
import pathlib
import signal
import sys
import time

from program import LONG, PASSING, SLEEPING, ProgramTest, main

SERVICE = {
    "timeout": "200s",
    "services": {
        "s": {
            "run": [sys.executable, "-u", "service.py"],
            "cwd": ".",
            "user": "root",
            "ready": {"stdout": "^ready$"},
        }
    },
    "steps": [{"sleep": "100s"}],
    "teardown": [{"log": "teardown ran"}],
}
SCRIPT = """
import os, signal, subprocess, sys
child = subprocess.Popen(["sleep", "1000"])
open(os.environ["PIDS"], "w").write(f"{os.getpid()} {child.pid}")
print("ready")
signal.pause()
"""


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def wait_until(what, *arguments):
    """Polls: what is waited for is in another process."""
    until = time.monotonic() + LONG
    while not what(*arguments):
        if time.monotonic() > until:
            raise AssertionError("waited for nothing")
        time.sleep(0.005)


class Signals(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("a.scenario.json", PASSING)
        self.write("b.scenario.json", SLEEPING)
        self.log = self.dir / "err"

    def start(self, *words):
        process = self.start_program(*words)
        for clean in (process.wait, process.kill, process.stdout.close, process.stderr.close):
            self.addCleanup(clean)
        return process

    def end(self, process, code):
        out, err = process.communicate(timeout=LONG)
        self.assertEqual(process.returncode, code, f"stdout:\n{out}\nstderr:\n{err}")
        return out, err

    def wait_for_line(self, process, beginning):
        """Of standard output; what came before is lost."""
        for line in process.stdout:
            if line.startswith(beginning):
                return
        self.fail(f"no line begins with {beginning}")

    def test_the_first_ends_the_run_with_a_partial_report(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            with self.subTest(signal=number):
                process = self.start("run", "-j1", "--report", "json=r.json")
                self.wait_for_line(process, "ok      a.scenario.json")
                process.send_signal(number)
                out, err = self.end(process, code)
                self.assertIn(number.name, err)
                self.assertIn("E0118", out)
                report = json.loads((self.dir / "r.json").read_text())
                self.assertEqual([s["verdict"] for s in report["scenarios"]], ["passed", "error"])
                self.assertTrue(out.endswith("scenarios: 1 passed, 1 failed, 0 skipped\n"))
                (self.dir / "r.json").unlink()

    def test_what_had_not_begun_is_not_run(self):
        self.write("c.scenario.json", PASSING)
        process = self.start("run", "-j1", "--report", "json=r.json")
        self.wait_for_line(process, "ok      a.scenario.json")
        process.send_signal(signal.SIGINT)
        self.end(process, 130)
        report = json.loads((self.dir / "r.json").read_text())
        self.assertEqual(
            [s["verdict"] for s in report["scenarios"]], ["passed", "error", "not_run"]
        )

    def test_teardown_runs_and_services_end_with_what_they_started(self):
        pids = self.service_pids("run", "s.scenario.json", "--report", "json=r.json")
        self.process.send_signal(signal.SIGTERM)
        self.end(self.process, 143)
        for pid in pids:
            self.assertFalse(is_alive(pid), f"{pid} is still there")
        self.assertIn("teardown ran", (self.dir / "r.json").read_text())

    def test_the_second_leaves_at_once_and_leaves_nobody_behind(self):
        scenario = json.loads(json.dumps(SERVICE))
        scenario["teardown"] = {"timeout": "100s", "do": [{"sleep": "90s"}]}
        pids = self.service_pids("run", "s.scenario.json", scenario=scenario)
        self.process.send_signal(signal.SIGINT)
        # The first is under way when it has been told.
        line = self.process.stderr.readline()
        self.assertIn("SIGINT", line)
        time.sleep(0.3)  # two that come closer count as one
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.end(self.process, 130)
        self.assertLess(time.monotonic() - began, 60)
        for pid in pids:
            wait_until(lambda: not is_alive(pid))

    def test_a_doubled_signal_is_one(self):
        """As timeout(1) sends it: to the process, then to its group."""
        process = self.start("run", "-j1")
        self.wait_for_line(process, "ok      a.scenario.json")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        out, _ = self.end(process, 143)
        self.assertTrue(out.endswith("scenarios: 1 passed, 1 failed, 0 skipped\n"))

    def test_usr1_tells_what_runs(self):
        process = self.start("run", "-j1")
        self.wait_for_line(process, "ok      a.scenario.json")
        process.send_signal(signal.SIGUSR1)
        told = [process.stderr.readline() for _ in range(3)]
        self.assertIn("1 scenario running", told[0])
        self.assertIn("b.scenario.json", told[1])
        process.send_signal(signal.SIGINT)
        self.end(process, 130)

    def service_pids(self, *words, scenario=None):
        if os.geteuid() != 0:
            scenario = {**(scenario or SERVICE)}
            scenario["services"]["s"].pop("user", None)
        else:
            scenario = scenario or SERVICE
        scenario["services"]["s"]["cwd"] = str(self.dir)
        scenario["services"]["s"]["env"] = {"PIDS": str(self.dir / "pids")}
        self.write("s.scenario.json", scenario)
        self.write("service.py", SCRIPT)
        self.process = self.start(*words)
        pids = self.dir / "pids"
        wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        return [int(pid) for pid in pids.read_text().split()]


if __name__ == "__main__":
    main()
