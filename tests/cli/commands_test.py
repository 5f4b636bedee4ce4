#!/usr/bin/env python3
"""The command line itself, and the commands that run nothing: check, list, probe, diff, explain."""

import json
import os
import resource
import subprocess

from program import (
    ECHO,
    FAILING,
    PASSING,
    PROGRAM,
    WRONG,
    ProgramTest,
    full_device,
    main,
)


class CommandLine(ProgramTest):
    def test_version_and_help_are_results(self):
        version = self.expect(self.run_program("--version"), 0).stdout
        self.assertRegex(version, r"^uring-scenario \d")
        for command in ("run", "check", "list", "probe", "diff", "explain"):
            text = self.expect(self.run_program(command, "--help"), 0).stdout
            self.assertIn(f"usage: uring-scenario {command}", text)
            self.assertIn("Examples:", text)
            self.assertIn("Exit codes:", text)

    def test_what_is_unknown_is_told_with_a_suggestion(self):
        result = self.expect(self.run_program("chekc"), 2)
        self.assertIn('did you mean "check"?', result.stderr)
        self.assertEqual(result.stdout, "")
        result = self.expect(self.run_program("run", "--job"), 2)
        self.assertIn('did you mean "--jobs"?', result.stderr)

    def test_no_words_at_all_are_a_usage_error(self):
        self.assertIn("Commands:", self.expect(self.run_program(), 2).stderr)

    def test_hostile_words_cannot_write_to_the_terminal(self):
        result = self.expect(self.run_program("\x1b]0;title\x07"), 2)
        self.assertNotIn("\x1b", result.stderr)
        result = self.expect(self.run_program("check", "\n::error ::forged"), 3)
        self.assertNotIn("\n::error", result.stdout + result.stderr)

    def test_a_reader_that_goes_away_is_no_crash(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        result = self.run_program("probe", stdout=write_end)
        os.close(write_end)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr, "")

    def test_a_full_disk_under_standard_output_is_told(self):
        with open(full_device(), "w") as full:
            result = self.run_program("probe", stdout=full)
        self.assertEqual(result.returncode, 5)
        self.assertIn("No space left", result.stderr)


class Check(ProgramTest):
    def test_all_is_well(self):
        self.write("a.scenario.json", PASSING)
        self.write("b/echo.scenario.json", ECHO)
        result = self.expect(self.run_program("check"), 0)
        self.assertEqual(result.stdout, "checked 2 files, 3 scenarios: no errors\n")
        self.assertEqual(result.stderr, "")

    def test_all_errors_of_all_files_at_once(self):
        self.write("a.scenario.json", WRONG)
        self.write("b.scenario.json", WRONG)
        self.write("c.scenario.json", "{")
        result = self.expect(self.run_program("check"), 3)
        for name in "abc":
            self.assertIn(f"--> {name}.scenario.json:", result.stdout)
        self.assertIn('did you mean "sleep"?', result.stdout)
        self.assertEqual(self.last_line(result), "checked 3 files, 0 scenarios: 3 errors")

    def test_as_json(self):
        self.write("a.scenario.json", WRONG)
        answer = json.loads(self.expect(self.run_program("check", "--json"), 3).stdout)
        self.assertEqual(answer["errors"], 1)
        self.assertEqual(answer["diagnostics"][0]["code"], "E0206")
        self.assertEqual(answer["diagnostics"][0]["at"]["line"], 4)

    def test_a_path_that_leads_nowhere(self):
        self.write("recv.scenario.json", PASSING)
        result = self.expect(self.run_program("check", "rcev.scenario.json"), 3)
        self.assertIn('did you mean "recv.scenario.json"?', result.stdout)

    def test_nothing_to_check(self):
        self.assertIn("no *.scenario.json", self.expect(self.run_program("check"), 4).stderr)

    def test_it_opens_nothing_but_files(self):
        """No ring, no socket, no program: also where io_uring is forbidden."""
        self.write("a.scenario.json", ECHO)
        try:
            traced = subprocess.run(
                ["strace", "-f", "-e", "trace=io_uring_setup,socket,execve", PROGRAM, "check"],
                cwd=self.dir, capture_output=True, text=True, check=False,
            )
        except FileNotFoundError:
            self.skipTest("no strace here")
        if traced.returncode != 0:
            self.skipTest("strace may not trace here")
        self.assertNotIn("io_uring_setup(", traced.stderr)
        self.assertNotIn("socket(", traced.stderr)
        self.assertEqual(traced.stderr.count("execve("), 1)


class List(ProgramTest):
    def test_ids_with_tags(self):
        self.write("a.scenario.json", PASSING)
        self.write("echo.scenario.json", ECHO)
        result = self.expect(self.run_program("list"), 0)
        self.assertEqual(
            result.stdout,
            "a.scenario.json\n"
            "echo.scenario.json[size=1]\ttcp\n"
            "echo.scenario.json[size=6]\ttcp\n",
        )
        ids = [each["id"] for each in json.loads(self.run_program("list", "--json").stdout)]
        self.assertEqual(ids, [line.split("\t")[0] for line in result.stdout.splitlines()])


class Probe(ProgramTest):
    def test_every_opcode_and_the_mask(self):
        whole = json.loads(self.expect(self.run_program("probe", "--json"), 0).stdout)
        self.assertEqual(len(whole["opcodes"]), 65)
        self.assertTrue(whole["opcodes"]["nop"]["supported"])
        masked = json.loads(self.run_program("probe", "--json", "--as-kernel", "6.1").stdout)
        self.assertEqual(masked["as_kernel"], "6.1")
        self.assertFalse(masked["opcodes"]["bind"]["supported"])
        text = self.expect(self.run_program("probe", "--as-kernel", "6.1"), 0).stdout
        self.assertRegex(text, r"\n  56  bind +6\.11 +no\n")
        self.assertIn("6.1", self.expect(self.run_program("probe", "--as-kernel", "x"), 2).stderr)

    def test_registrations_and_limits(self):
        whole = json.loads(self.expect(self.run_program("probe", "--json"), 0).stdout)
        self.assertEqual(len(whole["registrations"]), 37)
        self.assertTrue(whole["registrations"]["probe"]["supported"])
        masked = json.loads(self.run_program("probe", "--json", "--as-kernel", "6.1").stdout)
        self.assertTrue(masked["registrations"]["sync_cancel"]["supported"])
        self.assertFalse(masked["registrations"]["clock"]["supported"])
        self.assertEqual(
            list(whole["limits"]),
            ["bounded_workers", "cq_entries", "descriptors", "locked_memory", "processes"]
            + ["sq_entries", "unbounded_workers"],
        )
        self.assertEqual(list(whole["access"]), ["io_uring_disabled", "io_uring_group", "seccomp"])
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
        lowered = self.run_program("probe", "--json", preexec_fn=few)
        limits = json.loads(self.expect(lowered, 0).stdout)["limits"]
        self.assertEqual(limits["descriptors"], {"soft": 100, "hard": 200})
        text = self.run_program("probe", "--as-kernel", "6.1", preexec_fn=few).stdout
        self.assertIn("\ndescriptors         100 (hard limit 200)\n", text)
        self.assertRegex(text, r"\nsubmission queue    \d+ at most\n")
        self.assertRegex(text, r"\n  24  sync_cancel +6\.0 +yes\n")
        self.assertRegex(text, r"\n  29  clock +6\.12 +no\n")


class Diff(ProgramTest):
    def report(self, name, *scenarios):
        for number, content in enumerate(scenarios):
            self.write(f"{number}.scenario.json", content)
        self.run_program("run", "--report", f"json={name}")

    def test_same_and_different(self):
        self.report("one.json", PASSING, ECHO)
        self.report("two.json", PASSING, ECHO)
        self.report("three.json", FAILING, ECHO)
        result = self.expect(self.run_program("diff", "one.json", "two.json"), 0)
        self.assertEqual(result.stdout, "")
        result = self.expect(self.run_program("diff", "one.json", "three.json"), 8)
        self.assertIn("0.scenario.json", result.stdout)
        changes = json.loads(self.run_program("diff", "one.json", "three.json", "--json").stdout)
        self.assertTrue(changes["changes"])
        self.assertIn("|", self.run_program("diff", "one.json", "three.json", "--md").stdout)

    def test_what_is_no_report(self):
        self.write("x.json", "{}")
        self.expect(self.run_program("diff", "x.json", "none.json"), 5)
        self.expect(self.run_program("diff", "x.json"), 2)
        self.expect(self.run_program("diff", "-", "-"), 2)


class Explain(ProgramTest):
    def explained(self, word):
        return self.expect(self.run_program("explain", word), 0).stdout

    def test_every_kind_of_word(self):
        self.assertIn("recv: stream op", self.explained("recv"))
        self.assertIn("sqe.recv: low-level op", self.explained("recv"))
        self.assertNotIn("stream op", self.explained("sqe.recv"))
        self.assertIn("errnos", self.explained("sqe.recv"))
        self.assertIn("matcher", self.explained("prefix"))
        self.assertIn("function", self.explained("crc32"))
        self.assertIn("modifier", self.explained("cancel_after"))
        self.assertIn("fault of completions", self.explained("cqe.errno"))
        self.assertIn("key of a service", self.explained("ready_timeout"))
        self.assertIn("errno 104", self.explained("ECONNRESET"))
        for code in ("E0104", "e0104", "0104"):
            self.assertIn("E0104: result differs", self.explained(code))

    def test_all_meanings_of_a_word(self):
        text = self.explained("timeout")
        self.assertIn("timeout: modifier", text)
        self.assertIn("sqe.timeout", text)
        self.assertIn("timeout: key of a scenario", text)

    def test_the_index_lists_only_what_can_be_explained(self):
        index = self.expect(self.run_program("explain"), 0).stdout
        words = {
            word
            for line in index.splitlines()
            if line.startswith("  ")
            for word in line.split()
        }
        self.assertGreater(len(words), 200)
        # One program a word is too slow for all of them here; the unit test has the rest.
        for word in sorted(words)[::40]:
            self.explained(word)

    def test_unknown(self):
        result = self.expect(self.run_program("explain", "prefxi"), 2)
        self.assertIn('did you mean "prefix"?', result.stderr)


if __name__ == "__main__":
    main()
