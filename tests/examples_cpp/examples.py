"""What the tests of the C++ examples share: where the programs are, and a running echo server.

`python3 tests/examples_cpp/echo_server_test.py BUILD_DIR/examples [unittest's own arguments]`
"""

import pathlib
import re
import socket
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else pathlib.Path()

# For ever, as far as a test is concerned: nothing here waits this long, or for this reason fails
# on a slow machine.
LONG = 120


def program(name):
    return str(FOLDER / name)


class Server:
    """An echo_server on a free port; `end` stops it and keeps what it printed."""

    def __init__(self, test, **more):
        self.process = subprocess.Popen(
            [program("echo_server"), "tcp://127.0.0.1:0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )
        test.addCleanup(self.kill)
        first = self.process.stdout.readline()
        found = re.fullmatch(r"listening on (tcp://127\.0\.0\.1:(\d+))\n", first)
        if not found:
            raise AssertionError(f"the server said {first!r} {self.process.stderr.read()}")
        self.url, self.port = found[1], int(found[2])
        self.test = test

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=LONG)
        self.test.addCleanup(client.close)
        return client

    def end(self, signal):
        self.process.send_signal(signal)
        self.stdout, self.stderr = self.process.communicate(timeout=LONG)
        return self.process.returncode

    def totals(self):
        """(served, bytes, open at the end, pauses) from its last line."""
        return tuple(map(int, re.findall(r"\d+", self.stdout.rstrip("\n").split("\n")[-1])))


def receive_exactly(client, count):
    data = bytearray()
    while len(data) < count:
        piece = client.recv(min(count - len(data), 1 << 16))
        if not piece:
            raise AssertionError(f"the end of the stream after {len(data)} of {count} bytes")
        data += piece
    return bytes(data)


def round_trip(client, data):
    client.sendall(data)
    return receive_exactly(client, len(data))


def main():
    unittest.main(verbosity=1)
