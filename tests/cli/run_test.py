#!/usr/bin/env python3
"""`run`: exit codes, output, order, and the flags that change how things run."""

import json
import os
import pty
import resource

from program import ECHO, FAILING, PASSING, SKIPPED, SLEEPING, WRONG, ProgramTest, main


def read_terminal(master):
    """What the other side wrote; nothing at its end, which Linux tells as an error."""
    try:
        return os.read(master, 65536)
    except OSError:
        return b""


class ExitCodes(ProgramTest):
    def test_passed(self):
        self.write("a.scenario.json", PASSING)
        self.write("b.scenario.json", SKIPPED)
        self.assertEqual(
            self.last_line(self.expect(self.run_program("run"), 0)),
            "scenarios: 1 passed, 0 failed, 1 skipped",
        )

    def test_failed(self):
        self.write("a.scenario.json", PASSING)
        self.write("b.scenario.json", FAILING)
        result = self.expect(self.run_program("run"), 1)
        self.assertEqual(self.last_line(result), "scenarios: 1 passed, 1 failed, 0 skipped")
        self.assertIn("E0111", result.stdout)
        self.assertIn("run again: uring-scenario run b.scenario.json --seed 1", result.stdout)

    def test_a_wrong_file_and_nothing_runs(self):
        self.write("a.scenario.json", FAILING)
        self.write("b.scenario.json", WRONG)
        result = self.expect(self.run_program("run", "--report", "json=out.json"), 3)
        self.assertEqual(result.stdout, "")
        self.assertIn("b.scenario.json:", result.stderr)
        self.assertFalse((self.dir / "out.json").exists())

    def test_setup_that_fails_is_the_environment(self):
        self.write("a.scenario.json", {**PASSING, "setup": [{"fail": "no"}]})
        self.write("b.scenario.json", FAILING)
        self.expect(self.run_program("run"), 5)

    def test_a_required_fault_that_did_not_fire(self):
        fault = {
            "type": "cqe.errno",
            "errno": "ECONNRESET",
            "point": "after",
            "where": {"op": "recv"},
            "when": {"match": "never"},
        }
        self.write("a.scenario.json", {**ECHO, "faults": [fault]})
        self.expect(self.run_program("run"), 9)

    def test_fail_fast(self):
        self.write("a.scenario.json", FAILING)
        self.write("b.scenario.json", PASSING)
        result = self.expect(self.run_program("run", "--fail-fast", "-j1"), 1)
        self.assertEqual(self.last_line(result),
                         "scenarios: 0 passed, 1 failed, 0 skipped, 1 not run")

    def test_the_deadline_of_the_run(self):
        self.write("a.scenario.json", PASSING)
        self.write("b.scenario.json", SLEEPING)
        self.write("c.scenario.json", PASSING)
        result = self.expect(
            self.run_program("run", "--timeout", "300ms", "-j1", "--report", "json=r.json"), 7
        )
        self.assertIn("2 not run", result.stdout)
        verdicts = [each["verdict"] for each in self.report("r.json")]
        self.assertEqual(verdicts, ["passed", "not_run", "not_run"])

    def test_no_skip(self):
        self.write("b.scenario.json", SKIPPED)
        result = self.expect(self.run_program("run", "--no-skip"), 1)
        self.assertIn("--no-skip", result.stderr)

class Output(ProgramTest):
    def test_paths_without_a_command_are_run(self):
        path = self.write("a.scenario.json", PASSING)
        self.expect(self.run_program(path), 0)

    def test_standard_input(self):
        result = self.expect(self.run_program("run", "-", input=json.dumps(FAILING)), 1)
        self.assertIn("--> -:", result.stdout)
        self.expect(self.run_program("-", input=json.dumps(PASSING)), 0)
        result = self.expect(self.run_program("-", input=json.dumps(WRONG)), 3)
        self.assertIn("--> -:", result.stderr)

    def test_one_case(self):
        self.write("echo.scenario.json", ECHO)
        result = self.expect(self.run_program("echo.scenario.json[size=6]"), 0)
        self.assertEqual(self.last_line(result), "scenarios: 1 passed, 0 failed, 0 skipped")

    def test_quiet_is_the_totals(self):
        self.write("a.scenario.json", PASSING)
        self.assertEqual(
            self.expect(self.run_program("run", "-q"), 0).stdout,
            "scenarios: 1 passed, 0 failed, 0 skipped\n",
        )

    def test_verbose_twice_shows_steps(self):
        self.write("echo.scenario.json", ECHO)
        self.assertIn("recv", self.expect(self.run_program("run", "-vv"), 0).stdout)

    def test_verbose_shows_what_faults_did(self):
        self.write("a.scenario.json", {
            "faults": [{"id": "short", "type": "cqe.short_read", "bytes": 1,
                        "where": {"actor": "c", "op": "sqe.recv"}}],
            "actors": {
                "srv": {"server": "tcp://127.0.0.1:0", "do": [{"send": "abc"}]},
                "c": {"client": "${srv.addr}", "do": [{"recv": {"exactly": 3}}]}}})
        line = "\n  fault short (cqe.short_read): fired 1, observed 1: c nth 1\n"
        self.assertIn(line, self.expect(self.run_program("run", "-v"), 0).stdout)
        self.assertNotIn("fault short", self.expect(self.run_program("run"), 0).stdout)

    def test_colour_only_when_asked_for_or_on_a_terminal(self):
        self.write("a.scenario.json", FAILING)
        self.assertNotIn("\x1b[", self.run_program("run").stdout)
        self.assertIn("\x1b[", self.run_program("run", "--color", "always").stdout)

    def test_the_last_line_is_the_totals_whatever_happened(self):
        self.write("a.scenario.json", FAILING)
        for flags in ("", "-v", "-vv", "-q", "--progress none", "--progress bar"):
            result = self.expect(self.run_program("run", *flags.split()), 1)
            self.assertEqual(self.last_line(result), "scenarios: 0 passed, 1 failed, 0 skipped")


class Runs(ProgramTest):
    def test_the_stable_report_does_not_depend_on_how_it_was_run(self):
        self.write("echo.scenario.json", ECHO)
        self.write("a.scenario.json", FAILING)
        self.write("s.scenario.json", SKIPPED)
        for number in range(30):
            self.write(f"n/{number}.scenario.json", PASSING)
        seen = set()
        for flags in ((), ("-j1",), ("-j3", "--rings", "2"), ("--rings", "4")):
            self.run_program("run", *flags, "--report", "json-stable=out.json")
            seen.add((self.dir / "out.json").read_text())
        self.assertEqual(len(seen), 1)

    def test_variables_and_seed(self):
        self.write(
            "v.scenario.json",
            {"vars": {"n": 1}, "steps": [{"log": "n is ${n}"}, {"log": "${hex(random(9, 'a'))}"}]},
        )
        logs = {}
        for flags in ("--var n=7", "--seed 1", "--seed 2", ""):
            self.expect(self.run_program("run", *flags.split(), "--report", "json=r.json"), 0)
            logs[flags] = self.report("r.json")[0]["logs"]
        self.assertEqual(logs["--var n=7"][0], "main: n is 7")
        self.assertEqual(logs[""][0], "main: n is 1")
        self.assertEqual(logs[""], logs["--seed 1"])
        self.assertNotEqual(logs["--seed 1"], logs["--seed 2"])

    def test_a_variable_must_be_one_of_some_scenario(self):
        self.write("a.scenario.json", PASSING)
        self.write("v.scenario.json", {**PASSING, "vars": {"size": 1}})
        self.expect(self.run_program("run", "--var", "size=2"), 0)
        result = self.expect(self.run_program("run", "--var", "siez=2"), 3)
        self.assertIn("E0312", result.stderr)
        self.assertIn('did you mean "size"?', result.stderr)

    def test_on_a_terminal_there_is_a_progress_line_that_goes_away(self):
        self.write("a.scenario.json", {"steps": [{"sleep": "300ms"}]})
        for env, bar in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "CI": "true"}, False),
                         ({"TERM": "dumb"}, False)):
            with self.subTest(env=env):
                master, terminal = pty.openpty()
                result = self.run_program("run", stdout=terminal, env=env)
                os.close(terminal)
                shown = b""
                while chunk := read_terminal(master):
                    shown += chunk
                os.close(master)
                self.assertEqual(result.returncode, 0)
                self.assertEqual(b"\r\x1b[K" in shown, bar)
                lines = shown.replace(b"\r\x1b[K", b"\n").decode().split("\r\n")
                self.assertEqual(lines[-2].split("\n")[-1],
                                 "scenarios: 1 passed, 0 failed, 0 skipped")

    def test_as_kernel_skips_what_that_kernel_lacks(self):
        self.write("b.scenario.json", {"requires": {"ops": ["bind"]}, "steps": [{"sleep": "0ns"}]})
        result = self.expect(self.run_program("run", "--as-kernel", "6.1"), 0)
        self.assertEqual(self.last_line(result), "scenarios: 0 passed, 0 failed, 1 skipped")

    def test_ring_modes(self):
        self.write("echo.scenario.json", ECHO)
        for mode in ("defer", "coop", "plain", "sqpoll"):
            with self.subTest(mode=mode):
                self.expect(
                    self.run_program("run", "--ring-mode", mode, "--report", "json=r.json"), 0
                )
                first = json.loads((self.dir / "r.json").read_text())["scenarios"][0]
                self.assertEqual(first["ring_mode"], mode)

    def test_repeat(self):
        self.write("echo.scenario.json", ECHO)
        result = self.expect(self.run_program("run", "--repeat", "20"), 0)
        self.assertEqual(self.last_line(result), "scenarios: 2 passed, 0 failed, 0 skipped")

    def test_few_descriptors_mean_fewer_at_once_not_failures(self):
        for number in range(60):
            self.write(f"{number}.scenario.json", ECHO)
        result = self.run_program(
            "run", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        )
        self.expect(result, 0)
        self.assertEqual(self.last_line(result), "scenarios: 120 passed, 0 failed, 0 skipped")

    def test_many_wait_at_once(self):
        matrix = {"n": list(range(500))}
        self.write(
            "w.scenario.json", {"matrix": matrix, "steps": [{"sleep": "400ms"}]}
        )
        result = self.expect(self.run_program("run", "-q", "--report", "json=r.json"), 0)
        self.assertEqual(self.last_line(result), "scenarios: 500 passed, 0 failed, 0 skipped")
        took = json.loads((self.dir / "r.json").read_text())["volatile"]["duration_ns"]
        # One after the other it would be 200 s.
        self.assertLess(took, 60e9)


if __name__ == "__main__":
    main()
