#!/usr/bin/env python3
"""Runs each scenario of docs/tutorial.md: those marked "fails: CODE" must fail with that code,
those marked "refused: CODE" must not be run, the others must pass. tutorial.py PROGRAM"""
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"(?:<!-- (fails|refused): (E\d{4}) -->\n)?```jsonc\n(.*?)```", re.DOTALL)
EXIT_CODES = {"": 0, "fails": 1, "refused": 3}

program = pathlib.Path(sys.argv[1]).absolute()
blocks = BLOCK.findall(pathlib.Path("docs/tutorial.md").read_text())
if len(blocks) < 8:
    sys.exit(f"only {len(blocks)} scenarios were found")
wrong = 0
with tempfile.TemporaryDirectory() as folder:
    for number, (how, code, text) in enumerate(blocks, 1):
        pathlib.Path(folder, f"{number}.scenario.json").write_text(text)
        done = subprocess.run([program, "run", "--no-skip", f"{number}.scenario.json"], cwd=folder,
                              capture_output=True, text=True, check=False)
        if done.returncode != EXIT_CODES[how] or code not in done.stdout + done.stderr:
            wrong += 1
            print(f"scenario {number} {how or 'passes'} {code}: exit code {done.returncode}",
                  done.stdout, done.stderr, sep="\n")
print(f"{len(blocks)} scenarios, {wrong} not as they should be")
sys.exit(1 if wrong else 0)
