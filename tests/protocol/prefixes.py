#!/usr/bin/env python3
"""What one IPv6 client may do, from real addresses: a network namespace has a
/48 and more of its own.  A /64 is one client, a /48 may do four times as much
(mtqp/limits.h).

    prefixes.py BIN_DIR"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from daemon import TRACK  # noqa: E402
from run import Client, House, Server, free_port  # noqa: E402

IPV6_FREEBIND = 78  # linux/in6.h
SERVER = "2001:db8:ffff::1"
SITE = 4  # LIMITS_SITE


def ip(*words):
    subprocess.run(("ip",) + words, check=True)


class Stranger(Client):
    """From any address that the namespace routes to itself."""

    def __init__(self, port, address):
        self.sock = socket.socket(socket.AF_INET6)
        self.sock.settimeout(30)
        self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        self.sock.bind((address, 0))
        self.sock.connect((SERVER, port))
        self.have = b""
        self.word = self.line().split()[0]
        while self.word == "+OK+/MTQP" and self.line() != ".":
            pass


def address(site, net, host):
    return "2001:db8:%x:%x::%x" % (site, net, host)


def place(house, name, lines):
    """Its port, and the server."""
    port = free_port()
    return port, Server(house, name, ["Listen [%s]:%d" % (SERVER, port)] + lines)


def check_connections(house):
    port, server = place(house, "connections", ["MTQPConnectionsPerClient 3"])

    def admitted(site, net, hosts):
        there = [Stranger(port, address(site, net, h)) for h in hosts]
        assert all(s.word in ("+OK+/MTQP", "-TEMP/MTQP/unavailable")
                   for s in there)
        return [s for s in there if s.word == "+OK+/MTQP"]

    first = admitted(1, 1, range(1, 9))  # eight hosts of one /64
    assert len(first) == 3, len(first)
    rest = [s for net in range(2, 9) for s in admitted(1, net, range(1, 4))]
    assert len(first + rest) == 3 * SITE, len(rest)  # of one /48
    assert len(admitted(2, 1, range(1, 4))) == 3  # the neighbour's
    first.pop().close()

    def room():
        return admitted(1, 9, [1])

    end = time.monotonic() + 20
    while not room():  # for another /64 of the /48
        assert time.monotonic() < end
    assert server.stop() == 0


def delays(house):
    """Answers that had to wait, as the server counts them."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(house.dir + "/metrics")
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        text = b""
        while more := s.recv(65536):
            text += more
    return int(re.search(rb"^mtqpd_delayed_total (\d+)", text, re.M)[1])


def check_failures(house):
    """Guessing from all over a /64 is guessing from one place."""
    port, server = place(house, "failures", [
        "MTQPFailures 4", "MetricsSocket %s/metrics" % house.dir])

    def waited(*where):
        before, begin = delays(house), time.monotonic()
        one = Stranger(port, address(*where))
        one.send((TRACK % "nobody").encode())
        assert one.line().startswith("-ERR/noinfo")
        one.close()
        waits = delays(house) - before
        assert not waits or time.monotonic() - begin > 1.9
        return waits

    assert [waited(1, 1, host) for host in range(1, 6)] == [0] * 4 + [1]
    # 5 of the 16 that the /48 has
    assert not any(waited(1, net, host)
                   for net in range(2, 5) for host in range(1, 4))
    assert [waited(1, net, 1) for net in range(5, 8)] == [0, 0, 1]
    assert not waited(2, 1, 1)  # a neighbour
    assert server.stop() == 0


def check_commands(house):
    port, server = place(house, "commands", ["MTQPCommandRate 20"])

    def taken(where, n):
        one = Stranger(port, where)
        one.send(b"COMMENT\r\n" * n)
        got = 0
        for _ in range(n):
            word = one.line()
            if word.startswith("-TEMP"):
                break
            got += word.startswith("+OK")
        one.close()
        return got

    # a bucket of 20 runs out by one in 3 s: a little more on a slow machine
    assert 20 <= taken(address(1, 1, 1), 40) < 30
    assert taken(address(1, 1, 2), 3) <= 2
    assert taken(address(1, 2, 1), 10) == 10
    assert taken(address(2, 1, 1), 10) == 10
    assert server.stop() == 0


def main():
    if os.environ.get("MTRK_INSIDE") is None:
        if subprocess.run(["unshare", "-n", "true"]).returncode != 0:
            print("no network namespaces here")
            return 77
        os.environ["MTRK_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "-n", sys.executable] + sys.argv)
    ip("link", "set", "lo", "up")
    ip("addr", "add", SERVER + "/128", "dev", "lo", "nodad")
    for site in (1, 2):
        ip("-6", "route", "add", "local", "2001:db8:%x::/48" % site,
           "dev", "lo")
    with tempfile.TemporaryDirectory(prefix="mtqp-v6-") as folder:
        house = House(os.path.abspath(sys.argv[1]), folder)
        for name, check in list(globals().items()):
            if name.startswith("check_"):
                print(name, flush=True)
                check(house)
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
