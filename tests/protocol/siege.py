#!/usr/bin/env python3
"""10,000 hostile connections open at once, from a thousand addresses, while
an honest client goes on asking: every question of its is answered, and when
they have gone the server is as it was before.

    siege.py BIN_DIR

MTQP_SIEGE connections (10000, 2000 under sanitizers; as many as RLIMIT_NOFILE
has room for), MTQP_SIEGE_S seconds (5) once all of them are there.  MTQP_SIEGE_SEED repeats
a run.  Shown at the end: what the honest client saw before and meanwhile,
and the memory."""
import json
import multiprocessing
import os
import random
import re
import resource
import select
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import fill  # noqa: E402
from daemon import SECRET, context, greeted, rss_kb, scrape, secured  # noqa: E402
from run import Client, House, Server, free_port  # noqa: E402

ADDRESSES = 1000  # 127.1.0.0 and on; each stays below the default limit
PER_CLIENT = 50  # MTQPConnectionsPerClient's default
SPARE = 700  # descriptors and places for all others
MEMORY_KB = 64 << 10  # MTQPMemory, for 10,000: its default
CLEAR_KB, TLS_KB = 6, 40  # of one connection: issue 5's figures
QUESTION = "TRACK %%s@client.example %s\r\n" % SECRET


def question(name):
    return (QUESTION % name).encode()


def client_hello():
    """A handshake's first flight; the same one does for everybody."""
    out = ssl.MemoryBIO()
    try:
        context().wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


HELLO = client_hello()
TLS = context()
STARTTLS = b"STARTTLS mtqp.example.org\r\n"


class Held:
    """A connection that stays; `feed` is called once a second."""
    tls_first = False

    def __init__(self, dice, ports, address):
        self.dice, self.turn = dice, 0
        self.sock = socket.socket()
        self.sock.bind((address, 0))
        self.prepare()
        self.sock.setblocking(False)
        self.sock.connect_ex(("127.0.0.1", ports[self.tls_first]))

    def prepare(self):
        pass

    def feed(self):
        try:
            self.say(self.turn)
        except OSError:
            pass  # not connected yet, or not taken, or over
        self.turn += 1

    def say(self, turn):
        pass


class Idle(Held):
    pass


class Slow(Held):
    """One octet a second."""

    def say(self, turn):
        text = question("four")
        self.sock.send(text[turn % len(text):][:1])


class HalfLine(Held):
    def say(self, turn):
        if turn == 0:
            self.sock.send(b"TRACK four@client.exam")


class Huge(Held):
    """A line without an end."""

    def say(self, turn):
        self.sock.send(b"x" * self.dice.randrange(1, 65536))


class Binary(Held):
    def say(self, turn):
        self.sock.send(self.dice.randbytes(200).replace(b"\n", b"\0"))


class Deaf(Held):
    """Asks for more than it reads, which is nothing, once all are there."""
    all_there = False

    def prepare(self):
        self.asks = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def say(self, turn):
        if self.asks and Deaf.all_there:
            self.sock.send(question("many") * 20)
            self.asks = False


class Silent(Held):
    """TLS first, and not a word."""
    tls_first = True


class Begun(Held):
    """A handshake, begun and left; begun again and again by one in four."""
    tls_first = True

    def say(self, turn):
        if turn == 0:
            self.sock.send(HELLO)


class BegunLate(Held):
    """The same behind STARTTLS."""

    def say(self, turn):
        if turn < 2:
            self.sock.send((STARTTLS, HELLO)[turn])


class Broken(Held):
    """A handshake of noise behind its first half."""
    tls_first = True

    def say(self, turn):
        if turn == 0:
            self.sock.send(HELLO[:len(HELLO) // 2])


class Secured(Held):
    """TLS is up, a command's first half is there, and that's it."""
    tls_first = True

    def say(self, turn):
        if not isinstance(self.sock, ssl.SSLSocket):
            self.sock.getpeername()  # or it isn't connected yet
            self.sock = TLS.wrap_socket(self.sock,
                                        do_handshake_on_connect=False)
        if self.sock.version() is None:
            self.sock.do_handshake()
            self.sock.send(b"TRACK ")


# What a hundred connections are, and of how many more MTQPMemory makes an
# end again and again.
KINDS = ([Idle] * 20 + [Slow] * 20 + [HalfLine] * 10 + [Huge] * 5
         + [Binary] * 10 + [Silent] * 5 + [Begun] * 10 + [BegunLate] * 10
         + [Broken] * 5 + [Secured] * 5 + [Deaf] * 5)
DEAF = KINDS.count(Deaf)
assert len(KINDS) == 100 + DEAF


def address(n):
    n %= ADDRESSES
    return "127.1.%d.%d" % (n // 250, n % 250 + 1)


class Siege:
    """Keeps so many connections open; one that the server ends is replaced."""

    def __init__(self, dice, ports, count):
        self.dice, self.ports, self.count = dice, ports, count
        self.gone = select.epoll()
        self.held, self.ended = {}, 0
        self.free = list(range(count * len(KINDS) // 100))
        self.fed = time.monotonic()

    def open(self, n):
        one = KINDS[n % len(KINDS)](self.dice, self.ports, address(n // 10))
        one.number = n
        self.held[one.sock.fileno()] = one
        self.gone.register(one.sock, select.EPOLLRDHUP)

    def step(self, most=500):
        """Opens some, notes the ended, feeds all once a second."""
        for n in self.free[:most]:
            self.open(n)
        del self.free[:most]
        for fd, _ in self.gone.poll(0.01):
            one = self.held.pop(fd)
            one.sock.close()
            self.free.append(one.number)
            self.ended += 1
        if time.monotonic() - self.fed >= 1:
            self.fed = time.monotonic()
            for one in list(self.held.values()):
                one.feed()

    def end(self):
        for i, one in enumerate(self.held.values()):
            if i % 2:
                reset(one.sock)
            else:
                one.sock.close()
        self.held.clear()


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


# Those who come and go meanwhile: each is over when it returns.

def pass_reset(ports, dice):
    for _ in range(50):
        reset(socket.create_connection(("127.0.0.1", ports[0]), 60,
                                       ("127.2.0.1", 0)))


def pass_injected(ports, dice):
    """A44: whatever comes behind STARTTLS in clear ends the connection."""
    client = Client(ports[0])
    client.send(STARTTLS + question("four"))
    got = b""
    while True:
        try:
            more = client.sock.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            break
        got += more
    assert b"Tracking" not in got and got.count(b"+OK") <= 1, got
    client.close()


def pass_half_closed(ports, dice):
    """What it asked before is answered, whole."""
    client = Client(ports[0])
    client.send(question("four"))
    client.sock.shutdown(socket.SHUT_WR)
    lines = []
    while (line := client.line()) is not None:
        lines.append(line)
    assert lines.count(".") == 2 and lines[-1] == ".", lines
    client.close()


def pass_crowded(ports, dice):
    """An address with too many is refused, itself alone."""
    def one(source):
        client = Client.__new__(Client)
        client.sock = socket.create_connection(
            ("127.0.0.1", ports[0]), 60, (source, 0))
        client.have = b""
        return client, client.line()

    source = "127.3.%d.%d" % (dice.randrange(256), dice.randrange(1, 255))
    crowd = [one(source) for _ in range(PER_CLIENT + 5)]
    words = [word.split()[0] for _, word in crowd]
    assert words == (["+OK+/MTQP"] * PER_CLIENT
                     + ["-TEMP/MTQP/unavailable"] * 5), words
    assert one("127.4.0.1")[1].startswith("+OK+/MTQP")
    for client, _ in crowd:
        client.close()


def pass_renegotiating(ports, dice):
    """TLS 1.2: s_client's R is refused, and the connection is its alone."""
    run = subprocess.Popen(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % ports[1],
         "-tls1_2", "-legacy_renegotiation", "-bind", "127.5.0.1:0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    out = b""
    while b"+OK+/MTQP" not in out:
        more = os.read(run.stdout.fileno(), 65536)
        assert more, out
        out += more
    run.stdin.write(b"R\n")
    run.stdin.flush()
    rest = run.stdout.read().decode(errors="replace")
    assert run.wait(60) != 0 and "no renegotiation" in rest, rest


PASSING = [f for name, f in list(globals().items())
           if name.startswith("pass_")]


# The honest client, in a process of its own so that its times are its own.

def answer(client):
    while client.line() != ".":
        pass


def ask(client, name, in_parts):
    text = question(name)
    begin = time.monotonic()
    client.send(text[:9] if in_parts else text)
    if in_parts:
        time.sleep(0.02)
        begin = time.monotonic()
        client.send(text[9:])
    word = client.line()
    assert word.startswith("+OK+ "), word
    answer(client)
    return time.monotonic() - begin


def newly(port, tls):
    """A connection of its own: the time until it is answered."""
    begin = time.monotonic()
    client = greeted(port)
    if tls:
        client.send(STARTTLS)
        assert client.line().startswith("+OK")
        client.starttls()
        answer(client)
    ask(client, "four", False)
    client.close()
    return time.monotonic() - begin


def honest(port, stop, out):
    seen = {"asked": [], "large": [], "new": [], "new with TLS": []}
    client, i = greeted(port), 0
    try:
        while i == 0 or not stop.is_set():  # there are figures in any case
            seen["asked"].append(ask(client, "four", i % 7 == 0))
            if i % 10 == 0:
                seen["large"].append(ask(client, "many", False))
                seen["new"].append(newly(port, False))
                seen["new with TLS"].append(newly(port, True))
            i += 1
            time.sleep(0.002)
        out.send(json.dumps(seen))
    except (AssertionError, OSError, AttributeError) as why:
        out.send(json.dumps("%s: %s" % (type(why).__name__, why)))


class Honest:
    def __init__(self, port):
        self.stop = multiprocessing.Event()
        self.here, there = multiprocessing.Pipe()
        self.process = multiprocessing.Process(
            target=honest, args=(port, self.stop, there), daemon=True)
        self.process.start()

    def end(self, title):
        self.stop.set()
        seen = json.loads(self.here.recv())
        self.process.join()
        assert isinstance(seen, dict), seen
        for what, s in seen.items():
            s.sort()
            print("  %-9s %-12s %6d answered of %d; median %.1f, 99 %% %.1f,"
                  " worst %.1f ms" % (
                      title, what, len(s), len(s), 1e3 * statistics.median(s),
                      1e3 * s[len(s) * 99 // 100], 1e3 * s[-1]), flush=True)
            assert statistics.median(s) < 2, what  # ours
        return seen


def open_now(house):
    """Connections as the server counts them."""
    body = scrape(house.dir + "/metrics")[1]
    return int(re.search(r"^mtqpd_connections_open (\d+)$", body, re.M)[1])


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def room(sanitized):
    """How many connections there may be, both ends being on this machine."""
    default = "2000" if sanitized else "10000"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = int(os.environ.get("MTQP_SIEGE", default))
    for more in (max(hard, wanted + 2 * SPARE), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, more))
            break
        except (ValueError, OSError):
            pass
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE)


def besiege(house, server, siege, seconds):
    """The most connections and kilobytes that were seen."""
    most, memory, end, i = 0, 0, None, 0
    patience = time.monotonic() + 120
    while (end is None or time.monotonic() < end or i < len(PASSING)
           or not siege.ended):
        siege.step()
        most = max(most, open_now(house))
        memory = max(memory, rss_kb(server.process.pid))
        if most >= siege.count and end is None:
            end, Deaf.all_there = time.monotonic() + seconds, True
        assert end is not None or time.monotonic() < patience, most
        if end is not None:
            PASSING[i % len(PASSING)](siege.ports, siege.dice)
            i += 1
        assert server.process.poll() is None, server.log()[-3000:]
    return most, memory


def memory_kb(count):
    return max(1024, MEMORY_KB * count // 10000)


def check_memory(house, count, grown_kb):
    tls = sum(k.tls_first or k is BegunLate for k in KINDS)
    most_kb = memory_kb(count) + count * (
        CLEAR_KB * (len(KINDS) - tls) + TLS_KB * tls) // 100
    print("  memory: grew by %d KB, of %d at most" % (grown_kb, most_kb))
    if not house.sanitized:
        assert grown_kb <= most_kb


def siege_of(house, seed):
    count, tls_port = room(house.sanitized), free_port()
    server = Server(house, "siege", house.with_tls() + [
        "ListenTLS 127.0.0.1:%d" % tls_port, "LogLevel notice",
        "MetricsSocket " + house.dir + "/metrics", "MTQPCommandRate 0",
        "MTQPMemory %dK" % memory_kb(count), "MTQPConnections %d" % (count + SPARE)])
    pid, ports = server.process.pid, (server.port, tls_port)
    friend = Honest(server.port)
    time.sleep(0.5)  # to have something to compare with
    friend.end("before")
    fill.until("the honest one to be gone", lambda: open_now(house) == 0)
    fds, memory = descriptors(pid), rss_kb(pid)
    friend, begin = Honest(server.port), time.monotonic()
    siege = Siege(random.Random(seed), ports, count)
    most, peak = besiege(house, server, siege,
                         float(os.environ.get("MTQP_SIEGE_S", "5")))
    friend.end("besieged")
    siege.end()
    print("  %d connections at once (%d wanted), %d more ended by the server,"
          " in %.1f s" % (most, count, siege.ended, time.monotonic() - begin))
    check_memory(house, count, peak - memory)
    fill.until("end of their connections", lambda: open_now(house) == 0, 60)
    fill.until("end of their descriptors", lambda: descriptors(pid) == fds)
    print("  afterwards: %d descriptors as before, %d KB more memory" % (
        fds, rss_kb(pid) - memory))
    newly(server.port, True)
    assert server.stop() == 0


def main():
    seed = os.environ.get("MTQP_SIEGE_SEED", str(random.randrange(1 << 32)))
    print("MTQP_SIEGE_SEED=" + seed)
    multiprocessing.set_start_method("fork")
    with tempfile.TemporaryDirectory(prefix="mtqp-siege-") as folder:
        house = House(os.path.abspath(sys.argv[1]), folder)
        house.sanitized = re.search("build-[at]san", house.bin)
        siege_of(house, seed)
    print("ok")


if __name__ == "__main__":
    main()
