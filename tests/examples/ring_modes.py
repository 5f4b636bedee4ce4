#!/usr/bin/env python3
"""Runs scenarios in each mode of the ring, and on rings of each size that is given.

    ring_modes.py PROGRAM PATH [ENTRIES...]
"""
import subprocess
import sys

program, path, *sizes = sys.argv[1:]
rings = [("--ring-mode", mode) for mode in ("defer", "coop", "plain", "sqpoll")]
rings += [("--ring-entries", entries) for entries in sizes]
for ring in rings:
    print(*ring, flush=True)
    done = subprocess.run([program, "run", path, "-q", *ring], check=False)
    if done.returncode != 0:
        sys.exit(f"{path} does not pass with {' '.join(ring)}")
