"""The echo client on a terminal and on a pipe, against the echo server and against nobody."""

import os
import pty
import signal
import socket
import subprocess
import time
import unittest

from examples import LONG, Server, main, program


def start(*words, stdin):
    return subprocess.Popen(
        [program("echo_client"), *words],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


class EchoClient(unittest.TestCase):
    def expect(self, client, code, text=None):
        out, err = client.communicate(timeout=LONG)
        self.assertEqual(client.returncode, code, err)
        if text is not None:
            self.assertEqual(out, text)
        return err

    def test_a_conversation_on_a_terminal(self):
        server = Server(self)
        ours, theirs = pty.openpty()
        client = start(server.url, stdin=theirs)
        os.close(theirs)
        for line in (b"hello\n", b"is anybody there?\n"):
            self.assertEqual(client.stdout.read(2), b"> ")
            os.write(ours, line)
            self.assertEqual(client.stdout.read(len(line)), line)
        self.assertEqual(client.stdout.read(2), b"> ")
        os.write(ours, b"\x04")  # the end of the input, as it is typed
        self.expect(client, 0, b"\n")
        os.close(ours)
        self.assertEqual(server.end(signal.SIGINT), 0)
        self.assertEqual(server.totals()[:2], (1, 24))

    def test_nothing_typed_for_long_enough_ends_it(self):
        server = Server(self)
        ours, theirs = pty.openpty()
        begun = time.monotonic()
        client = start(server.url, "300", stdin=theirs)
        os.close(theirs)
        self.expect(client, 0, b"> \nnothing was typed for 300 ms, good-bye\n")
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)
        os.close(ours)

    def test_lines_from_a_pipe(self):
        server = Server(self)
        client = start(server.url, stdin=subprocess.PIPE)
        self.assertEqual(client.stdout.read(2), b"> ")
        data = b"".join(b"line %d\n" % n for n in range(10000))
        out, err = client.communicate(data, timeout=LONG)
        self.assertEqual((client.returncode, err), (0, b""))
        # A prompt for each piece that was read, and the lines unharmed between them.
        self.assertEqual(out.replace(b"> ", b""), data + b"\n")

    def test_a_server_that_goes_away_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = "tcp://127.0.0.1:%d" % listener.getsockname()[1]
            client = start(url, stdin=subprocess.PIPE)
            peer, _ = listener.accept()
            client.stdin.write(b"hello\n")
            client.stdin.flush()
            self.assertEqual(peer.recv(16), b"hello\n")
            peer.close()
            self.assertIn(b"the server closed the connection", self.expect(client, 1))

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = "tcp://127.0.0.1:%d" % listener.getsockname()[1]
        client = start(url, stdin=subprocess.DEVNULL)
        self.assertIn(b"Connection refused", self.expect(client, 1))

    def test_usage(self):
        self.assertIn(b"usage:", self.expect(start(stdin=subprocess.DEVNULL), 2))
        self.assertIn(b"echo_client: ", self.expect(start("tcp:/x", stdin=subprocess.DEVNULL), 2))


main()
