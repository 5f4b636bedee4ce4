#!/usr/bin/env python3
"""Runs all examples in each mode of the ring. ring_modes.py PROGRAM"""
import subprocess
import sys

for mode in ("defer", "coop", "plain", "sqpoll"):
    print(f"{mode}:", flush=True)
    done = subprocess.run([sys.argv[1], "run", "examples", "-q", "--ring-mode", mode], check=False)
    if done.returncode != 0:
        sys.exit(f"the examples do not pass in the mode {mode}")
