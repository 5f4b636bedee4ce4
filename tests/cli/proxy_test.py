#!/usr/bin/env python3
"""`proxy` and `proxyctl`: between others' programs, with faults to be seen, and a clean end."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import unittest

from program import LONG, PROGRAM, ProgramTest, main


class Proxy(ProgramTest):
    def start(self, to, *faults, **more):
        self.write("px.json", {"proxies": {"px": {"listen": "tcp://127.0.0.1:0", "to": to}},
                               "faults": list(faults), **more})
        self.proxy = subprocess.Popen([PROGRAM, "proxy", "px.json"], cwd=self.dir, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.kill)
        line = self.proxy.stdout.readline()
        return int(re.search(r"tcp://127\.0\.0\.1:(\d+) →", line).group(1))

    def kill(self):
        self.proxy.kill()
        self.proxy.communicate()

    def end(self, number=signal.SIGTERM):
        self.proxy.send_signal(number)
        out, err = self.proxy.communicate(timeout=LONG)
        self.assertEqual(self.proxy.returncode, 0, err)
        return out

    def server(self, reply):
        """Sends it to each who connects, and reads to the end."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve(connection):
            with connection:
                try:
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
        port = self.start(self.server(b"x" * 10000),
                          {"id": "cut", "type": "wire.reset_peer", "when": {"after_bytes": 4096}})
        got = b""
        with socket.create_connection(("127.0.0.1", port), LONG) as client:
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
        self.assertEqual(json.loads(ask("add", json.dumps(fault)).stdout)["id"], "cut")
        with socket.create_connection(("127.0.0.1", port), LONG) as client:
            self.assertEqual(client.recv(9), b"he")
            self.assertEqual(client.recv(9), b"")
        listed = json.loads(ask("list").stdout)
        self.assertEqual(listed["faults"]["cut"]["fired"], 1)
        self.assertEqual(listed["proxies"]["px"]["listen"], f"tcp://127.0.0.1:{port}")
        ask("heal", "cut")
        ask("remove", "cut")
        self.assertEqual(json.loads(ask("counters").stdout)["faults"], {})
        self.assertIn("no fault", ask("heal", "cut", code=1).stderr)
        self.assertIn("wire.latency", ask("add", '{"type":"wire.latancy"}', code=1).stderr)
        self.assertIn("remove", ask("remov", "x", code=2).stderr)
        self.end()
        self.assertFalse((self.dir / "px.sock").exists())
        self.assertIn("no answer", ask("list", code=5).stderr)

    def test_what_is_wrong_with_a_file_has_a_place_and_a_remedy(self):
        self.write("px.json", '{ "proxies": { "px": { "listen": "tcp://127.0.0.1:0" } },\n'
                   '  "faults": [ { "type": "wire.latency", "latncy": "1s" } ] }')
        told = self.expect(self.run_program("proxy", "px.json"), 3).stderr
        self.assertIn("px.json:1", told)
        self.assertIn("px.json:2", told)
        self.assertIn("latency", told)

    def test_an_address_that_is_taken_is_no_crash(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
            self.write("px.json", {"proxies": {"px": {"listen": url, "to": url}}})
            told = self.expect(self.run_program("proxy", "px.json"), 5).stderr
        self.assertIn("EADDRINUSE", told)

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
