#!/usr/bin/env python3
"""Reports on their way to files: checked early, whole or not at all, none lost to another's end."""

import json
import os
import subprocess
import time
import xml.etree.ElementTree

from program import (
    FAILING,
    PASSING,
    PROGRAM,
    ROOT,
    SLEEPING,
    ProgramTest,
    environment,
    full_device,
    main,
)


class Reports(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("a.scenario.json", PASSING)
        self.write("b.scenario.json", FAILING)

    def test_several_at_once(self):
        self.expect(
            self.run_program("run", "--report", "json=o.json", "--report", "junit=o.xml"), 1
        )
        self.assertEqual(len(json.loads((self.dir / "o.json").read_text())["scenarios"]), 2)
        self.assertEqual(
            xml.etree.ElementTree.parse(self.dir / "o.xml").getroot().get("failures"), "1"
        )
        self.assertEqual(sorted(os.listdir(self.dir)),
                         ["a.scenario.json", "b.scenario.json", "o.json", "o.xml"])

    def test_strays_of_faults_are_told_with_their_origin(self):
        """What a late or repeated completion is, beside one that was lost."""
        path = ROOT / "tests/faults/completions.scenario.json"
        result = self.expect(self.run_program("run", str(path), "-v", "--report", "json=o.json"), 0)
        (report,) = json.loads((self.dir / "o.json").read_text())["scenarios"]
        strays = report["fault_strays"]
        self.assertEqual([each.pop("volatile")["res"] for each in strays], [5, 5])
        self.assertEqual(strays, [
            {"actor": name, "fault": name, "op": "recv", "step": "2", "type": f"cqe.{name}"}
            for name in ("duplicate", "late")])
        self.assertEqual(report["strays"], 2)
        self.assertIn("stray: recv of late step 2 said 5 to nobody, by the fault late (cqe.late)",
                      result.stdout)

    def test_on_standard_output_it_stands_alone(self):
        result = self.expect(self.run_program("run", "--report", "json"), 1)
        self.assertEqual(len(json.loads(result.stdout)["scenarios"]), 2)
        self.assertIn("scenarios: 1 passed, 1 failed", result.stderr)

    def test_two_into_one_file_are_a_usage_error(self):
        for one, other in (("json=x", "junit=./x"), ("json", "junit=-")):
            result = self.expect(
                self.run_program("run", "--report", one, "--report", other), 2
            )
            self.assertIn("two reports", result.stderr)

    def test_a_missing_directory_is_told_before_anything_runs(self):
        self.write("s.scenario.json", SLEEPING)
        began = time.monotonic()
        result = self.expect(self.run_program("run", "--report", "json=none/o.json"), 5)
        self.assertLess(time.monotonic() - began, 60)
        self.assertIn("there is no directory", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_what_cannot_be_a_report(self):
        result = self.expect(self.run_program("run", "--report", "json=."), 5)
        self.assertIn("it is a directory", result.stderr)
        if os.geteuid() != 0:
            os.chmod(self.dir, 0o555)
            self.addCleanup(os.chmod, self.dir, 0o755)
            self.expect(self.run_program("run", "--report", "json=o.json"), 5)

    def test_a_full_device_fails_one_report_and_not_the_others(self):
        result = self.expect(
            self.run_program(
                "run", "--report", f"json={full_device()}", "--report", "junit=o.xml"
            ),
            5,
        )
        self.assertIn("cannot write the json report", result.stderr)
        self.assertIn("no space left", result.stderr)
        self.assertTrue((self.dir / "o.xml").exists())
        self.assertEqual(self.last_line(result), "scenarios: 1 passed, 1 failed, 0 skipped")

    def test_a_disk_that_fills_up_leaves_the_old_report(self):
        """On a file system of 64 KiB, which takes a mount namespace."""
        for number in range(200):
            self.write(f"n/{number}.scenario.json", FAILING)
        script = (
            "mkdir small && mount -t tmpfs -o size=64k tmpfs small && echo old > small/o.json && "
            f'"{PROGRAM}" run -q --report json=small/o.json --report junit=o.xml > out 2> err; '
            "echo $? > code; cat small/o.json > kept; ls -A small > left"
        )
        made = subprocess.run(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
            cwd=self.dir, env=environment(), capture_output=True, text=True, check=False,
        )
        if not (self.dir / "code").exists():
            self.skipTest("no mount namespace here: " + made.stderr.strip())
        read = lambda name: (self.dir / name).read_text()
        self.assertEqual(read("code"), "5\n", read("err"))
        self.assertIn("no space left", read("err"))
        self.assertEqual(read("kept"), "old\n")
        self.assertEqual(read("left"), "o.json\n")
        self.assertTrue((self.dir / "o.xml").exists())
        self.assertIn("scenarios: 1 passed, 201 failed, 0 skipped", read("out"))

    def test_standard_output_that_is_full_is_told(self):
        with open(full_device(), "w") as full:
            result = self.run_program("run", stdout=full)
        self.assertEqual(result.returncode, 5)
        self.assertIn("cannot write to standard output", result.stderr)

    def test_a_reader_that_went_away_changes_nothing(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        result = self.run_program("run", stdout=write_end)
        os.close(write_end)
        self.assertEqual(result.returncode, 1)


if __name__ == "__main__":
    main()
