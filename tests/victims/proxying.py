"""A proxy of a test's own: started with faults, ended, and asked what it has counted."""

import dataclasses
import re
import signal
import subprocess

from program import LONG, PROGRAM, ProgramTest

COUNTERS = re.compile(r"fault (\S+) \(\S+\): (\d+) candidates?, (\d+) matched, (\d+) fired, "
                      r"(\d+) observed")
PROXY = re.compile(r"px: (\d+) connections?, (\d+) bytes to the server, (\d+) to the client")


@dataclasses.dataclass
class Told:
    connections: int
    to_server: int
    to_client: int
    faults: dict  # id: {"candidates", "matched", "fired", "observed"}


def read_summary(text):
    faults = {}
    for name, *numbers in COUNTERS.findall(text):
        words = ("candidates", "matched", "fired", "observed")
        faults[name] = dict(zip(words, map(int, numbers)))
    return Told(*map(int, PROXY.search(text).groups()), faults)


class ProxyTest(ProgramTest):
    def start_proxy(self, to, *faults, scheme="tcp", **more):
        """Its port."""
        self.write("px.json", {"proxies": {"px": {"listen": f"{scheme}://127.0.0.1:0", "to": to}},
                               "faults": list(faults), **more})
        self.proxy = subprocess.Popen([PROGRAM, "proxy", "px.json"], cwd=self.dir, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.kill_proxy, self.proxy)
        line = self.proxy.stdout.readline()
        if found := re.search(r"://127\.0\.0\.1:(\d+) →", line):
            return int(found[1])
        self.fail(f"the proxy does not listen: {line}{self.proxy.stderr.read()}")

    def kill_proxy(self, proxy):
        if proxy.poll() is None:
            proxy.kill()
        proxy.communicate()

    def end_proxy(self):
        self.proxy.send_signal(signal.SIGTERM)
        out, err = self.proxy.communicate(timeout=LONG)
        self.assertEqual(self.proxy.returncode, 0, err)
        return read_summary(out)
