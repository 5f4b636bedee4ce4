#!/usr/bin/env python3
"""Runs the fuzzer over scenario files for so many inputs.

    fuzz.py FUZZER RUNS [libFuzzer's own arguments]

It starts from the examples, the conformance corpus, the wrong scenarios of the golden tests and
tests/fuzz/corpus, with the words of the language as a dictionary (out of the schema, which is made
of the tables). An input that crashes it is kept as ./crash-… or ./timeout-…; `FUZZER FILE` runs it
again. The same seed makes the same inputs; URING_FUZZ_SEED chooses another one.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = ("examples", "tests/conformance", "tests/language", "tests/golden", "tests/fuzz/corpus")


def words():
    """Every key, and every name that stands for a value."""
    found = {"${", "}", "${matrix.", "${tmp}", "// x\n", "/* x */", "\\u0000", "0x"}

    def walk(node):
        if isinstance(node, list):
            for each in node:
                walk(each)
        if not isinstance(node, dict):
            return
        properties = node.get("properties", {})
        found.update(f'"{name}":' for name in properties)
        found.update(f'"{word}"' for word in node.get("enum", []) if isinstance(word, str))
        for each in node.values():
            walk(each)

    walk(json.loads((ROOT / "schema" / "scenario.schema.json").read_text()))
    return sorted(found)


def as_dictionary(entries):
    escaped = (each.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\x0A")
               for each in entries)
    return "".join(f'"{each}"\n' for each in escaped)


def main():
    fuzzer, runs, more = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryDirectory(prefix="uring-fuzz-") as holder:
        folder = pathlib.Path(holder)
        seeds = folder / "seeds"
        seeds.mkdir()
        inputs = [p for where in SEEDS for p in sorted((ROOT / where).rglob("*.json"))]
        for number, path in enumerate(inputs):
            shutil.copy(path, seeds / f"{number:04}.json")
        (folder / "words").write_text(as_dictionary(words()))
        print(f"fuzz.py: {len(inputs)} seeds, {len(words())} words", flush=True)
        done = subprocess.run(
            [fuzzer, f"-runs={runs}", f"-seed={os.environ.get('URING_FUZZ_SEED', '1')}",
             f"-dict={folder / 'words'}", "-max_len=8192", "-timeout=60", "-verbosity=1",
             "-print_final_stats=1", f"-artifact_prefix={os.getcwd()}/", *more, seeds],
            check=False)
    # libFuzzer ends with 77 when an input crashes, which ctest would take for a skipped test.
    sys.exit(0 if done.returncode == 0 else 1)


main()
