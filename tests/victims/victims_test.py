#!/usr/bin/env python3
"""Real programs through the proxy: each victim of cases.py with each of its faults.

    victims_test.py PATH/TO/uring-scenario VICTIM [unittest's own arguments]

What is seen of a fault is asserted: the client's exit code and words, the bytes that the proxy
gave it (and, where it counts them, that it got), the proxy's own counters, and time as a lower
bound that the fault makes true: the same run without it is shorter, in the best of several tries.
No bound would break on a slow machine.
"""

import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

import cases  # noqa: E402
from proxying import ProxyTest  # noqa: E402
from program import PROGRAM, ROOT, main  # noqa: E402
from servers import Servers  # noqa: E402

CHOSEN = sys.argv.pop(1)
VICTIM = cases.VICTIMS[CHOSEN]
SERVERS = Servers()
CONTROLS = 10


class VictimTest(ProxyTest):
    fastest = None  # without a fault

    def try_it(self, *faults, command=None, order=(1, 2, 3, 4)):
        """The client's result, its seconds, and what the proxy has counted."""
        server = SERVERS.start(VICTIM.server)
        if server.startswith("udp://"):  # it answers both ways
            server = VICTIM.scheme + server.removeprefix("udp")
        port = self.start_proxy(server, *faults, scheme=VICTIM.scheme)
        file = self.write("file", ("y" * 79 + "\n") * (cases.SIZE // 80))
        self.write("dns.json", (ROOT / "packs/dns.json").read_text())
        self.write("four.scenario.json", cases.four_questions(port, order))
        stands_for = {"FILE": str(file), "PROGRAM": PROGRAM}
        words = [stands_for.get(word, word).replace("PORT", str(port))
                 for word in command or VICTIM.command]
        begun = time.monotonic()
        result = self.run_command(*words)
        took = time.monotonic() - begun
        for line in result.stdout.splitlines():
            if line.startswith("seconds "):  # its own measure, without the start of the program
                took = float(line.split()[1])
        return result, took, self.end_proxy()

    def test_without_faults_all_is_well(self):
        result, _, told = self.try_it()
        self.expect(result, 0)
        self.assertIn(VICTIM.whole, result.stdout + result.stderr)
        self.assertEqual(told.faults, {})

    def best_without(self, seconds):
        """The least that it takes without a fault; no more tries when that is below `seconds`."""
        cls = type(self)
        for _ in range(CONTROLS):
            if cls.fastest is not None and cls.fastest < seconds:
                break
            _, took, _ = self.try_it()
            cls.fastest = min(took, cls.fastest or took)
        return cls.fastest

    def check(self, case):
        result, took, told = self.try_it(case.fault, command=case.command, order=case.order)
        said = result.stdout + result.stderr
        self.expect(result, case.exit)
        if case.says:
            self.assertTrue(any(each in said for each in case.says), said)
        elif not case.exit:
            self.assertIn(VICTIM.whole, said)
        counted = told.faults["f"]
        self.assertGreaterEqual(counted["fired"], 1)
        if case.fault["type"] != "wire.refuse":  # which the kernel does, and tells nobody
            self.assertGreaterEqual(counted["observed"], 1)
            ways = 2 if case.fault.get("dir") == "both" else 1
            self.assertLessEqual(counted["observed"], counted["fired"] * ways)
        if case.got is not None:
            self.assertEqual(told.to_client, case.got)
            # The client's own count, where it has one: of the page, and of the lines before it.
            if own := re.search(r"got (\d+) behind (\d+)", said):
                self.assertEqual(sum(map(int, own.groups())), case.got)
        if case.sent is not None:
            self.assertEqual(told.to_server, case.sent)
        if case.seconds:
            self.assertGreaterEqual(took, case.seconds)
            self.assertLess(self.best_without(case.seconds), took)


def name_of(number, case):
    return f"test_{number:02}_{case.fault['type'].removeprefix('wire.')}"


for index, each in enumerate(VICTIM.cases):
    setattr(VictimTest, name_of(index, each), lambda self, case=each: self.check(case))

if __name__ == "__main__":
    main()
