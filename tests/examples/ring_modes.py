#!/usr/bin/env python3
"""Runs scenarios in each mode of the ring and on the smallest rings. ring_modes.py PROGRAM PATH"""
import subprocess
import sys

RINGS = [("--ring-mode", mode) for mode in ("defer", "coop", "plain", "sqpoll")]
RINGS += [("--ring-entries", entries) for entries in ("2", "4")]

for ring in RINGS:
    print(*ring, flush=True)
    done = subprocess.run([sys.argv[1], "run", sys.argv[2], "-q", *ring], check=False)
    if done.returncode != 0:
        sys.exit(f"{sys.argv[2]} does not pass with {' '.join(ring)}")
