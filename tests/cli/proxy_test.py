#!/usr/bin/env python3
"""`proxy` and `proxyctl`: between others' programs, with faults to be seen, and a clean end."""

import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import stat
import subprocess
import threading
import unittest

from program import LONG, PROGRAM, ProgramTest, main


class Proxy(ProgramTest):
    def start(self, to, *faults, descriptors=None, **more):
        def limit():
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.write("px.json", {"proxies": {"px": {"listen": "tcp://127.0.0.1:0", "to": to}},
                               "faults": list(faults), **more})
        self.proxy = subprocess.Popen([PROGRAM, "proxy", "px.json"], cwd=self.dir, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      preexec_fn=limit)
        self.addCleanup(self.kill)
        line = self.proxy.stdout.readline()
        return int(re.search(r"tcp://127\.0\.0\.1:(\d+) →", line).group(1))

    def kill(self):
        self.proxy.kill()
        self.proxy.communicate()

    def end_with_errors(self, number=signal.SIGTERM):
        self.proxy.send_signal(number)
        out, err = self.proxy.communicate(timeout=LONG)
        self.assertEqual(self.proxy.returncode, 0, err)
        return out, err

    def end(self, number=signal.SIGTERM):
        return self.end_with_errors(number)[0]

    def server(self, reply, asked=False):
        """Sends it to each who connects, or only asks, and reads to the end."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve(connection):
            with connection:
                try:
                    if asked:
                        connection.recv(1)
                    connection.sendall(reply)
                    while connection.recv(65536):
                        pass
                except OSError:
                    pass

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"

    def test_a_fault_hits_at_its_byte_and_is_told_at_the_end(self):
        port = self.start(self.server(b"x" * 10000, asked=True),
                          {"id": "cut", "type": "wire.reset_peer", "when": {"after_bytes": 4096}})
        got = b""
        with socket.create_connection(("127.0.0.1", port), LONG) as client:
            client.sendall(b"?")  # a reset that comes sooner may be the connect's
            with self.assertRaises(ConnectionResetError):
                while chunk := client.recv(65536):
                    got += chunk
        self.assertEqual(len(got), 4096)
        told = self.end(signal.SIGINT)
        self.assertIn("px: 1 connection", told)
        self.assertIn("fault cut (wire.reset_peer): "
                      "1 candidate, 1 matched, 1 fired, 1 observed", told)

    def test_commands_add_heal_and_remove_faults_while_it_runs(self):
        port = self.start(self.server(b"hello"), control="px.sock")
        self.assertEqual(stat.S_IMODE(os.stat(self.dir / "px.sock").st_mode), 0o600)

        def ask(*words, code=0):
            return self.expect(self.run_program("proxyctl", "px.sock", *words), code)

        fault = {"id": "cut", "type": "wire.limit_data", "bytes": 2, "times": 1}
        self.assertEqual(json.loads(ask("add", json.dumps(fault), "--json").stdout)["id"], "cut")
        with socket.create_connection(("127.0.0.1", port), LONG) as client:
            self.assertEqual(client.recv(9), b"he")
            self.assertEqual(client.recv(9), b"")
        listed = json.loads(ask("list", "--json").stdout)
        self.assertEqual(listed["faults"]["cut"]["fired"], 1)
        self.assertEqual(listed["proxies"]["px"]["listen"], f"tcp://127.0.0.1:{port}")
        ask("heal", "cut")
        ask("remove", "cut")
        self.assertEqual(json.loads(ask("counters", "--json").stdout)["faults"], {})
        self.assertIn("no fault", ask("heal", "cut", code=1).stderr)
        ask("add", json.dumps(fault))
        self.assertIn("to be the fault's id", ask("heal", "", code=1).stderr)
        for line in [b'{"command":"heal","id":5}', b'{"command":"heal","fault":"cut"}',
                     b'{"command":"list","id":"cut"}', b'{"command":"add","fault":"cut"}']:
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(str(self.dir / "px.sock"))
                control.sendall(line + b"\n")
                self.assertFalse(json.loads(control.recv(4096))["ok"], line)
        self.assertFalse(json.loads(ask("list", "--json").stdout)["faults"]["cut"]["healed"])
        self.assertIn("wire.latency", ask("add", '{"type":"wire.latancy"}', code=1).stderr)
        self.assertIn("remove", ask("remov", "x", code=2).stderr)
        self.end()
        self.assertFalse((self.dir / "px.sock").exists())
        self.assertIn("no answer", ask("list", code=5).stderr)

    def test_a_proxy_is_off_and_on_again_as_toxiproxy_has_it(self):
        """The two faults that docs/proxy.md names for `enabled: false`."""
        port = self.start(self.server(b"hello"), control="px.sock")

        def ask(*words):
            self.expect(self.run_program("proxyctl", "px.sock", *words), 0)

        def dial():
            return socket.create_connection(("127.0.0.1", port), LONG)

        with dial() as client:
            self.assertEqual(client.recv(9), b"hello")
            ask("add", '{ "id": "off", "type": "wire.refuse", "where": { "proxy": "px" } }')
            self.assertRaises(ConnectionRefusedError, dial)
            client.sendall(b"still there")
            ask("add", '{ "id": "cut", "type": "wire.reset_peer", "where": { "proxy": "px" },'
                       ' "when": { "at": "0ms" } }')
            self.assertRaises(ConnectionResetError, client.recv, 9)
        ask("remove", "cut")
        ask("remove", "off")
        with dial() as client:
            self.assertEqual(client.recv(9), b"hello")
        self.end()

    def test_what_is_wrong_with_a_file_has_a_place_and_a_remedy(self):
        self.write("px.json", '{ "proxies": { "px": { "listen": "tcp://127.0.0.1:0" } },\n'
                   '  "faults": [ { "type": "wire.latency", "latncy": "1s" } ] }')
        told = self.expect(self.run_program("proxy", "px.json"), 3).stderr
        self.assertIn("px.json:1", told)
        self.assertIn("px.json:2", told)
        self.assertIn("latency", told)

    def test_an_address_that_is_taken_is_no_crash(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.write("px.json", {"proxies": {"px": {"listen": f"tcp://127.0.0.1:{port}",
                                                      "to": "tcp://127.0.0.1:1"}}})
            told = self.expect(self.run_program("proxy", "px.json"), 5).stderr
        self.assertIn("EADDRINUSE", told)
        self.assertIn(f"`ss -ltnp sport = :{port}`", told)

    def test_proxies_that_dial_in_a_circle_are_refused(self):
        def refused(**proxies):
            self.write("px.json", {"proxies": proxies})
            return self.expect(self.run_program("proxy", "px.json"), 3).stderr

        here = {"listen": "tcp://127.0.0.1:7001", "to": "tcp://127.0.0.1:7001"}
        self.assertIn("px → px", refused(px=here))
        anywhere = {"listen": "tcp://[::]:7001", "to": "tcp://127.0.0.1:7001"}
        self.assertIn("px → px", refused(px=anywhere))
        there = {"listen": "tcp://127.0.0.1:7001", "to": "tcp://127.0.0.1:7002"}
        back = {"listen": "tcp://127.0.0.1:7002", "to": "tcp://127.0.0.1:7001"}
        self.assertIn("px → py → px", refused(px=there, py=back))

    def test_words_of_toxiproxy_get_a_hint(self):
        def told(proxy, *faults):
            self.write("px.json", {"proxies": {"px": proxy}, "faults": faults})
            return self.expect(self.run_program("proxy", "px.json"), 3).stderr

        good = {"listen": "tcp://127.0.0.1:0", "to": "tcp://127.0.0.1:1"}
        text = told({"listen": "127.0.0.1:0", "upstream": "127.0.0.1:1", "enabled": True})
        self.assertIn('here the server is "to"', text)
        self.assertIn("wire.refuse", text)
        self.assertNotIn('needs "to"', text)
        self.assertIn('write "tcp://127.0.0.1:0"', told({**good, "listen": "127.0.0.1:0"}))
        self.assertIn("localhost may be", told({**good, "to": "tcp://localhost:6379"}))
        text = told(good, {"type": "latency", "toxicity": 0.5, "stream": "upstream",
                           "attributes": {"latency": 5}})
        self.assertIn('"when": { "p": 0.5 }', text)
        self.assertIn('"dir": "c2s"', text)
        self.assertIn('stand beside "type"', text)
        self.assertNotIn('needs "latency"', text)
        self.assertIn('here it is "type"', told(good, {"toxic": "latency"}))
        text = told(good, {"type": "latency", "latency": 5, "dir": "upstream"})
        self.assertIn('Toxiproxy\'s upstream is "c2s"', text)

    def test_what_lasts_no_time_and_what_is_no_number_is_told_once(self):
        self.write("px.json", {
            "proxies": {"px": {"listen": "tcp://127.0.0.1:0", "to": "tcp://127.0.0.1:1"}},
            "faults": [{"type": "wire.blackhole", "for": "0s"},
                       {"type": "wire.reset_peer", "when": {"after_bytes": "five"}}]})
        told = self.expect(self.run_program("proxy", "px.json"), 3).stderr
        self.assertIn("no time at all", told)
        self.assertEqual(told.count("error["), 2)

    def test_a_server_that_is_not_there_is_told_once_and_counted(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # and does not listen
            to = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
            port = self.start(to, control="px.sock")
            for _ in range(3):
                # The reset may be there before the connection is looked at.
                with self.assertRaises(ConnectionResetError):
                    with socket.create_connection(("127.0.0.1", port), LONG) as client:
                        client.recv(1)
            listed = self.expect(self.run_program("proxyctl", "px.sock", "list"), 0).stdout
            self.assertIn("the server could not be dialled: 3 times, ECONNREFUSED", listed)
            counted = self.expect(self.run_program("proxyctl", "px.sock", "counters", "--json"), 0)
            self.assertEqual(json.loads(counted.stdout)["proxies"]["px"]["dial_failures"], 3)
            out, err = self.end_with_errors()
        self.assertIn("px: the server could not be dialled: 3 times, ECONNREFUSED", out)
        self.assertEqual(err.count(f"no connection to {to}"), 1)
        self.assertIn("start the server", err)

    def test_out_of_descriptors_is_told_and_those_who_wait_are_served_later(self):
        to = self.server(b"hello")
        self.start(to)
        taken = {int(each) for each in os.listdir(f"/proc/{self.proxy.pid}/fd")}
        free = [number for number in range(1024) if number not in taken]
        self.kill()
        port = self.start(to, descriptors=free[1] + 1)  # room for one connection
        with socket.create_connection(("127.0.0.1", port), LONG) as first:
            self.assertEqual(first.recv(5), b"hello")
            with socket.create_connection(("127.0.0.1", port), LONG) as second:
                self.assertTrue(select.select([self.proxy.stderr], [], [], LONG)[0], "nothing told")
                told = self.proxy.stderr.readline()
                self.assertIn("connections can't be accepted", told)
                self.assertIn("EMFILE; raise `ulimit -n`", told)
                first.close()
                self.assertEqual(second.recv(5), b"hello")
        out, err = self.end_with_errors()
        self.assertIn("connections could not be accepted", out)
        self.assertNotIn("can't be accepted", err)

    def test_a_list_shows_faults_as_they_were_written_and_healed_ones(self):
        self.start("tcp://127.0.0.1:1",
                   {"id": "slow", "type": "wire.latency", "latency": "100ms", "jitter": 5},
                   {"id": "cut", "type": "wire.reset_peer", "when": {"after_bytes": 9}},
                   control="px.sock")

        def ask(*words, code=0):
            result = self.expect(self.run_program("proxyctl", "px.sock", *words), code)
            return result.stdout if code == 0 else result.stderr

        listed = ask("list")
        self.assertRegex(listed, r"px  tcp://127.0.0.1:\d+ → tcp://127.0.0.1:1\n")
        self.assertIn('slow  wire.latency  {"latency":"100ms","jitter":5}\n', listed)
        self.assertIn('cut  wire.reset_peer  {"when":{"after_bytes":9}}\n', listed)
        self.assertLess(listed.index("slow"), listed.index("cut"))
        self.assertEqual(ask("heal", "slow"), "healed slow\n")
        self.assertIn('"jitter":5}  (healed)\n', ask("list"))
        faults = json.loads(ask("list", "--json"))["faults"]
        self.assertEqual([faults["slow"]["healed"], faults["cut"]["healed"]], [True, False])
        self.assertEqual(faults["cut"]["fault"]["when"], {"after_bytes": 9})
        self.assertEqual(ask("add", '{"id":"x","type":"wire.blackhole"}'), "added x\n")
        self.assertEqual(ask("remove", "x"), "removed x\n")
        self.assertEqual(ask("heal"), "healed all\n")
        self.assertIn('did you mean "slow"?', ask("heal", "slwo", code=1))
        self.assertIn("`add` adds a fault", ask("toxic", code=2))
        self.assertIn("one word, in single quotes", ask("add", "{", "x", "}", code=2))
        self.assertIn("add needs a fault", ask("add", code=2))
        twice = '{"type":"wire.refuse","type":"wire.blackhole"}'
        self.assertIn('duplicate key "type"', ask("add", twice, code=2))
        self.assertIn("list, counters, add FAULT, remove ID, heal [ID]", ask(code=2))

    def redis(self):
        if shutil.which("redis-server") is None:
            raise unittest.SkipTest("no redis-server here")
        server = subprocess.Popen(
            ["redis-server", "--unixsocket", "r.sock", "--port", "0", "--save", "", "--dir",
             str(self.dir)], cwd=self.dir, stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.communicate)
        self.addCleanup(server.kill)
        for line in server.stdout:
            if "ready to accept connections" in line.lower():
                return f"unix://{self.dir}/r.sock"
        self.fail("redis-server ended")

    def test_redis_is_slow_behind_latency_and_whole_behind_a_slicer(self):
        port = self.start(self.redis(),
                          {"id": "slow", "type": "wire.latency", "latency": 200},
                          {"id": "small", "type": "wire.slicer", "average_size": 3})
        asked = ["redis-cli", "-p", str(port)]
        self.assertEqual(self.run_command(*asked, "SET", "k", "a" * 200).stdout.strip(), "OK")
        self.assertEqual(self.run_command(*asked, "GET", "k").stdout.strip(), "a" * 200)
        pings = self.run_command("redis-benchmark", "-p", str(port), "-n", "2", "-c", "1", "-t",
                                 "ping_mbulk", "--csv").stdout
        fastest = float(pings.splitlines()[-1].split(",")[3].strip('"'))
        self.assertGreaterEqual(fastest, 190)
        self.assertRegex(self.end(), r"fault small \(wire.slicer\): .* [1-9]\d* observed")

    def test_redis_cli_tells_of_a_reset_at_an_exact_byte(self):
        port = self.start(self.redis(), {"id": "cut", "type": "wire.reset_peer",
                                         "when": {"match": {"text": "+PO"}}})
        result = self.run_command("redis-cli", "-p", str(port), "PING")
        self.assertRegex(result.stdout + result.stderr, "reset by peer|Server closed|I/O error")
        self.assertNotIn("PONG", result.stdout)
        self.assertIn("1 fired, 1 observed", self.end())


if __name__ == "__main__":
    main()
