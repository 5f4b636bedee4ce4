"""What real programs make of the proxy's faults: each victim, each fault, and what must be seen.

Read by victims_test.py, which tries all of them, and by table.py, which writes them into
docs/proxy.md: what stands there is what is tested.
"""

import dataclasses

SIZE = 20000  # of what is asked for, or sent

WEBSOCKET_CLIENT = """
import asyncio, sys, time, websockets
async def main():
    begun = time.monotonic()
    async with websockets.connect('ws://127.0.0.1:%s/' % sys.argv[1], compression=None,
                                  open_timeout=None, ping_interval=None) as socket:
        await socket.send(sys.argv[2])
        print('got', len(await socket.recv()))
    print('seconds', time.monotonic() - begun)
asyncio.run(main())
"""


@dataclasses.dataclass
class Victim:
    name: str  # as the table says it
    server: str  # of servers.py
    command: list  # PORT and FILE stand for the proxy's port, and a file of SIZE bytes to send
    whole: str  # what it says when nothing went wrong
    cases: list
    tier: str = "quick"
    scheme: str = "tcp"  # what the proxy listens to, and dials


@dataclasses.dataclass
class Case:
    fault: dict
    exit: int = 0
    says: tuple = ()  # one of these must be in what it says; the first one stands in the table
    seconds: float = 0  # it takes at least so long, and without the fault less
    got: int | None = None  # bytes that the proxy gave to the client, exactly
    sent: int | None = None  # and to the server
    command: list | None = None  # another than the victim's
    order: tuple = (1, 2, 3, 4)  # the ids of the answers, for the pack's scenario
    note: str = ""  # more about it, for the table


def fault(name, /, **parameters):
    return {"id": "f", "type": f"wire.{name}", **parameters}


def behind(count):
    return {"after_bytes": count}


def holding(kind):
    """A partition that ends by itself: all of it comes, later."""
    return Case(fault("partition", kind=kind, **{"for": "600ms"}), seconds=0.6)


REDIS_CLI = Victim(
    "`redis-cli`, a reply of 20,000 bytes", "redis",
    ["redis-cli", "-p", "PORT", "EVAL", f"return string.rep('x', {SIZE})", "0"], "x" * SIZE,
    [Case(fault("latency", latency="300ms"), seconds=0.3),
     Case(fault("bandwidth", rate=40), seconds=0.45),
     Case(fault("slicer", average_size=100, delay=2000), seconds=0.4),
     Case(fault("slicer", cuts=[1, 2, 3], delay=100000, dir="c2s"), seconds=0.3),
     Case(fault("reset_peer", when=behind(4096)), 1, ("Connection reset by peer",), got=4096),
     Case(fault("half_close", when=behind(4096)), 1, ("Server closed the connection",), got=4096),
     Case(fault("limit_data", bytes=5), 1, ("Server closed the connection",), got=5),
     Case(fault("corrupt", bytes=1, set="!"), 1, ("Protocol error",)),
     holding("stopped"), holding("jammed"),
     Case(fault("refuse"), 1, ("Connection refused",))])

REDIS_BENCHMARK = Victim(
    "`redis-benchmark`, three PINGs", "redis",
    ["redis-benchmark", "-p", "PORT", "-n", "3", "-c", "1", "-t", "ping_mbulk", "--csv"],
    "PING_MBULK",
    [Case(fault("latency", latency="200ms"), seconds=0.6),
     Case(fault("bandwidth", rate="64B"), seconds=0.3),
     Case(fault("slicer", average_size=2, delay=50000), seconds=0.3),
     Case(fault("reset_peer", when={"match": {"text": "+PO"}}), 1, ("Connection reset by peer",)),
     Case(fault("half_close", when={"match": {"text": "+PO"}}), 1,
          ("Server closed the connection",)),
     # The first connection asks for the server's settings.
     Case(fault("reset_peer", where={"conn": "px#2"}, when=behind(9)), 1,
          ("Connection reset by peer",), got=58, note="of its second connection"),
     Case(fault("half_close", where={"conn": "px#2"}, when=behind(9)), 1,
          ("Server closed the connection",), got=58, note="of its second connection"),
     holding("stopped"), holding("jammed")])

CURL = Victim(
    "`curl`, a page of 100,000 bytes from nginx", "nginx",
    ["curl", "-sS", "-o", "/dev/null", "-w", "got %{size_download} behind %{size_header}",
     "http://127.0.0.1:PORT/page"],
    "got 100000",
    [Case(fault("latency", latency="300ms"), seconds=0.3),
     Case(fault("bandwidth", rate=200), seconds=0.45),
     Case(fault("slicer", average_size=500, delay=2000), seconds=0.4),
     Case(fault("slicer", average_size=1, delay=5000, dir="c2s"), seconds=0.3),
     Case(fault("reset_peer", when=behind(4096)), 56, ("Recv failure: Connection reset by peer",),
          got=4096),
     Case(fault("reset_peer", dir="c2s", when=behind(10)), 56,
          ("Recv failure: Connection reset by peer",), got=0, sent=10),
     Case(fault("half_close", when=behind(4096)), 18,
          ("bytes remaining to read", "bytes missing"), got=4096),
     Case(fault("limit_data", bytes=0), 52, ("Empty reply from server",), got=0),
     Case(fault("close_on_accept"), 52, ("Empty reply from server",), got=0, sent=0),
     Case(fault("corrupt", bytes=4, set="JUNK"), 1,
          ("Received HTTP/0.9 when not allowed",)),
     holding("stopped"), holding("jammed"),
     Case(fault("partition"), 28, ("Operation timed out",), seconds=1,
          command=["curl", "-sS", "--max-time", "1", "http://127.0.0.1:PORT/page"],
          note="with `--max-time 1`"),
     Case(fault("refuse"), 7, ("Failed to connect",))])

POSTGRES = "host=127.0.0.1 port=PORT user=postgres sslmode=disable gssencmode=disable"
PSQL_LOST = ("server closed the connection unexpectedly",)
PSQL = Victim(
    "`psql`, a row of 20,000 bytes", "postgres",
    ["psql", POSTGRES, "-XAtc", f"select repeat('x', {SIZE})"], "x" * SIZE,
    [Case(fault("latency", latency="300ms"), seconds=0.6),
     Case(fault("bandwidth", rate=20), seconds=0.9),
     Case(fault("slicer", average_size=100, delay=2000), seconds=0.4),
     Case(fault("reset_peer", when=behind(4096)), 2, PSQL_LOST, got=4096),
     Case(fault("half_close", when=behind(4096)), 2, PSQL_LOST, got=4096),
     holding("stopped"), holding("jammed"),
     Case(fault("partition"), 2, ("timeout expired",), seconds=2,
          command=["psql", POSTGRES + " connect_timeout=2", "-XAtc", "select 1"],
          note="with `connect_timeout=2`"),
     Case(fault("refuse"), 2, ("Connection refused",))], "full")

SMTP = Victim(
    "`curl`, a mail of 20,000 bytes to aiosmtpd", "smtp",
    ["curl", "-vsS", "smtp://127.0.0.1:PORT", "--mail-from", "a@test", "--mail-rcpt", "b@test",
     "--crlf", "-T", "FILE"], "bytes stored",
    [Case(fault("latency", latency="100ms"), seconds=0.6),
     Case(fault("bandwidth", rate=40, dir="c2s"), seconds=0.45),
     Case(fault("slicer", average_size=100, delay=2000, dir="both"), seconds=0.4),
     Case(fault("reset_peer", when=behind(100)), 56, ("Recv failure: Connection reset by peer",),
          got=100),
     Case(fault("half_close", when=behind(100)), 56, ("response reading failed",), got=100),
     holding("stopped"), holding("jammed"),
     Case(fault("refuse"), 7, ("Failed to connect",))])

WEBSOCKET_LOST = ("no close frame received",)
WEBSOCKET = Victim(
    "python3-websockets, a message of 20,000 bytes", "websocket",
    ["/usr/bin/python3", "-c", WEBSOCKET_CLIENT, "PORT", str(SIZE)], f"got {SIZE}",
    [Case(fault("latency", latency="300ms"), seconds=0.6),
     Case(fault("bandwidth", rate=40), seconds=0.45),
     Case(fault("slicer", average_size=100, delay=2000, dir="both"), seconds=0.4),
     Case(fault("reset_peer", when=behind(1000)), 1, WEBSOCKET_LOST, got=1000),
     Case(fault("half_close", when=behind(1000)), 1, WEBSOCKET_LOST, got=1000),
     holding("stopped"), holding("jammed")])

MQTT_LOST = ("The connection was lost",)
MQTT = Victim(
    "`mosquitto_pub`, 20,000 bytes with QoS 1", "mqtt",
    ["mosquitto_pub", "-d", "-h", "127.0.0.1", "-p", "PORT", "-t", "news", "-q", "1", "-f", "FILE"],
    "received PUBACK",
    [Case(fault("latency", latency="300ms"), seconds=0.6),
     Case(fault("bandwidth", rate=40, dir="c2s"), seconds=0.45),
     Case(fault("slicer", average_size=100, delay=2000, dir="both"), seconds=0.4),
     Case(fault("reset_peer", when=behind(4)), 7, MQTT_LOST, got=4),
     Case(fault("half_close", when=behind(4)), 7, MQTT_LOST, got=4),
     holding("stopped"), holding("jammed"),
     Case(fault("refuse"), 1, ("Connection refused",))])

DIG = ["dig", "@127.0.0.1", "-p", "PORT", "www.test", "+short", "+time=1", "+tries=2"]
DNS = Victim(
    "`dig`, a question to dnsmasq over UDP", "dns", DIG, "192.0.2.1",
    [Case(fault("latency", latency="300ms"), seconds=0.3),
     Case(fault("drop", when={"nth": 1}), 0, ("timed out",), seconds=1,
          note="it asks again, and has the answer"),
     Case(fault("duplicate", when={"nth": 1})),
     Case(fault("corrupt", when={"nth": 1}), 0, ("ID mismatch",), seconds=1,
          note="it asks again, and has the answer"),
     Case(fault("truncate", bytes=20, when={"nth": 1}), 0, ("malformed message packet",), got=20),
     Case(fault("insert", data="junk", when={"nth": 1}), 0, ("short (< header size) message",),
          note="and has the answer"),
     Case(fault("partition", when={"nth": 1}), 0, ("timed out",), seconds=1,
          note="it asks again, from another port, and has the answer"),
     Case(fault("partition", kind="jammed", **{"for": "600ms"}), seconds=0.6),
     Case(fault("partition"), 9, ("no servers could be reached",), got=0, sent=0, seconds=2),
     Case(fault("blackhole", dir="s2c"), 9, ("no servers could be reached",), got=0, seconds=2)],
    scheme="udp")

DIG_TCP = [*DIG[:-2], "+tcp", "+time=2", "+tries=1"]
DNS_TCP = Victim(
    "`dig +tcp`, a question to dnsmasq", "dns", DIG_TCP, "192.0.2.1",
    [Case(fault("latency", latency="300ms"), seconds=0.3),
     Case(fault("bandwidth", rate="100B"), seconds=0.3),
     Case(fault("slicer", average_size=2, delay=20000), seconds=0.3),
     Case(fault("slicer", cuts=[1, 2, 3], delay=100000, dir="c2s"), seconds=0.3),
     # The kernel tells of a reset once: to the read, or to a call of libuv's before it.
     Case(fault("reset_peer", when=behind(10)), 9, ("connection reset", "end of file"), got=10),
     Case(fault("half_close", when=behind(10)), 9, ("end of file",), got=10),
     holding("stopped"), holding("jammed"),
     Case(fault("partition"), 9, ("timed out",), got=0, sent=0, seconds=2),
     Case(fault("refuse"), 9, ("connection refused",))])

# The ids of the answers are those of the questions.
PACK = Victim(
    "the DNS pack, four questions at once to dnsmasq over UDP", "dns",
    ["PROGRAM", "run", "four.scenario.json"], "1 passed",
    [Case(fault("latency", latency="800ms"), seconds=0.8),
     Case(fault("bandwidth", rate="150B"), seconds=0.8),
     Case(fault("reorder", perm=[3, 1, 2, 0]), order=(4, 2, 3, 1)),
     Case(fault("drop", when={"nth": 2}), order=(1, 3, 4)),
     Case(fault("duplicate", when={"nth": 3}), order=(1, 2, 3, 3, 4)),
     Case(fault("partition", kind="jammed", **{"for": "800ms"}), seconds=0.8),
     Case(fault("partition", when={"match": {"hex": "0003 8580"}}), order=(1, 2)),
     Case(fault("blackhole", dir="c2s", when={"match": {"hex": "0003 0100"}}), order=(1, 2))],
    scheme="udp")


def four_questions(port, order):
    """A scenario: all are asked before an answer is read, and the answers come in this order."""
    name = {"labels": ["www", "test"]}
    asks = [{"call": "dns_ask", "with": {**name, "id": id}} for id in (1, 2, 3, 4)]
    reads = [{"call": "dns_reply", "with": {**name, "id": id, "answers": 1}} for id in order]
    last = {"recv": {"nothing_for": "20ms"}}
    return {"format": 1, "include": ["dns.json"], "timeout": "100s", "actors": {
        "asks": {"client": f"udp://127.0.0.1:{port}", "do": [*asks, *reads, last]}}}


VICTIMS = {"redis_cli": REDIS_CLI, "redis_benchmark": REDIS_BENCHMARK, "curl": CURL, "psql": PSQL,
           "smtp": SMTP, "websocket": WEBSOCKET, "mqtt": MQTT, "dns": DNS, "dns_tcp": DNS_TCP,
           "dns_pack": PACK}
