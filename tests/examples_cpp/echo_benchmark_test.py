"""The benchmark does what it counts: small loads, and servers that break their word."""

import re
import signal
import socket
import subprocess
import threading
import unittest

from examples import LONG, Server, main, program

SMALL = ("--rounds=1", "--threads=2", "--clients=3", "--messages=20")


def run(*words):
    return subprocess.run(
        [program("echo_benchmark"), *words], capture_output=True, text=True, timeout=LONG
    )


class FaithlessServer:
    """Echoes, but breaks off every second connection, or garbles what it sends there."""

    def __init__(self, test, garble):
        self.garble = garble
        self.listener = socket.create_server(("127.0.0.1", 0))
        test.addCleanup(self.listener.close)
        self.url = "tcp://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept_all, daemon=True).start()

    def accept_all(self):
        number = 0
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=self.echo, args=(peer, number % 2 == 0), daemon=True).start()

    def echo(self, peer, faithless):
        with peer:
            heard = 0
            while data := peer.recv(1 << 16):
                heard += len(data)
                if faithless and heard > 1000:
                    if not self.garble:
                        return
                    data = data.swapcase()
                peer.sendall(data)


class Benchmark(unittest.TestCase):
    def test_every_way_does_the_whole_load(self):
        for size in ("1", "512", "200000"):
            with self.subTest(size):
                done = run(*SMALL, f"--bytes={size}")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                table = re.findall(r"^(\w+) +\d+ .*\d\.\d\d\d$", done.stdout, re.MULTILINE)
                self.assertEqual(table, ["engine", "liburing", "epoll"])

    def test_the_work_really_reaches_a_server(self):
        for way in ("engine", "liburing", "epoll"):
            server = Server(self)
            done = run(*SMALL, f"--way={way}", f"--server={server.url}")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(server.end(signal.SIGTERM), 0)
            self.assertEqual(server.totals()[:2], (6, 6 * 20 * 512))

    def test_failed_clients_are_no_work_done(self):
        for way in ("engine", "liburing", "epoll"):
            for garble in (False, True):
                with self.subTest(way=way, garble=garble):
                    server = FaithlessServer(self, garble)
                    done = run(*SMALL, f"--way={way}", f"--server={server.url}")
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(
                        f"{way}: 3 clients failed, 60 round trips done by the others\n",
                        done.stdout,
                    )

    def test_usage(self):
        for words in (("--way=magic",), ("--clients=0",), ("--server=x",), ("word",)):
            done = run(*words)
            self.assertEqual(done.returncode, 2)
            self.assertIn("usage:", done.stderr)


main()
