#!/usr/bin/env python3
"""The tools around the language: schema, fmt, render, new, conformance."""

import json
import os
import pathlib
import re
import shutil
import stat
import subprocess

from program import ECHO, PASSING, PROGRAM, ROOT, ProgramTest, full_device, main

# The system's own programs, not what somebody's shell puts before them.
PLAIN_PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

UGLY = '{"steps":[{"sleep":"0ns"},// why\n{"log":"x"}]}'
NEAT = """{
  "steps": [
    { "sleep": "0ns" }, // why
    { "log": "x" } ]
}
"""


class Schema(ProgramTest):
    def test_of_scenarios_and_of_reports(self):
        scenario = json.loads(self.expect(self.run_program("schema"), 0).stdout)
        self.assertIn("actors", scenario["properties"])
        self.assertEqual(scenario, json.loads(self.run_program("schema", "scenario").stdout))
        report = json.loads(self.expect(self.run_program("schema", "report"), 0).stdout)
        self.assertIn("totals", report["properties"])
        result = self.expect(self.run_program("schema", "reprot"), 2)
        self.assertIn('did you mean "report"?', result.stderr)

    def test_a_reader_that_goes_away_is_no_crash(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        result = self.run_program("schema", stdout=write_end)
        os.close(write_end)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


class Fmt(ProgramTest):
    def test_files_are_rewritten_in_place(self):
        path = self.write("a.scenario.json", UGLY)
        path.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(path, 12345, 54321)
        owner = (path.stat().st_uid, path.stat().st_gid)
        neat = self.write("b/neat.scenario.json", NEAT)
        before = (neat.stat().st_ino, neat.stat().st_mtime_ns)
        result = self.expect(self.run_program("fmt"), 0)
        self.assertEqual(result.stdout, "a.scenario.json\n")
        self.assertEqual(path.read_text(), NEAT)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        self.assertEqual((path.stat().st_uid, path.stat().st_gid), owner)
        self.assertEqual((neat.stat().st_ino, neat.stat().st_mtime_ns), before)
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()), ["a.scenario.json", "b"])
        self.assertEqual(self.expect(self.run_program("fmt"), 0).stdout, "")

    def test_a_link_goes_on_leading_to_its_file(self):
        path = self.write("real/a.json", UGLY)
        link = self.dir / "link.scenario.json"
        link.symlink_to(path)
        self.expect(self.run_program("fmt", "link.scenario.json"), 0)
        self.assertTrue(link.is_symlink())
        self.assertEqual(path.read_text(), NEAT)

    def test_check_changes_nothing_and_shows_the_first_difference(self):
        path = self.write("a.scenario.json", UGLY)
        self.write("b.scenario.json", NEAT)
        result = self.expect(self.run_program("fmt", "--check"), 1)
        self.assertEqual(path.read_text(), UGLY)
        self.assertIn('a.scenario.json:1\n  - {"steps"', result.stdout)
        self.assertIn("\n  + {\n", result.stdout)
        self.assertNotIn("b.scenario.json", result.stdout)
        self.assertIn("1 of 2 files", result.stderr)
        self.expect(self.run_program("fmt"), 0)
        self.assertEqual(self.expect(self.run_program("fmt", "--check"), 0).stdout, "")

    def test_standard_input_goes_to_standard_output(self):
        self.assertEqual(self.expect(self.run_program("fmt", "-", input=UGLY), 0).stdout, NEAT)
        result = self.expect(self.run_program("fmt", "-", input="{"), 3)
        self.assertEqual(result.stdout, "")
        self.assertIn("--> -:1", result.stderr)

    def test_a_file_with_a_syntax_error_is_left_as_it_is(self):
        wrong = self.write("a.scenario.json", '{"steps":[')
        right = self.write("b.scenario.json", UGLY)
        result = self.expect(self.run_program("fmt"), 3)
        self.assertIn("E0016", result.stderr)
        self.assertEqual(wrong.read_text(), '{"steps":[')
        self.assertEqual(right.read_text(), NEAT)

    def test_what_is_no_scenario_yet_is_laid_out_all_the_same(self):
        path = self.write("a.scenario.json", '{"stesp":[]}')
        self.expect(self.run_program("fmt"), 0)
        self.assertEqual(path.read_text(), '{\n  "stesp": []\n}\n')

    def test_what_can_not_be_written_is_told_and_whole(self):
        if os.geteuid() == 0:
            self.skipTest("root writes everywhere")
        path = self.write("a.scenario.json", UGLY)
        self.dir.chmod(0o500)
        result = self.run_program("fmt")
        self.dir.chmod(0o700)
        self.expect(result, 5)
        self.assertIn("cannot write", result.stderr)
        self.assertEqual(path.read_text(), UGLY)

    def test_no_such_file_and_nothing_to_do(self):
        self.assertIn("E0001", self.expect(self.run_program("fmt", "none.json"), 3).stderr)
        self.assertIn("no *.scenario.json", self.expect(self.run_program("fmt"), 4).stderr)

    def test_our_own_examples_are_laid_out(self):
        self.expect(self.run_program("fmt", "--check", ROOT / "examples"), 0)


class Render(ProgramTest):
    def test_a_case_as_a_scenario_of_its_own(self):
        self.write("echo.scenario.json", ECHO)
        text = self.expect(self.run_program("render", "echo.scenario.json[size=6]"), 0).stdout
        self.assertNotIn("matrix", text)
        self.assertIn('"exactly": 6', text)
        self.write("plain.scenario.json", text)
        self.expect(self.run_program("run", "plain.scenario.json"), 0)

    def test_what_is_included_is_in_it(self):
        self.write("lib/hi.txt", "hi\n")
        self.write("lib/hello.json", {
            "macros": {"hello": {"do": [{"send": {"file": "hi.txt"}, "on": "a"}]}},
        })
        self.write("a.scenario.json", {
            "include": ["lib/hello.json"],
            "steps": [
                {"make": {"kind": "socketpair"}, "as": ["a", "b"]},
                {"call": "hello"},
                {"recv": {"exactly": 3}, "on": "b", "expect": {"data": "hi\n"}},
            ],
        })
        text = self.expect(self.run_program("render", "a.scenario.json"), 0).stdout
        self.assertNotIn("include", text)
        self.assertIn('"file": "lib/hi.txt"', text)
        self.write("b.scenario.json", text)
        self.expect(self.run_program("run"), 0)

    def test_which_case_must_be_said(self):
        self.write("echo.scenario.json", ECHO)
        result = self.expect(self.run_program("render", "echo.scenario.json"), 2)
        self.assertIn("echo.scenario.json[size=1]\n", result.stderr)
        self.expect(self.run_program("render", "echo.scenario.json[size=2]"), 4)
        self.expect(self.run_program("render", "none.json"), 3)
        self.expect(self.run_program("render"), 2)

    def test_every_example_runs_as_before(self):
        """Those of the project that pass, and those that fail on purpose, but for being late."""
        for folder in ("examples", "tests/golden/fail"):
            for path in sorted((ROOT / folder).glob("*.scenario.json")):
                text = path.read_text()
                # Golden files lie beside their scenarios.
                if folder == "examples" or not ("took" in text or ".golden" in text):
                    shutil.copy(path, self.dir)
        ids = [line.split("\t")[0] for line in self.run_program("list").stdout.splitlines()]
        self.assertGreater(len(ids), 20)
        (self.dir / "rendered").mkdir()
        for number, name in enumerate(ids):
            text = self.expect(self.run_program("render", name), 0).stdout
            (self.dir / "rendered" / f"{number:03}.scenario.json").write_text(text)
        # A loaded machine may fail what should pass, but does not pass what should fail.
        words = ("run", "--retries", "3", "--report")
        self.run_program(*words, "json=before.json", *ids, env=PLAIN_PATH)
        self.run_program(*words, "json=after.json", "rendered", env=PLAIN_PATH)

        def verdict(each):
            return each.get("name"), each["verdict"].replace("flaky", "passed")

        before = {each["id"]: verdict(each) for each in self.report("before.json")}
        after = [verdict(each) for each in self.report("after.json")]
        self.assertEqual([before[name] for name in ids], after)


class New(ProgramTest):
    def templates(self):
        listed = self.expect(self.run_program("new"), 0).stdout
        return re.findall(r"^  (\S+) ", listed, re.M)

    def test_every_template_passes_as_it_is_written(self):
        names = self.templates()
        self.assertIn("tcp-client", names)
        for name in names:
            result = self.expect(self.run_program("new", name), 0)
            self.assertIn(f"uring-scenario run {name}.scenario.json", result.stdout)
        result = self.expect(self.run_program("run", "--no-skip", env=PLAIN_PATH), 0)
        self.assertRegex(self.last_line(result), r"^scenarios: \d+ passed, 0 failed, 0 skipped$")
        self.expect(self.run_program("fmt", "--check"), 0)

    def test_nothing_is_overwritten_without_force(self):
        path = self.write("cancel.scenario.json", "mine")
        result = self.expect(self.run_program("new", "cancel"), 2)
        self.assertIn("--force", result.stderr)
        self.assertEqual(path.read_text(), "mine")
        self.expect(self.run_program("new", "cancel", "--force"), 0)
        self.assertIn("cancel_after", path.read_text())

    def test_a_path_a_directory_and_standard_output(self):
        (self.dir / "tests").mkdir()
        self.expect(self.run_program("new", "fault", "tests"), 0)
        self.expect(self.run_program("new", "fault", "own.json"), 0)
        text = self.expect(self.run_program("new", "fault", "-"), 0).stdout
        self.assertEqual((self.dir / "tests/fault.scenario.json").read_text(), text)
        self.assertEqual((self.dir / "own.json").read_text(), text)

    def test_what_goes_wrong_is_told(self):
        result = self.expect(self.run_program("new", "tcp-clinet"), 2)
        self.assertIn('did you mean "tcp-client"?', result.stderr)
        self.assertIn("cannot write", self.run_program("new", "fault", "no/such/dir.json").stderr)
        self.expect(self.run_program("new", "fault", "no/such/dir.json"), 5)
        with open(full_device(), "w") as full:
            self.expect(self.run_program("new", "fault", "-", stdout=full), 5)


class Conformance(ProgramTest):
    def install(self):
        """The program and its data as cmake --install leaves them, without building anything."""
        prefix = self.dir / "prefix"
        build = pathlib.Path(PROGRAM).parent
        done = self.run_command("cmake", "--install", build, "--prefix", prefix, "--component",
                                "program")
        if done.returncode != 0:
            self.skipTest(f"cannot install from {build}: {done.stderr}")
        return prefix

    def test_an_installed_program_finds_its_corpus(self):
        prefix = self.install()
        program = prefix / "bin" / "uring-scenario"
        self.assertTrue((prefix / "share/uring-scenario/schema/scenario.schema.json").exists())
        result = self.expect(self.run_command(program, "conformance"), 0)
        lines = result.stdout.splitlines()
        self.assertRegex(lines[0], r"^Linux \d")
        self.assertRegex(lines[-1], r"^scenarios: \d+ passed, 0 failed, \d+ skipped$")
        corpus = list((ROOT / "tests/conformance").rglob("*.scenario.json"))
        self.assertGreaterEqual(len(lines) - 2, len(corpus))
        self.assertRegex(result.stdout, r"(?m)^links +chains +passed$")
        # The tree may be moved.
        moved = self.dir / "elsewhere"
        prefix.rename(moved)
        again = self.expect(self.run_command(moved / "bin/uring-scenario", "conformance"), 0)
        self.assertEqual(again.stdout, result.stdout)

    def test_as_json_with_the_reason_of_each_skip(self):
        words = ("conformance", "--json", "--as-kernel", "6.1")
        env = {"URING_SCENARIO_DATA": str(ROOT / "tests")}
        first = self.expect(self.run_program(*words, env=env), 0).stdout
        table = json.loads(first)
        self.assertEqual(table["as_kernel"], "6.1")
        skipped = [each for each in table["scenarios"] if each["verdict"] == "skipped"]
        self.assertEqual(len(skipped), table["totals"]["skipped"])
        self.assertTrue(all(each["reason"] for each in skipped))
        self.assertEqual(first, self.run_program(*words, env=env).stdout)

    def test_a_difference_has_its_place_and_fails(self):
        topic = self.dir / "data/conformance/links"
        topic.mkdir(parents=True)
        (topic / "odd.scenario.json").write_text('{"steps": [{"nop": {}, "expect": 1}]}')
        env = {"URING_SCENARIO_DATA": str(self.dir / "data")}
        result = self.expect(self.run_program("conformance", env=env), 1)
        self.assertRegex(result.stdout, r"(?m)^links +odd +failed +E0104 .* at 1:\d+$")
        self.expect(self.run_program("conformance", "-k", "nothing", env=env), 4)

    def test_without_a_corpus_it_says_where_it_looked(self):
        env = {"URING_SCENARIO_DATA": str(self.dir)}
        result = self.expect(self.run_program("conformance", env=env), 5)
        self.assertIn(str(self.dir / "conformance"), result.stderr)


main()
