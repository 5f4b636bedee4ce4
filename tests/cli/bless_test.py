#!/usr/bin/env python3
"""`run --bless` and `--strict`: what is rewritten, what is not, and what is said about it."""

import os
import stat

from program import ProgramTest, main


def talk(reply, *steps):
    """A server that sends `reply`, and a client with these steps."""
    return {
        "actors": {
            "srv": {"server": "tcp://127.0.0.1:0", "do": [{"send": reply}]},
            "c": {"client": "${srv.addr}", "do": list(steps)},
        }
    }


SCENARIO = """// Comments and layout stay.
{ "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "send": "one\\ntwo\\nthree" } ] },
    "c": { "client": "${srv.addr}",
      "do": [
        { "recv": { "line": true },   "expect": { "data": "1" } }, // the first
        { "recv": { "line": true }, "expect": { "res": 9, "data": { "eq": "zwei" } } },
        { "recv": { "exactly": 5 }, "expect": { "data": { "hex": "00" } } } ] } } }
"""

BLESSED = (
    SCENARIO.replace('"1"', '"one"')
    .replace('"zwei"', '"two"')
    .replace('"res": 9', '"res": 3')
    .replace('"00"', '"7468726565"')
)


class Bless(ProgramTest):
    def test_values_in_the_scenario_are_rewritten_and_nothing_else(self):
        self.write("a.scenario.json", SCENARIO)
        os.chmod(self.dir / "a.scenario.json", 0o640)
        result = self.expect(self.run_program("run", "--bless"), 0)
        self.assertIn('blessed a.scenario.json:6:59: "1" → "one"', result.stdout)
        self.assertEqual((self.dir / "a.scenario.json").read_text(), BLESSED)
        self.assertEqual(stat.S_IMODE(os.stat(self.dir / "a.scenario.json").st_mode), 0o640)
        self.assertEqual(sorted(os.listdir(self.dir)), ["a.scenario.json"])
        again = self.expect(self.run_program("run", "--bless"), 0)
        self.assertNotIn("blessed", again.stdout)

    def test_a_golden_file_is_made_and_renewed(self):
        step = {"recv": {"exactly": 5}, "expect": {"data": {"file": "reply.golden"}}}
        self.write("a.scenario.json", talk("hello", step))
        missing = self.expect(self.run_program("run"), 3)
        self.assertIn("--bless", missing.stderr)
        made = self.expect(self.run_program("run", "--bless"), 0)
        self.assertIn("blessed reply.golden: 5 bytes", made.stdout)
        self.assertEqual((self.dir / "reply.golden").read_bytes(), b"hello")
        self.expect(self.run_program("run"), 0)
        (self.dir / "reply.golden").write_bytes(b"other")
        differs = self.expect(self.run_program("run"), 1)
        self.assertIn("E0103", differs.stdout)
        self.expect(self.run_program("run", "--bless"), 0)
        self.assertEqual((self.dir / "reply.golden").read_bytes(), b"hello")

    def test_octets_that_are_no_text_and_holes_are_written_so_that_they_mean_themselves(self):
        step = {"recv": {"exactly": 3}, "expect": {"data": "abc"}}
        self.write("a.scenario.json", talk({"hex": "00ff01"}, step))
        hole = {"recv": {"exactly": 4}, "expect": {"data": "abcd"}}
        self.write("b.scenario.json", talk("$${x}", hole))
        self.expect(self.run_program("run", "--bless"), 0)
        self.expect(self.run_program("run"), 0)
        self.assertIn('{ "hex": "00ff01" }', (self.dir / "a.scenario.json").read_text())
        self.assertIn('"$${x}"', (self.dir / "b.scenario.json").read_text())

    def test_what_failed_for_another_reason_stays(self):
        late = {"recv": {"exactly": 9}, "timeout": "20ms", "expect": {"data": "x", "res": 9}}
        first = {"recv": {"exactly": 1}, "expect": {"data": "a"}}
        wait = {"actors": talk("1", first, late)["actors"]}
        wait["actors"]["srv"]["do"].append({"recv": {"eof": True}})
        self.write("a.scenario.json", wait)
        before = (self.dir / "a.scenario.json").read_text()
        result = self.expect(self.run_program("run", "--bless"), 1)
        self.assertIn("not blessed: a.scenario.json ended as failed", result.stdout)
        self.assertEqual((self.dir / "a.scenario.json").read_text(), before)

    def test_two_cases_that_differ_are_refused(self):
        made = talk("${matrix.m}", {"recv": {"exactly": 1}, "expect": {"data": "z"}})
        self.write("a.scenario.json", {"matrix": {"m": ["a", "b"]}, **made})
        before = (self.dir / "a.scenario.json").read_text()
        result = self.expect(self.run_program("run", "--bless"), 1)
        self.assertIn("nothing is written", result.stderr)
        self.assertEqual((self.dir / "a.scenario.json").read_text(), before)

    def test_a_secret_is_never_written(self):
        made = talk("${token}", {"recv": {"exactly": 6}, "expect": {"data": "abcdef"}})
        self.write("a.scenario.json", {"secrets": {"token": {"env": "TOKEN"}}, **made})
        before = (self.dir / "a.scenario.json").read_text()
        result = self.expect(self.run_program("run", "--bless", env={"TOKEN": "s3cret"}), 1)
        self.assertIn("would write a secret", result.stderr)
        self.assertNotIn("s3cret", result.stdout + result.stderr)
        self.assertEqual((self.dir / "a.scenario.json").read_text(), before)

    def test_a_secret_is_never_written_however_it_is_escaped_or_cut(self):
        steps = [{"recv": {"exactly": 4}, "expect": {"data": "abcd"}, "severity": "should"},
                 {"recv": {"exactly": 4}, "expect": {"data": "efgh"}}]
        for secret, received in (('a"b\\\nc', {"recv": {"exactly": 6}, "expect": {"data": "x"}}),
                                 ("s3cret!!", steps)):
            made = talk("${token}", *(received if isinstance(received, list) else [received]))
            self.write("a.scenario.json", {"secrets": {"token": {"env": "TOKEN"}}, **made})
            before = (self.dir / "a.scenario.json").read_text()
            result = self.expect(self.run_program("run", "--bless", env={"TOKEN": secret}), 1)
            self.assertIn("would write a secret", result.stderr)
            self.assertEqual((self.dir / "a.scenario.json").read_text(), before)

    def test_a_ci_run_rewrites_nothing_unless_forced(self):
        self.write("a.scenario.json", SCENARIO)
        refused = self.expect(self.run_program("run", "--bless", env={"CI": "true"}), 2)
        self.assertIn("--bless=force", refused.stderr)
        self.assertEqual((self.dir / "a.scenario.json").read_text(), SCENARIO)
        self.expect(self.run_program("run", "--bless=force", env={"CI": "true"}), 0)
        self.assertEqual((self.dir / "a.scenario.json").read_text(), BLESSED)
        self.expect(self.run_program("run", "--bless=perhaps"), 2)

    def test_what_is_computed_or_bounded_is_not_rewritten(self):
        self.write(
            "a.scenario.json",
            {
                "vars": {"x": "abc"},
                **talk("hello", {"recv": {"exactly": 5}, "expect": {"data": "${x}"}}),
            },
        )
        self.write(
            "b.scenario.json",
            talk("hello", {"recv": {"exactly": 5}, "expect": {"data": {"prefix": "x"}}}),
        )
        result = self.expect(self.run_program("run", "--bless"), 1)
        self.assertNotIn("blessed a", result.stdout)
        self.assertEqual(self.last_line(result), "scenarios: 0 passed, 2 failed, 0 skipped")


class Severity(ProgramTest):
    def scenario(self, severity):
        step = {"recv": {"exactly": 1}, "expect": {"data": "b"}, "severity": severity}
        self.write("a.scenario.json", talk("a", step))

    def test_should_fails_with_strict_only(self):
        self.scenario("should")
        told = self.expect(self.run_program("run", "--report", "json=r.json"), 0)
        self.assertIn("should c 1 recv: data differs", told.stdout)
        [client] = [a for a in self.report("r.json")[0]["actors"] if a["name"] == "c"]
        step = client["steps"][-1]
        self.assertEqual(step["severity"], "should")
        self.assertEqual(step["status"], "passed")
        self.assertEqual(step["remarks"][0]["code"], "E0103")
        self.expect(self.run_program("run", "--strict"), 1)

    def test_info_never_fails(self):
        self.scenario("info")
        self.assertIn("info", self.expect(self.run_program("run", "--strict"), 0).stdout)

    def test_must_is_as_ever(self):
        self.scenario("must")
        self.expect(self.run_program("run"), 1)


main()
