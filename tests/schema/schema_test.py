#!/usr/bin/env python3
"""The schema of scenario files, held against an independent validator and against the checker.

    schema_test.py PROGRAM

* The file that ships is what the program prints.
* Every example, every scenario of the corpora and every one that is well formed but fails
  validates.
* Every wrong scenario of tests/golden/fail/check whose mistake is one of structure is refused.
  Which mistakes these are is known by their code and place; see STRUCTURE.
* What STRUCTURAL_* list is refused by the schema and by the checker.
* Each example in the schema itself validates where it stands.
"""

import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = ROOT / "schema" / "scenario.schema.json"
PROGRAM = os.path.abspath(sys.argv.pop(1))

# What a schema must see, when it is a key that is accused: unknown and reserved keys and ops, steps
# of two ops or none. The same codes for a value ("there is no op sned", in a fault's rule) speak of
# what words mean.
STRUCTURE = {"E0201", "E0202", "E0203", "E0206", "E0207"}
# What it must see wherever it is accused: wrong types, what is missing, what excludes each other.
# Not in these: there it depends on what words mean, on other places, or on the actor.
KINDS = {"E0204", "E0205", "E0208"}
BEYOND_IT = {
    "as_too_many", "duplicate_keys", "fault_constants", "fault_fractions", "fault_nth",
    "fault_order", "matrix_rows", "on_is_required", "recv_amounts", "sqe_directory", "told_fields",
    "wire_where"}
ERROR = re.compile(r"^error\[(E\d+)\].*\n *--> [^:]+:(\d+):(\d+)$", re.M)

STRING = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n\r]*|/\*.*?\*/', re.S)


def without_comments(text):
    return STRING.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)


def finite(digits):
    if math.isinf(number := float(digits)):
        raise ValueError(f"{digits} is too large")
    return number


def read(path):
    return json.loads(without_comments(path.read_text()), parse_float=finite)


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, cwd=ROOT, check=False)


def breaches(values):
    """What ajv says of each: { (kind, name): [error] }."""
    lines = "".join(json.dumps({"name": n, "value": v}) + "\n" for n, v in values.items())
    # Where Debian keeps the packages of node, wherever `node` itself came from.
    done = subprocess.run(["node", HERE / "validate.js", SCHEMA], input=lines, capture_output=True,
                          text=True, check=False,
                          env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
    if done.returncode != 0:
        raise AssertionError(f"the validator failed:\n{done.stderr}")
    answers = map(json.loads, done.stdout.splitlines())
    return {tuple(each["name"]): each["errors"] for each in answers}


def well_formed():
    folders = ("examples", "packs/tests", "tests/conformance", "tests/expect", "tests/faults",
               "tests/language", "tests/golden/fail")
    files = [f for name in folders for f in sorted((ROOT / name).rglob("*.scenario.json"))]
    return {str(f.relative_to(ROOT)): read(f) for f in files}


def accuses_structure(text, code, line, column):
    place = text.split("\n")[int(line) - 1][int(column) - 1:]
    return code in STRUCTURE and (code == "E0202" or re.match(r'"[^"]*"\s*:', place) is not None)


def wrong_ones():
    """Name → (the scenario, whether its structure is wrong), for all that can be read at all."""
    found = {}
    for path in sorted((ROOT / "tests" / "golden" / "fail" / "check").glob("*.json")):
        try:
            text = path.read_text()
            errors = ERROR.findall(path.with_suffix(".err").read_text())
            kinds = path.stem not in BEYOND_IT and any(code in KINDS for code, _, _ in errors)
            structure = kinds or any(accuses_structure(text, *e) for e in errors)
            found[path.stem] = (read(path), structure)
        except ValueError:
            continue
    return found


STEPS_WITH_A_MISTAKE = {
    "misspelt argument": {"recv": {"exactyl": 6}},
    "misspelt op": {"slep": "1ms", "id": "x"},
    "modifier of other ops": {"log": "x", "on": "c"},
    "two ops": {"send": "x", "recv": {"line": True}},
}


# Refused by the checker and by the schema alike; a name says what is wrong.
STRUCTURAL_STEPS = {
    "chain of a stream step": {"chain": {"do": [{"send": "x"}]}},
    "chain without members": {"chain": {"do": []}},
    "member with a time of its own": {"chain": {"do": [{"nop": {}, "timeout": "1s"}]}},
    "on nothing": {"nop": {}, "on": {}},
    "on a slot of a stream step": {"send": "x", "on": {"slot": 0}},
    "recv in no way": {"recv": {}},
    "recv in two ways": {"recv": {"line": True, "exactly": 2}},
    "max of what has none": {"recv": {"exactly": 2, "max": 3}},
    "text for a number": {"recv": {"exactly": "six"}},
    "text for a condition": {"while": {"cond": "n < 3", "do": [{"nop": {}}]}},
    "text for a duration": {"sleep": "soon"},
    "await of nothing": {"await": {}},
    "await of two": {"await": {"signal": "s", "id": "i"}},
    "assert of a value only": {"assert": {"value": 1}},
    "assert of both": {"assert": {"that": "${1 == 1}", "value": 1, "is": 1}},
    "retry in the background": {"nop": {}, "id": "n", "async": True, "retry": {"times": 1}},
    "async without an id": {"nop": {}, "async": True},
    "two names for one thing": {"recv": {"line": True}, "as": ["a", "b"]},
    "descriptor of nothing": {"splice": {"fd_in": {}, "len": 1}, "on": 3},
    "mode that is not octal": {"write_file": {"path": "f", "data": "x", "mode": "rw"}},
    "data of two kinds": {"write_file": {"path": "f", "data": {"hex": "00", "b64": "AA=="}}},
    "data of no kind": {"write_file": {"path": "f", "data": {}}},
    "program of nothing": {"exec": []},
    "loop of nothing": {"repeat": {"times": 2, "do": []}},
    "branch of nothing": {"parallel": {"do": [[]]}},
    "output of two streams": {"expect_output": {"process": "p", "stdout": "a", "stderr": "b"}},
    "two register calls": {"register": {"buffers": [1], "unregister_buffers": True}, "ring": "r"},
    "capture of two kinds": {"read_file": "f", "capture": {"n": {"regex": "x", "json": ""}}},
    "capture of a group only": {"read_file": "f", "capture": {"n": {"group": 1}}},
    "any_of beside others": {"nop": {}, "expect": {"any_of": ["ok"], "res": 0}},
    "part without its offset": {
        "read_file": "f", "expect": {"data": {"at": {"is": "x"}}}},
}
STRUCTURAL_SCENARIOS = {
    "actors and steps": {"steps": [{"nop": {}}], "actors": {"a": {"task": True, "do": []}}},
    "no actors": {"actors": {}},
    "actor of no kind": {"actors": {"a": {"do": []}}},
    "actor of two kinds": {
        "actors": {"a": {"task": True, "client": "tcp://127.0.0.1:1", "do": []}}},
    "task with a socket": {"actors": {"a": {"task": True, "socket": {"rcvbuf": 1}, "do": []}}},
    "grace without accept": {
        "actors": {"a": {"server": "tcp://127.0.0.1:0", "grace": "1s", "do": []}}},
    "field of two kinds": {"steps": [{"nop": {}}], "messages": {"m": [{"u8": "a", "u16be": "b"}]}},
    "field of no kind": {"steps": [{"nop": {}}], "messages": {"m": [{"len": 2}]}},
    "len of a number": {"steps": [{"nop": {}}], "messages": {"m": [{"u8": "a", "len": 2}]}},
    "list of nothing": {"steps": [{"nop": {}}], "messages": {"m": [{"list": "a", "count": 2}]}},
    "fraction in a variable": {"steps": [{"nop": {}}], "vars": {"a": [1.5]}},
    "secret from nowhere": {"steps": [{"nop": {}}], "secrets": {"s": {}}},
    "no rows": {"steps": [{"nop": {}}], "cases": []},
    "requirement that is no name": {"steps": [{"nop": {}}], "requires": {"ops": [1]}},
}


def structural_mistakes():
    steps = {name: {"steps": [step]} for name, step in STRUCTURAL_STEPS.items()}
    return {**steps, **STRUCTURAL_SCENARIOS}


class Schema(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.printed = run("schema").stdout
        if os.environ.get("URING_BLESS") == "1":
            SCHEMA.write_text(cls.printed)
        cls.schema = json.loads(SCHEMA.read_text())
        cls.good = well_formed()
        cls.wrong = wrong_ones()
        cls.mistakes = {n: {"steps": [s]} for n, s in STEPS_WITH_A_MISTAKE.items()}
        cls.examples = {
            name: {"steps": [{name.removeprefix("op."): example}]}
            for name, part in cls.schema["definitions"].items() if name.startswith("op.")
            for example in part.get("examples", [])
        }
        # The validator takes its time to start: all at once.
        cls.found = breaches({
            **{("good", name): value for name, value in cls.good.items()},
            **{("wrong", name): value for name, (value, _) in cls.wrong.items()},
            **{("mistake", name): value for name, value in cls.mistakes.items()},
            **{("structure", name): value for name, value in structural_mistakes().items()},
            **{("example", name): value for name, value in cls.examples.items()},
        })

    def refused(self, kind):
        return {n: e for (k, n), e in self.found.items() if k == kind and e}

    def test_the_file_that_ships_is_the_one_in_the_program(self):
        self.assertEqual(SCHEMA.read_text(), self.printed)
        shipped = (ROOT / "schema" / "report.schema.json").read_text()
        self.assertEqual(shipped, run("schema", "report").stdout)

    def test_what_the_program_runs_validates(self):
        self.assertGreater(len(self.good), 50)
        self.assertEqual(self.refused("good"), {})

    def test_what_is_wrong_in_structure_is_refused(self):
        self.assertGreater(len(self.wrong), 60)
        structural = {name for name, (_, structure) in self.wrong.items() if structure}
        self.assertGreater(len(structural), 50)
        self.assertEqual(structural - self.refused("wrong").keys(), set())
        # None that it has learned to see is excused.
        self.assertEqual(BEYOND_IT - self.wrong.keys(), set())

    def test_checker_and_schema_refuse_the_same_mistakes(self):
        mistakes = structural_mistakes()
        self.assertEqual(mistakes.keys() - self.refused("structure").keys(), set())
        with tempfile.TemporaryDirectory() as folder:
            paths = {str(pathlib.Path(folder) / f"{i}.json"): n for i, n in enumerate(mistakes)}
            for path, name in paths.items():
                pathlib.Path(path).write_text(json.dumps(mistakes[name]))
            told = json.loads(run("check", "--json", *paths).stdout)["diagnostics"]
        # Names that nothing makes, rings that are missing: not what these are about.
        meant = {paths[each["at"]["file"]] for each in told
                 if each["level"] == "error" and not each["code"].startswith("E03")}
        self.assertEqual(mistakes.keys() - meant, set())

    def test_a_mistake_is_told_where_it_stands(self):
        told = self.refused("mistake")
        [argument] = told["misspelt argument"]
        self.assertIn("recv", argument["at"])
        self.assertEqual(argument["params"], {"additionalProperty": "exactyl"})
        [op] = told["misspelt op"]
        self.assertEqual(op["params"], {"additionalProperty": "slep"})
        for name, key in (("modifier of other ops", "on"), ("two ops", "recv")):
            names = [each["params"].get("propertyName") for each in told[name]]
            self.assertIn(key, names)
            self.assertLess(len(names), 12)

    def test_every_part_that_an_editor_shows_says_what_it_is(self):
        schema = self.schema
        silent = []

        def resolved(node):
            while isinstance(node, dict) and "$ref" in node:
                node = schema["definitions"][node["$ref"].rsplit("/", 1)[-1]]
            return node

        def walk(node, path):
            if isinstance(node, list):
                for each in node:
                    walk(each, path)
            if not isinstance(node, dict):
                return
            for name, part in node.get("properties", {}).items():
                # false: not beside this one. A pattern or type alone narrows what is described.
                is_said_elsewhere = part is False or "description" not in part and (
                    "const" in part or set(part) <= {"type", "pattern"})
                if not is_said_elsewhere and not resolved(part).get("description"):
                    silent.append(f"{path}.{name}")
            for key, part in node.items():
                walk(part, f"{path}.{key}")

        walk(schema, "")
        self.assertEqual(silent, [])

    def test_each_example_validates_where_it_stands(self):
        self.assertGreater(len(self.examples), 80)
        self.assertEqual(self.refused("example"), {})


unittest.main(verbosity=1)
