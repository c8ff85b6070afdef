#!/usr/bin/env python3
"""milter.py BIN_DIR -- mtrk-milter as an MTA sees it, octet by octet: MTAs of
every age at the same time, steps in odd order, strangers' words."""
import contextlib
import itertools
import json
import os
import re
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BIN = sys.argv[1]
CERT = "VheLhqV/rCKJmplkGFwsyW59pYk"
NR_ALL = 0x1ff080  # SMFIP_NR_*: no answer is waited for
UNUSED = 0x332  # HELO, DATA, headers, body, unknown commands
PATIENCE_S = 60


class Mta:
    """One connection.  `steps`: what this MTA can do (SMFIP_*)."""

    def __init__(self, path, version=6, steps=0x1fffff):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(path)
        self.have = b""
        self.send(b"O", struct.pack("!III", version, 0x1ff, steps))
        kind, data = self.answer()
        assert kind == b"O", (kind, data)
        self.agreed = struct.unpack("!III", data[:12])[2]
        assert self.agreed & ~steps == 0, "more than the MTA can do"
        assert struct.unpack("!III", data[:12])[1] == 0, "SMFIF_NONE"

    def send(self, kind, data=b""):
        self.sock.sendall(struct.pack("!I", len(data) + 1) + kind + data)

    def octets(self, n):
        while len(self.have) < n:
            more = self.sock.recv(65536)
            assert more, "the milter went away"
            self.have += more
        got, self.have = self.have[:n], self.have[n:]
        return got

    def answer(self):
        packet = self.octets(struct.unpack("!I", self.octets(4))[0])
        return packet[:1], packet[1:]

    def step(self, kind, data, no_reply, want=b"c"):
        """A step that is agreed to have no answer has none: the next is the
        next step's."""
        self.send(kind, data)
        if not self.agreed & no_reply:
            got = self.answer()
            assert got == (want, b""), (kind, data, got)

    def hello(self):
        self.step(b"C", b"client.test\0" + b"4\0\x19192.0.2.1\0", 0x1000)

    def macros(self, kind, **names):
        data = b"".join(n.encode() + b"\0" + v + b"\0" for n, v in names.items())
        self.send(b"D", kind + data)

    def mail(self, *words):
        self.step(b"M", b"".join(w + b"\0" for w in words), 0x4000)

    def rcpt(self, *words):
        self.step(b"R", b"".join(w + b"\0" for w in words), 0x8000)

    def end(self, queue_id):
        if queue_id is not None:
            self.macros(b"N", i=queue_id)
        self.step(b"N", b"", 0, b"a")

    def message(self, envid, queue_id, *more):
        self.mail(b"<a@h.test>", b"ENVID=" + envid, b"MTRK=" + CERT.encode(), *more)
        self.rcpt(b"<b@x.test>", b"NOTIFY=SUCCESS,NEVER,X", b"ORCPT=rfc822;b+40x.test")
        self.end(queue_id)


def every_age(path):
    """Those that wait for answers and those that don't, side by side."""
    ages = [Mta(path), Mta(path, 2, 0x7f), Mta(path, 6, 0x1fffff & ~NR_ALL), Mta(path)]
    assert ages[0].agreed & UNUSED == UNUSED, "%x" % ages[0].agreed
    assert [a.agreed & NR_ALL != 0 for a in ages] == [True, False, False, True]
    for a in ages:
        a.hello()
    for n, a in enumerate(ages):
        a.message(b"age%d@h.test" % n, b"AGE%d" % n)
    return ["age%d@h.test" % n for n in range(len(ages))]


def odd_order(path):
    """xxfi_close first, ends without a begin, the same again, no argument."""
    Mta(path).send(b"Q")
    Mta(path).sock.close()
    socket.socket(socket.AF_UNIX).connect(path)
    mail = b"<a@h.test>\0ENVID=odd@h.test\0MTRK=" + CERT.encode() + b"\0"
    rcpt = b"<b@x.test>\0"
    for steps in ([(b"N", b"")], [(b"A", b"")], [(b"R", rcpt), (b"N", b"")],
                  [(b"M", b"")], [(b"M", b""), (b"R", b""), (b"N", b"")],
                  [(b"M", mail), (b"N", b"")], [(b"M", mail), (b"R", b""), (b"N", b"")],
                  [(b"M", mail), (b"R", rcpt), (b"A", b""), (b"N", b"")],
                  [(b"M", mail), (b"R", rcpt), (b"Q", b"")], [(b"M", mail), (b"R", rcpt)],
                  [(b"M", mail), (b"M", b"<a@h.test>\0"), (b"R", rcpt), (b"N", b"")]):
        m = Mta(path)
        m.hello()
        m.macros(b"N", i=b"ODD1")
        with contextlib.suppress(OSError):  # it may hang up
            for kind, data in steps + [(b"Q", b"")]:
                m.send(kind, data)
            while m.sock.recv(65536):
                pass
    m = Mta(path)
    m.hello()
    m.message(b"one@h.test", b"ONE1")
    m.message(b"one@h.test", b"ONE1")  # told once more
    m.mail(b"<a@h.test>", b"ENVID=first@h.test", b"MTRK=" + CERT.encode())
    m.send(b"A")
    m.message(b"second@h.test", b"SECOND")
    m.send(b"K")  # another client, the same connection
    m.hello()
    m.message(b"third@h.test", b"THIRD")
    return ["one@h.test", "second@h.test", "third@h.test"]


def strangers(path):
    """Words that a client chooses, and queue ids that no MTA gives."""
    evil = b'q"\r\n2026-11-26T04:00:00Z x: err: event=forged\r\n\x1b[2J\xff@h.test'
    m = Mta(path)
    m.hello()
    m.message(evil, b"EVIL1")
    m.message(b"noid@h.test", None)
    for queue_id in (b"", b"Q" * 64, b"Q" * 5000):
        m.message(b"id%d@h.test" % len(queue_id), queue_id)
    m.message(b"quoted@h.test", b'ID"\nx: y')
    m.mail(b"<a@h.test>" + b"\xff" * 40000, b"ENVID=" + b"e" * 9000 + b"@h", b"MTRK=" + CERT.encode())
    m.send(b"A")
    m.mail(b"<a@h.test>", *[b"AUTH=<>"] * 5000)
    m.send(b"A")
    m.mail(b"<" + b"a" * 50000 + b"@h.test>", b"ENVID=long@h.test", b"MTRK=" + CERT.encode())
    for _ in range(300):
        m.rcpt(b"<" + b"b" * 5000 + b"@x.test>", b"ORCPT=" + b"t" * 4000)
    m.rcpt(b"<b@x.test>", b"NOTIFY", b"ORCPT=", b"=", b"", b"ORCPT=rfc822;+ZZ")
    m.end(b"LONG1")
    # UTF-8 that commands a terminal (CSI), and turns its line around (RLO)
    m.mail(("<a\x9b2J\u202e@h.test>").encode(), b"ENVID=c1@h.test", b"MTRK=" + CERT.encode())
    m.rcpt(b"<b@x.test>")
    m.end(b"CONTROL1")
    m.message(b"last@h.test", b"LAST1")
    return ["last@h.test", "long@h.test", "quoted@h.test", "c1@h.test"]


def crowded(path, pid):
    """More MTAs than descriptors: none waits; those that are away make room."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert soft >= min(16000, hard), soft
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (64, hard))
    crowd, began = [], time.monotonic()
    with contextlib.suppress(AssertionError, ConnectionError):  # sent away
        while True:
            crowd.append(Mta(path))
    assert 8 < len(crowd) < 64 and time.monotonic() - began < PATIENCE_S / 2
    crowd[0].hello()
    crowd[0].message(b"crowd@h.test", b"CROWD1")
    for m in crowd:
        m.sock.close()
    while True:
        with contextlib.suppress(AssertionError, ConnectionError):
            m = Mta(path)
            break
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    m.hello()
    m.message(b"room@h.test", b"ROOM1")
    return ["crowd@h.test", "room@h.test"]


def busy(path, number, answered):
    """One message after another, until it is cut off."""
    m = Mta(path)
    m.hello()
    with contextlib.suppress(OSError, AssertionError):
        for i in itertools.count():
            m.message(b"busy%d.%d@h.test" % (number, i), b"BUSY%dX%d" % (number, i))
            answered.append("busy%d.%d@h.test" % (number, i))


def succeeded(path, conf, old, answered):
    """Another is started before the old one ends, in the midst of its work,
    and leaves its socket."""
    many = [threading.Thread(target=busy, args=(path, n, answered)) for n in range(8)]
    for one in many:
        one.start()
    before = os.stat(path).st_ino
    new = subprocess.Popen([BIN + "/mtrk-milter", "-c", conf, "-f"],
                           stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE_S
        while not os.path.exists(path) or os.stat(path).st_ino == before:
            assert time.monotonic() < until and new.poll() is None, "no start"
            time.sleep(0.01)
        m = None
        while m is None:  # the path is there before anybody listens
            assert time.monotonic() < until, "it doesn't listen"
            with contextlib.suppress(ConnectionRefusedError):
                m = Mta(path)
        while len(answered) < 100:
            assert time.monotonic() < until, answered
            time.sleep(0.01)
        old.terminate()
        assert old.wait(PATIENCE_S) == 0
        for one in many:
            one.join()
        m.hello()
        m.message(b"new@h.test", b"NEW1")
        Mta(path).hello()
        return ["new@h.test"]
    finally:
        new.terminate()
        new.wait()


def main():
    with tempfile.TemporaryDirectory(prefix="mtrk-milter-") as house:
        path, conf = house + "/m.sock", house + "/mtrk.conf"
        with open(conf, "w") as f:
            f.write("Store %s/store\nMilterSocket local:%s\nLogTo stderr\n" % (house, path))
        with open(house + "/log", "wb") as log:
            milter = subprocess.Popen([BIN + "/mtrk-milter", "-c", conf, "-f"], stderr=log)
        try:
            until = time.monotonic() + PATIENCE_S
            while not os.path.exists(house + "/store/data.mdb"):
                assert time.monotonic() < until and milter.poll() is None, "no start"
                time.sleep(0.01)
            want = every_age(path) + odd_order(path) + strangers(path) + crowded(path, milter.pid)
            assert milter.poll() is None, "it ended"
            want += succeeded(path, conf, milter, answered := [])
            dump = subprocess.run([BIN + "/mtrk-dump", "-c", conf, "--json"],
                                  check=True, stdout=subprocess.PIPE).stdout
            assert dump.isascii() and b'"a\\u009B2J\\u202E@h.test"' in dump, dump
            records = [json.loads(line) for line in dump.splitlines()]
            assert all(r["certifier"] == CERT for r in records), dump
            got = [r["envid"] for r in records if not r["envid"].startswith("busy")]
            assert sorted(got) == sorted(want), (got, want)
            lost = set(answered) - {r["envid"] for r in records}
        finally:
            milter.terminate()
            milter.wait()
        with open(house + "/log", "rb") as log:
            for line in log:
                assert re.fullmatch(rb"\S+Z mtrk-milter\[\d+\]: \w+: [ -~]+\n", line), line
                assert CERT.encode() not in line, line
                last = line
        # what was answered and isn't there is counted
        assert len(lost) <= int(re.search(rb"event=stop untracked=(\d+)", last)[1]), (lost, last)
        print("milter: ok, %d messages, and %d, %d of them lost, at its end" % (len(got), len(answered), len(lost)))


main()
