#!/usr/bin/env python3
"""Which scenarios a command line means, and what is said when there are none."""

from program import ECHO, PASSING, ProgramTest, main


class Selection(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("a.scenario.json", {**PASSING, "tags": ["fast", "local"]})
        self.write("sub/b.scenario.json", {**PASSING, "tags": ["slow"], "name": "the slow one"})
        self.write("sub/echo.scenario.json", ECHO)
        self.write("sub/.hidden.scenario.json", "not even JSON")
        self.write("other.json", PASSING)

    def ids(self, *words):
        result = self.expect(self.run_program("list", *words), 0)
        return [line.split("\t")[0] for line in result.stdout.splitlines()]

    def test_paths(self):
        everything = [
            "a.scenario.json",
            "sub/b.scenario.json",
            "sub/echo.scenario.json[size=1]",
            "sub/echo.scenario.json[size=6]",
        ]
        self.assertEqual(self.ids(), everything)
        self.assertEqual(self.ids("."), everything)
        self.assertEqual(self.ids("./a.scenario.json"), ["a.scenario.json"])
        self.assertEqual(self.ids("other.json"), ["other.json"])
        self.assertEqual(self.ids("sub", "a.scenario.json"), everything[1:] + everything[:1])

    def test_one_case_of_a_file(self):
        self.assertEqual(
            self.ids("sub/echo.scenario.json[size=6]"), ["sub/echo.scenario.json[size=6]"]
        )
        result = self.expect(self.run_program("sub/echo.scenario.json[size=7]"), 4)
        self.assertIn('has no case "size=7"', result.stderr)
        self.assertIn("size=6", result.stderr)
        result = self.expect(self.run_program("list", "a.scenario.json[x=1]"), 4)
        self.assertIn("it has no matrix", result.stderr)

    def test_filter(self):
        self.assertEqual(self.ids("-k", "slow one"), ["sub/b.scenario.json"])
        self.assertEqual(self.ids("-k", "size=1"), ["sub/echo.scenario.json[size=1]"])
        self.assertEqual(self.ids("-k", "/^a.*json$/"), ["a.scenario.json"])
        result = self.expect(self.run_program("list", "-k", "/(/"), 2)
        self.assertIn("--filter", result.stderr)

    def test_tags(self):
        self.assertEqual(self.ids("--tag", "slow"), ["sub/b.scenario.json"])
        self.assertEqual(self.ids("--tag", "(fast or slow) and not local"), ["sub/b.scenario.json"])
        self.assertEqual(len(self.ids("--tag", "not slow")), 3)
        self.assertEqual(len(self.ids("--tag", "tcp", "-k", "size=1")), 1)

    def test_a_wrong_tag_expression_is_shown_with_a_caret(self):
        result = self.expect(self.run_program("run", "--tag", "tcp and and slow"), 2)
        lines = result.stderr.splitlines()
        at = lines.index("  tcp and and slow")
        self.assertEqual(lines[at + 1], "          ^^^")

    def test_nothing_selected_says_what_there_was(self):
        result = self.expect(self.run_program("run", "--tag", "tpc"), 4)
        self.assertIn("none of 4 scenarios", result.stderr)
        self.assertIn("tcp (2)", result.stderr)
        result = self.expect(self.run_program("run", "-k", "nothing like it"), 4)
        self.assertIn("sub/b.scenario.json", result.stderr)
        (self.dir / "empty").mkdir()
        result = self.expect(self.run_program("run", "empty"), 4)
        self.assertIn('no *.scenario.json in "empty"', result.stderr)


if __name__ == "__main__":
    main()
