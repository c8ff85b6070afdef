#!/usr/bin/env python3
"""Clients as they come on the open Internet, all at once: random sessions
(good, slow, huge, binary, half-closed, TLS or not, gone in the middle), while
one honest client asks and must be answered every time.

    crowd.py BIN_DIR

MTQP_CROWD sessions (3000), at most 500 at a time.  MTQP_CROWD_SEED repeats a
run.

MTQP_CROWD=100000 is a week of a busy site, which has 14,000 tracked messages a
day that are asked about once each; here all sessions are as random as a
stranger's, which is worse than any week.  On two busy cores that took
eleven minutes under TSan and two under ASan."""
import os
import random
import selectors
import socket
import ssl
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from daemon import SECRET, context, greeted, rss_kb  # noqa: E402
from run import House, Server  # noqa: E402

SESSIONS = int(os.environ.get("MTQP_CROWD", "3000"))
AT_ONCE = 500
GOOD = [("TRACK %s@client.example %s\r\n" % (n, SECRET)).encode()
        for n in ("four", "fresh", "twice", "nobody")]
LARGE = ("TRACK many@client.example %s\r\n" % SECRET).encode()


def octets(dice, n):
    return dice.randbytes(n)


def words(dice):
    """What a session sends, in pieces."""
    kind = dice.randrange(10)
    if dice.random() < 0.01:
        return [LARGE * dice.randrange(1, 40)]
    if kind == 0:
        return [octets(dice, dice.randrange(1, 3000))]
    if kind == 1:
        return [b"TRACK " + b"x" * dice.randrange(100000)]
    if kind == 2:
        return [b"STARTTLS mtqp.example.org\r\n" + octets(dice, 50)]
    if kind == 3:
        return [b"STARTTLS mtqp.example.org\r\n", octets(dice, 200)]
    if kind == 4:
        return [bytes([c]) for c in dice.choice(GOOD)]
    if kind == 5:
        return [b"".join(dice.choices(GOOD, k=dice.randrange(1, 40)))]
    if kind == 6:
        line = bytearray(dice.choice(GOOD))
        line[dice.randrange(len(line))] = dice.randrange(256)
        return [bytes(line), b"COMMENT\r\n"]
    if kind == 7:
        return [b"\r\n" * 300]
    if kind == 8:
        return []
    return [dice.choice(GOOD), b"QUIT\r\n"]


class Session:
    def __init__(self, dice, port, chooser):
        self.sock = socket.create_connection(("127.0.0.1", port), 60)
        self.sock.setblocking(False)
        self.left = words(dice)
        self.patience = dice.choice((0, 1, 5, 20))
        self.half_close = dice.random() < 0.2
        self.reads = dice.random() < 0.9
        chooser.register(self.sock, selectors.EVENT_READ, self)

    def step(self, chooser):
        """False: it is over."""
        try:
            if self.left:
                sent = self.sock.send(self.left[0])
                self.left[0] = self.left[0][sent:]
                if not self.left[0]:
                    self.left.pop(0)
                if not self.left and self.half_close:
                    self.sock.shutdown(socket.SHUT_WR)
            if self.reads and not self.sock.recv(65536):
                return False
        except BlockingIOError:
            pass
        except OSError:
            return False
        if not self.left:
            self.patience -= 1
        return self.patience >= 0

    def end(self, chooser):
        chooser.unregister(self.sock)
        self.sock.close()


def tls_and_gone(dice, port):
    """A handshake, and something in it."""
    client = greeted(port)
    client.send(b"STARTTLS mtqp.example.org\r\n")
    client.line()
    try:
        with context().wrap_socket(client.sock) as sock:
            sock.send(b"".join(words(dice))[:5000] or b"QUIT\r\n")
            sock.recv(4096)
    except (OSError, ssl.SSLError):
        client.close()


def honest(client):
    client.send(GOOD[0])
    assert client.line().startswith("+OK+ ")
    while client.line() != ".":
        pass


def crowd(server, dice):
    chooser = selectors.DefaultSelector()
    honest_one, sessions, done, said = greeted(server.port), [], 0, 0
    while done < SESSIONS:
        while len(sessions) < AT_ONCE and done + len(sessions) < SESSIONS:
            sessions.append(Session(dice, server.port, chooser))
        chooser.select(0.005)
        for s in dice.sample(sessions, len(sessions)):
            if not s.step(chooser):
                s.end(chooser)
                sessions.remove(s)
                done += 1
        honest(honest_one)
        if dice.random() < 0.1:
            tls_and_gone(dice, server.port)
        assert server.process.poll() is None, server.log()[-3000:]
        if done >= said + 10000:
            said = done
            print("  %d, %d KB resident" % (
                done, rss_kb(server.process.pid)), flush=True)
    return honest_one


def main():
    seed = os.environ.get("MTQP_CROWD_SEED", str(random.randrange(1 << 32)))
    print("MTQP_CROWD_SEED=" + seed)
    with tempfile.TemporaryDirectory(prefix="mtqp-crowd-") as folder:
        house = House(os.path.abspath(sys.argv[1]), folder)
        server = Server(house, "crowd", house.with_tls() + [
            "MTQPConnections 2000", "MTQPConnectionsPerClient 0",
            "MTQPCommandRate 0", "MTQPFailures 0", "LogLevel notice"])
        begin = time.monotonic()
        last = crowd(server, random.Random(seed))
        honest(last)
        print("%d sessions in %.1f s, %d KB resident at the end" % (
            SESSIONS, time.monotonic() - begin, rss_kb(server.process.pid)))
        assert server.stop() == 0
    print("ok")


if __name__ == "__main__":
    main()
