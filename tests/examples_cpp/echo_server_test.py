"""The echo server under many connections, short sends, too few descriptors, and its end."""

import os
import resource
import signal
import socket
import struct
import subprocess
import unittest

from examples import LONG, Server, main, program, receive_exactly, round_trip


class EchoServer(unittest.TestCase):
    def test_many_connections_at_once(self):
        server = Server(self)
        clients = [server.connect() for _ in range(300)]
        for number, client in enumerate(clients):
            client.sendall(b"I am %03d" % number)
        for number, client in enumerate(clients):
            self.assertEqual(receive_exactly(client, 8), b"I am %03d" % number)
        for client in clients:
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(client.recv(1), b"")
        self.assertEqual(server.end(signal.SIGTERM), 0)
        self.assertEqual(server.totals(), (300, 300 * 8, 0, 0))

    def test_what_the_kernel_takes_in_pieces_comes_back_whole(self):
        server = Server(self)
        client = server.connect()
        # Sends without reading until nothing more fits: the server's own send is stuck by then.
        client.setblocking(False)
        block, sent = os.urandom(1 << 16), bytearray()
        with self.assertRaises(BlockingIOError):
            while True:
                sent += block[: client.send(block)]
        client.settimeout(LONG)
        self.assertTrue(receive_exactly(client, len(sent)) == sent)
        self.assertEqual(server.end(signal.SIGINT), 0)
        self.assertEqual(server.totals(), (1, len(sent), 1, 0))

    def test_a_reset_ends_one_connection_only(self):
        server = Server(self)
        other, rude = server.connect(), server.connect()
        self.assertEqual(round_trip(rude, b"hello"), b"hello")
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        rude.close()
        self.assertEqual(round_trip(other, b"still there"), b"still there")
        self.assertEqual(server.end(signal.SIGINT), 0)
        self.assertEqual(server.stderr, "")

    def test_without_descriptors_it_waits_and_then_serves_all(self):
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
        server = Server(self, preexec_fn=few)
        clients = [server.connect() for _ in range(60)]
        self.assertEqual(
            server.process.stdout.readline(), "out of descriptors: waiting for one to be free\n"
        )
        # Those behind the limit are answered when one before them has gone.
        for client in clients:
            self.assertEqual(round_trip(client, b"hello"), b"hello")
            client.close()
        self.assertEqual(server.end(signal.SIGINT), 0)
        served, size, _, pauses = server.totals()
        self.assertEqual((served, size), (60, 300))
        # It tried again after a connection had ended, and never else.
        self.assertGreaterEqual(pauses, 1)
        self.assertLessEqual(pauses, 60)

    def test_without_descriptors_it_still_ends(self):
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
        server = Server(self, preexec_fn=few)
        for _ in range(30):
            server.connect()
        server.process.stdout.readline()
        self.assertEqual(server.end(signal.SIGTERM), 0)
        self.assertEqual(server.totals()[3], 1)

    def test_both_signals_end_it_with_connections_in_flight(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                server = Server(self)
                waiting = [server.connect() for _ in range(20)]
                for client in waiting:
                    round_trip(client, b"x")
                # This one doesn't read: the server has a send in flight that can't go on.
                deaf = server.connect()
                deaf.setblocking(False)
                with self.assertRaises(BlockingIOError):
                    while True:
                        deaf.send(b"y" * (1 << 16))
                self.assertEqual(server.end(number), 0)
                self.assertIn(f"signal {number.value}: ending\n", server.stdout)
                self.assertEqual(server.totals()[2], 21)
                for client in waiting:
                    self.assertEqual(client.recv(1), b"")

    def test_an_address_that_is_taken_is_told(self):
        server = Server(self)

        second = subprocess.run(
            [program("echo_server"), server.url], capture_output=True, text=True, timeout=LONG
        )
        self.assertEqual(second.returncode, 1)
        self.assertIn("Address already in use", second.stderr)


main()
