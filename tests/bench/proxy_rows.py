"""The proxy's rows of scripts/bench: against HAProxy in TCP mode, and with rules against without.

One processor for the proxies, which never work at the same time, another one for both ends of the
load (bench_proxy), where there are two. The sides take turns; a ratio is that of neighbours. Beside
the time by the clock stands the processor time of the proxy's own process, the kernel's part
included: other work on the machine disturbs that much less.
"""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys

HAPROXY = """global
  nbthread 1
  maxconn 4096
defaults
  mode tcp
  timeout connect 60s
  timeout client 60s
  timeout server 60s
  {options}
listen px
  bind 127.0.0.1:{port} backlog 1024
  server one 127.0.0.1:{server}
"""
# They pass `where`, wait for bytes or connections, and never match.
RULES = [
    *({"type": "wire.reset_peer", "when": {"after_bytes": 1 << 50}, "dir": "both"}
      for _ in range(4)),
    *({"type": "wire.latency", "latency": "1s", "when": {"nth": 1 << 40}, "dir": "both"}
      for _ in range(4)),
]
SEARCH = [{"type": "wire.reset_peer", "when": {"match": {"text": "never there"}}, "dir": "both"}]
BULK = 512 << 20


@dataclasses.dataclass
class Row:
    name: str
    command: list  # of bench_proxy, behind the port: its arguments
    operations: int
    unit: str


ROWS = [
    Row("bulk, 1 connection", ["bulk", BULK], BULK >> 20, "MiB"),
    Row("round trips, 1 connection", ["round", 1, 4000], 4000, "round trip"),
    Row("round trips, 64 connections", ["round", 64, 400], 64 * 400, "round trip"),
    Row("connections, 8 at once", ["connect", 8, 250], 2000, "connection"),
]


class Side:
    """A proxy that runs: its port, and the processor time that it has used."""

    def __init__(self, name, process, port):
        self.name, self.process, self.port = name, process, port

    def processor_ns(self):
        if self.process is None:
            return 0
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in tasks)


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder, self.processes = build, folder, []
        processors = sorted(os.sched_getaffinity(0))
        self.of_load, self.of_proxies = {processors[0]}, {processors[-1]}
        served = self.start([build / "bench_proxy", "serve"], self.of_load)
        self.server = int(served.stdout.readline())

    def start(self, command, processors):
        with (self.folder / "proxies.log").open("a") as log:
            made = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=log,
                                    text=True, cwd=self.folder,
                                    preexec_fn=lambda: os.sched_setaffinity(0, processors))
        self.processes.append(made)
        return made

    def end(self):
        for each in self.processes:
            each.terminate()
        for each in self.processes:
            each.communicate()

    def direct(self):
        return Side("no proxy", None, self.server)

    def ours(self, name, faults):
        path = self.folder / f"{name}.json"
        faults = [{"id": f"f{number}", **each} for number, each in enumerate(faults)]
        path.write_text(json.dumps({
            "proxies": {"px": {"listen": "tcp://127.0.0.1:0",
                               "to": f"tcp://127.0.0.1:{self.server}"}}, "faults": faults}))
        made = self.start([self.build / "uring-scenario", "proxy", path], self.of_proxies)
        return Side(name, made, int(re.search(r":(\d+) →", made.stdout.readline())[1]))

    def haproxy(self, name, options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        path = self.folder / f"{name}.cfg"
        path.write_text(HAPROXY.format(options=options, port=port, server=self.server))
        made = self.start([shutil.which("haproxy"), "-q", "-db", "-f", path], self.of_proxies)
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            if made.poll() is not None:
                sys.exit("bench: haproxy ended")
        return Side(name, made, port)

    def measure(self, row, side):
        """Nanoseconds an operation: by the clock, and of the proxy's processor."""
        word, *numbers = row.command
        before = side.processor_ns()
        done = subprocess.run(
            [self.build / "bench_proxy", word, *map(str, [side.port, *numbers])],
            capture_output=True, text=True, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, self.of_load))
        if done.returncode != 0:
            sys.exit(f"bench: {row.name} through {side.name}: {done.stderr}")
        used = side.processor_ns() - before
        return int(done.stdout) / row.operations, used / row.operations


def ratios(mine, theirs):
    all_of = [a / b for a, b in zip(mine, theirs)]
    return f"{statistics.median(all_of):6.2f} ({min(all_of):.2f} to {max(all_of):.2f})"


def rows_of(bench, sides, reference, pairs):
    """Every side of every row, in turn; ratios to the reference side, which is one of them."""
    print(f"{'':28}{'µs each':>10}{'processor':>11}   over {reference.name}: clock, processor")
    for row in ROWS:
        clock, processor = {}, {}
        for side in sides:
            bench.measure(row, side)  # warm
        for _ in range(pairs):
            for side in sides:
                took, used = bench.measure(row, side)
                clock.setdefault(side, []).append(took)
                processor.setdefault(side, []).append(used)
        print(f"{row.name}, a {row.unit}")
        for side in sides:
            text = (f"  {side.name:26}{statistics.median(clock[side]) / 1000:10.2f}"
                    f"{statistics.median(processor[side]) / 1000:11.2f}")
            if side is not reference and side.process is not None:
                text += (f"   {ratios(clock[side], clock[reference])}"
                         f"   {ratios(processor[side], processor[reference])}")
            print(text, flush=True)
        added = [side for side in sides if side.process is not None and "round" in row.name]
        if "1 connection" in row.name and sides[0].process is None:
            for side in added:
                more = [a - b for a, b in zip(clock[side], clock[sides[0]])]
                print(f"    added by {side.name:17}{statistics.median(more) / 1000:10.2f}")


def proxy_rows(build, folder, pairs):
    if not shutil.which("haproxy"):
        sys.exit("bench: haproxy is not installed (scripts/setup --full installs it)")
    bench = Bench(build, folder)
    try:
        plain = bench.haproxy("haproxy", "")
        splicing = bench.haproxy("haproxy splice-auto", "option splice-auto")
        ours = bench.ours("proxy", [])
        print("Goal: at most 1.0 over haproxy")
        rows_of(bench, [bench.direct(), ours, splicing, plain], plain, pairs)
        print("\nGoal: with 8 rules that don't match at most 1.02 over none")
        rules = [bench.ours("8 rules", RULES), bench.ours("a search", SEARCH)]
        rows_of(bench, [*rules, ours], ours, pairs)
    finally:
        bench.end()
