#!/usr/bin/env python3
"""The proxy with a thousand connections at once, and with readers that do not read: bounded memory.

    capacity_test.py PATH/TO/uring-scenario [CapacityTest | MemoryTest]
"""

import asyncio
import json
import pathlib
import resource
import select
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

from program import LONG, main  # noqa: E402
from proxying import ProxyTest  # noqa: E402

MANY = 1000
MEBIBYTE = 1 << 20
STREAM = 64 * MEBIBYTE

_, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (HARD, HARD))


class WithEcho(ProxyTest):
    def echo_server(self):
        """An echo on a thread of its own; its address."""
        ready = threading.Event()
        found = {}

        async def echo(reader, writer):
            try:
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
                writer.close()
            except (OSError, asyncio.CancelledError):
                writer.transport.abort()

        async def serve():
            over = asyncio.Event()
            server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=2 * MANY)
            port = server.sockets[0].getsockname()[1]
            found.update(port=port, loop=asyncio.get_running_loop(), over=over)
            ready.set()
            await over.wait()
            server.close()

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        ready.wait()
        self.addCleanup(thread.join)
        self.addCleanup(found["loop"].call_soon_threadsafe, found["over"].set)
        return f"tcp://127.0.0.1:{found['port']}"

    def counters(self):
        told = self.expect(self.run_program("proxyctl", "px.sock", "counters", "--json"), 0)
        return json.loads(told.stdout)["proxies"]["px"]

    def connect(self, port, count):
        """So many connections through the proxy, all at once."""
        made = [socket.create_connection(("127.0.0.1", port), LONG) for _ in range(count)]
        for each in made:
            self.addCleanup(each.close)
        return made

    def peak(self, what="VmHWM"):
        """The most memory that the proxy ever had (VmRSS: has now), in bytes."""
        for line in pathlib.Path(f"/proc/{self.proxy.pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) * 1024
        return self.fail(f"no {what}")


def read(connection, count):
    got = b""
    while len(got) < count:
        chunk = connection.recv(count - len(got))
        if not chunk:
            break
        got += chunk
    return got


class CapacityTest(WithEcho):
    def test_a_thousand_connections_at_once_each_get_their_own_bytes(self):
        port = self.start_proxy(self.echo_server(), control="px.sock")
        clients = self.connect(port, MANY)
        for round_trip in range(2):
            for number, each in enumerate(clients):
                each.sendall(b"%d:%08d" % (round_trip, number))
            for number, each in enumerate(clients):
                self.assertEqual(read(each, 10), b"%d:%08d" % (round_trip, number))
        self.assertEqual(self.counters()["active"], MANY)
        for each in clients:
            each.shutdown(socket.SHUT_WR)
        for each in clients:
            self.assertEqual(each.recv(1), b"")
        told = self.end_proxy()
        self.assertEqual((told.connections, told.to_server, told.to_client),
                         (MANY, 20 * MANY, 20 * MANY))

    def test_a_fault_hits_just_one_of_a_thousand(self):
        port = self.start_proxy(self.echo_server(), {
            "id": "f", "type": "wire.reset_peer", "where": {"conn": "px#500"},
            "when": {"after_bytes": 5}})
        clients = self.connect(port, MANY)
        whole, cut = 0, []
        for each in clients:
            each.sendall(b"0123456789")
        for each in clients:
            got = b""
            try:
                got = read(each, 5)
                got += read(each, 5)
                whole += got == b"0123456789"
            except ConnectionResetError:
                cut.append(got)
        self.assertEqual((whole, cut), (MANY - 1, [b"01234"]))
        self.assertEqual(self.end_proxy().faults["f"]["observed"], 1)


class MemoryTest(WithEcho):
    def stream(self, *faults):
        """Streams to a client that does not read at first; the proxy's growth, in bytes."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        port = self.start_proxy(f"tcp://127.0.0.1:{listener.getsockname()[1]}", *faults)
        before = self.peak("VmRSS")
        # Little is kept outside the proxy, wherever this runs.
        client = socket.socket()
        self.addCleanup(client.close)
        client.settimeout(LONG)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        client.connect(("127.0.0.1", port))
        server, _ = listener.accept()
        self.addCleanup(server.close)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10)
        server.setblocking(False)
        chunk = bytes(range(256)) * 4096
        sent = 0
        # Whoever is blocked for so long is blocked by the client, which does not read.
        while sent < STREAM and select.select([], [server], [], 0.5)[1]:
            sent += server.send(chunk[sent % len(chunk):])
        self.assertLess(sent, STREAM, "nothing holds the sender up")
        writer = threading.Thread(target=self.send_rest, args=(server, chunk, sent))
        writer.start()
        got = 0
        while data := client.recv(MEBIBYTE):
            start = got % len(chunk)
            self.assertEqual(data[:1], chunk[start:start + 1])
            got += len(data)
        writer.join()
        self.assertEqual(got, STREAM)
        return self.peak() - before

    def send_rest(self, server, chunk, sent):
        server.settimeout(LONG)
        while sent < STREAM:
            sent += server.send(chunk[sent % len(chunk):][:STREAM - sent])
        server.shutdown(socket.SHUT_WR)

    def test_a_reader_that_stands_still_holds_up_the_sender_not_memory(self):
        self.assertLess(self.stream(), 4 * MEBIBYTE)

    def test_bytes_that_wait_on_purpose_are_bounded_too(self):
        slow = {"id": "f", "type": "wire.latency", "latency": "50ms"}
        self.assertLess(self.stream(slow), 32 * MEBIBYTE)

    def test_a_connection_takes_little(self):
        port = self.start_proxy(self.echo_server())
        before = self.peak("VmRSS")
        clients = self.connect(port, MANY)
        data = b"x" * 50000
        for each in clients:
            each.sendall(data)
            self.assertEqual(read(each, len(data)), data)
        self.assertLess((self.peak() - before) / MANY, 192 * 1024)


if __name__ == "__main__":
    main()
