"""The servers that the victims talk to, each in a directory of its own, as nobody when we are root.

A server is started once for all tests of its kind: `start("redis")` gives the address for the proxy
to dial, as soon as it answers. Unix sockets where a server can, so that no port is ever taken.
What is not installed is a failure: scripts/setup installs all of them.
"""

import atexit
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

PATIENCE = 120
NOBODY = 65534
PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for

NGINX = """daemon off; worker_processes 1; pid {0}/nginx.pid; error_log stderr;
events {{ worker_connections 2048; }}
http {{ access_log off; server_tokens off;
  client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c;
  uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;
  server {{ listen unix:{0}/s; root {0}; }} }}
"""
SMTP = """import asyncio
from aiosmtpd.smtp import SMTP
class Keeper:
    async def handle_DATA(self, server, session, envelope):
        return '250 %d bytes stored' % len(envelope.content)
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keeper(), hostname='test'), '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
WEBSOCKET = """import asyncio, websockets
async def answer(socket, path=None):
    async for message in socket:
        await socket.send('x' * int(message))
async def main():
    async with websockets.serve(answer, '127.0.0.1', 0, compression=None, ping_interval=None) as s:
        print(list(s.sockets)[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
"""


class Servers:
    def __init__(self):
        self.addresses = {}
        self.processes = []
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="uring-victims-"))
        self.root.chmod(0o755)
        atexit.register(self.end)

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self, name):
        if name not in self.addresses:
            folder = self.root / name
            folder.mkdir()
            if os.geteuid() == 0:
                os.chown(folder, NOBODY, NOBODY)
            self.addresses[name] = getattr(self, name)(folder)
        return self.addresses[name]

    def spawn(self, folder, *command, **more):
        if shutil.which(command[0]) is None:
            raise AssertionError(f"{command[0]} is not installed: scripts/setup does that")
        if os.geteuid() == 0:
            more.update(user=NOBODY, group=NOBODY, extra_groups=[])
        return subprocess.Popen(command, cwd=folder, env={**os.environ, "HOME": str(folder)},
                                stdin=subprocess.DEVNULL, text=True, **more)

    def serve(self, folder, *command, **more):
        with (folder / "log").open("w") as log:
            more = {"stdout": log, "stderr": log, **more}
            self.processes.append(self.spawn(folder, *command, **more))
        return self.processes[-1]

    def until(self, folder, process, answers):
        """Waits until the server answers; what it said when it ended instead."""
        end = time.monotonic() + PATIENCE
        while not answers():
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"no answer: {(folder / 'log').read_text()}")
            time.sleep(0.01)

    def behind_socket(self, folder, path, *command):
        def answers():
            with socket.socket(socket.AF_UNIX) as one:
                return one.connect_ex(str(path)) == 0

        self.until(folder, self.serve(folder, *command), answers)
        return f"unix://{path}"

    def behind_printed_port(self, folder, script):
        process = self.serve(folder, PYTHON, "-c", script, stdout=subprocess.PIPE)
        port = process.stdout.readline().strip()
        if not port:
            raise AssertionError((folder / "log").read_text())
        return f"tcp://127.0.0.1:{port}"

    # ---- One for each kind -----------------------------------------------------------------------

    def redis(self, folder):
        return self.behind_socket(folder, folder / "s", "redis-server", "--unixsocket",
                                  f"{folder}/s", "--port", "0", "--save", "", "--maxclients",
                                  "4000")

    def nginx(self, folder):
        (folder / "page").write_bytes(b"0123456789" * 10000)
        (folder / "nginx.conf").write_text(NGINX.format(folder))
        return self.behind_socket(folder, folder / "s", "nginx", "-p", str(folder), "-c",
                                  f"{folder}/nginx.conf", "-e", "stderr")

    def postgres(self, folder):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise AssertionError("postgresql is not installed: scripts/setup does that")
        made = self.spawn(folder, str(found[-1]), "-D", f"{folder}/data", "-U", "postgres", "-A",
                          "trust", "--locale=C", "-E", "UTF8", "--no-sync",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = made.communicate(timeout=PATIENCE)
        if made.returncode != 0:
            raise AssertionError(said)
        path = folder / ".s.PGSQL.5432"
        server = self.serve(folder, str(found[-1].with_name("postgres")), "-D", f"{folder}/data",
                            "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}",
                            "-c", "fsync=off")

        def answers():
            asked = ["psql", "-h", str(folder), "-U", "postgres", "-c", "select 1"]
            return subprocess.run(asked, capture_output=True, check=False).returncode == 0

        self.until(folder, server, answers)
        return f"unix://{path}"

    def smtp(self, folder):
        return self.behind_printed_port(folder, SMTP)

    def websocket(self, folder):
        return self.behind_printed_port(folder, WEBSOCKET)

    def mqtt(self, folder):
        (folder / "conf").write_text(f"listener 0 {folder}/s\nallow_anonymous true\n"
                                     "persistence false\nlog_dest stderr\n")
        return self.behind_socket(folder, folder / "s", "mosquitto", "-c", f"{folder}/conf")

    def dns(self, folder):
        # It takes the port for TCP as well, which may be in use where that for UDP is not: an
        # address that nobody else has.
        mine = os.getpid()
        host = f"127.{64 + (mine >> 16) % 64}.{mine >> 8 & 255}.{mine & 255}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((host, 0))
            port = free.getsockname()[1]
        server = self.serve(folder, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
                            "--pid-file=", "--user=", "--group=", "--log-facility=-", "-p",
                            str(port), f"--listen-address={host}", "--bind-interfaces",
                            "--no-resolv", "--no-hosts", "--local=/test/",
                            "--address=/www.test/192.0.2.1", "--address=/other.test/192.0.2.2")

        def answers():
            asked = ["dig", f"@{host}", "-p", str(port), "www.test", "+time=1", "+tries=1"]
            return subprocess.run(asked, capture_output=True, check=False).returncode == 0

        self.until(folder, server, answers)
        return f"udp://{host}:{port}"
