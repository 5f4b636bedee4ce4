#!/usr/bin/env python3
"""Who waits for somebody that is no part of the scenario is not told that nobody can come.

The outsider here is the test. It lets the time pass after which a scenario of its own actors alone
would have been given up.
"""

import socket
import subprocess

from program import LONG, ProgramTest, main

QUIET = 0.6  # seconds; a wait for bytes counts as hopeless after two moments of 50 ms


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Outsiders(ProgramTest):
    def start(self, scenario):
        self.write("s.scenario.json", {"timeout": f"{LONG}s", **scenario})
        self.process = self.start_program("run", "s.scenario.json")
        self.addCleanup(self.process.communicate)
        self.addCleanup(self.process.kill)

    def let_time_pass(self):
        with self.assertRaises(subprocess.TimeoutExpired, msg="it gave up"):
            self.process.communicate(timeout=QUIET)

    def passes(self):
        out, err = self.process.communicate(timeout=LONG)
        self.assertEqual(self.process.returncode, 0, out + err)

    def receiver(self):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(made.close)
        made.bind(("127.0.0.1", 0))
        made.settimeout(LONG)
        return made, "udp://127.0.0.1:%d" % made.getsockname()[1]

    def listener(self):
        made = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(made.close)
        made.settimeout(LONG)
        return made, "tcp://127.0.0.1:%d" % made.getsockname()[1]

    def test_a_port_that_is_written_down(self):
        port = free_port(socket.SOCK_STREAM)
        self.start({"actors": {"srv": {"server": f"tcp://127.0.0.1:{port}", "do": [
            {"recv": {"line": True}, "expect": {"data": "hello"}}]}}})
        self.let_time_pass()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"hello\n")
            self.passes()

    def test_a_path_that_is_written_down(self):
        path = str(self.dir / "socket")
        self.start({"steps": [
            {"listen": f"unix://{path}", "as": "l"}, {"accept": True, "on": "l", "as": "c"},
            {"recv": {"line": True}, "on": "c", "expect": {"data": "hello"}}]})
        self.let_time_pass()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"hello\n")
            self.passes()

    def test_a_datagram_socket_whose_port_is_written_down(self):
        port = free_port(socket.SOCK_DGRAM)
        self.start({"actors": {"p": {"peer": f"udp://127.0.0.1:{port}", "do": [
            {"recv": {"datagram": True}, "expect": {"data": "hello"}}]}}})
        self.let_time_pass()
        self.receiver()[0].sendto(b"hello", ("127.0.0.1", port))
        self.passes()

    def asks_and_waits(self, ask, **more):
        """A peer that sends a question there, and waits for the answer."""
        return {**more, "actors": {"p": {"peer": "udp://127.0.0.1:0", "do": [
            ask, {"recv": {"datagram": True}, "expect": {"data": "answer"}}]}}}

    def answers_late(self, receiver):
        question, sender = receiver.recvfrom(100)
        self.assertEqual(question, b"question")
        self.let_time_pass()
        receiver.sendto(b"answer", sender)
        self.passes()

    def test_somebody_was_asked(self):
        receiver, url = self.receiver()
        self.start(self.asks_and_waits({"send": {"data": "question", "to": url}}))
        self.answers_late(receiver)

    def test_somebody_was_asked_by_a_single_submission(self):
        receiver, url = self.receiver()
        ask = {"sqe.sendmsg": {"msg": {"name": url, "data": "question"}}, "on": "socket"}
        self.start(self.asks_and_waits(ask))
        self.answers_late(receiver)

    def test_somebody_was_asked_through_a_proxy(self):
        receiver, url = self.receiver()
        self.start(self.asks_and_waits(
            {"send": {"data": "question", "to": "${px.addr}"}},
            proxies={"px": {"listen": "udp://127.0.0.1:0", "to": url}}))
        self.answers_late(receiver)

    def calls_back(self, connect):
        """Who is dialled is told a port, and dials it."""
        listener, url = self.listener()
        self.start({"steps": [
            {"listen": "tcp://127.0.0.1:0", "as": "back"}, *connect(url),
            {"send": "${str(back.port)}\n", "on": "c"},
            {"accept": True, "on": "back", "as": "data"},
            {"recv": {"line": True}, "on": "data", "expect": {"data": "hello"}}]})
        with listener.accept()[0] as control:
            port = int(control.makefile().readline())
            self.let_time_pass()
            with socket.create_connection(("127.0.0.1", port)) as data:
                data.sendall(b"hello\n")
                self.passes()

    def waits_to_be_called_back(self, server, **more):
        """Who waits had begun before anybody was dialled."""
        listener, url = self.listener()
        self.start({**more, "actors": {"s": server, "c": {"client": url, "do": [
            {"send": "${str(s.port)}\n"}, {"recv": {"eof": True}}, {"await": "called"}]}}})
        control = listener.accept()[0]
        port = int(control.makefile().readline())
        control.close()
        self.let_time_pass()
        return port

    def test_a_server_waited_before_somebody_was_dialled(self):
        for more in ({}, {"thread": True}):
            with self.subTest(**more):
                port = self.waits_to_be_called_back({"server": "tcp://127.0.0.1:0", **more, "do": [
                    {"recv": {"line": True}, "expect": {"data": "hello"}}, {"signal": "called"}]})
                with socket.create_connection(("127.0.0.1", port)) as data:
                    data.sendall(b"hello\n")
                    self.passes()

    def test_a_peer_waited_before_somebody_was_dialled(self):
        port = self.waits_to_be_called_back({"peer": "udp://127.0.0.1:0", "do": [
            {"recv": {"datagram": True}, "expect": {"data": "hello"}}, {"signal": "called"}]})
        self.receiver()[0].sendto(b"hello", ("127.0.0.1", port))
        self.passes()

    def test_somebody_was_dialled(self):
        self.calls_back(lambda url: [{"connect": url, "as": "c"}])

    def test_somebody_was_dialled_by_a_single_submission(self):
        self.calls_back(lambda url: [
            {"socket": {"domain": "inet", "type": ["stream"]}, "as": "c"},
            {"sqe.connect": {"addr": url}, "on": "c"}])


main()
