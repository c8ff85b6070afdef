#!/usr/bin/env python3
"""ends.py POSTFIX GATE MTA_PORT GATE_OF_MTA ROUTE_TO_MTA MAILDIR -- how
conversations end: through mtrk-gate as with Postfix alone.  At MTA_PORT, behind
a GateListen and a GateRoute, stands an MTA of ours for what no real one does
when it is told to."""
import glob, re, socket, sys, threading, time

postfix, gate, mta_port, gate_of_mta, route_to_mta = map(int, sys.argv[1:6])
maildir = sys.argv[6]
HELLO = b"EHLO k.test\r\nMAIL FROM:<k@h.test>\r\nRCPT TO:<games@lab.test>\r\n"
BIG = b"x" * 998 + b"\r\n"


class Client:
    """Sends in one thread and reads in another, so that neither waits."""

    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port), 30)
        self.s.settimeout(None)
        self.heard, self.ended = b"", threading.Event()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while data := self.s.recv(65536):
                self.heard += data
        except OSError:
            pass
        self.ended.set()

    def send(self, text):
        try:
            self.s.sendall(text)
        except OSError:
            pass  # who has closed is still read

    def hears(self, what, seconds=60):
        end = time.time() + seconds
        while not re.search(what, self.heard, re.M):
            assert time.time() < end and not self.ended.is_set(), (what, self.heard[-300:])
            time.sleep(0.01)

    def codes(self):
        """Once it has ended: what was answered, without names and queue ids."""
        assert self.ended.wait(60), "it does not end: %r" % self.heard[-300:]
        return re.findall(rb"^(\d\d\d) (\d\.\d\.\d)?", self.heard, re.M)


def alike(what, talk):
    alone, through = (talk(Client(port)) for port in (postfix, gate))
    assert alone == through, (what, alone, through)
    print("%s: %s" % (what, alone[-1]))


def too_many_errors(c):
    """Postfix closes while commands are still coming in."""
    c.send(HELLO + b"".join(b"RCPT TO:<x%d@elsewhere.test>\r\n" % i for i in range(20000)))
    return c.codes()


def half_closed(content):
    def talk(c):
        c.hears(rb"^220")
        c.send(HELLO + b"DATA\r\n")
        c.hears(rb"354 ")
        c.send(content)
        c.s.shutdown(socket.SHUT_WR)
        return c.codes()
    return talk


def pipelined_and_half_closed(c):
    c.send(HELLO + b"BDAT 14\r\nSubject: a\r\n\r\nBDAT 0 LAST\r\nMAIL FROM:<>\r\n"
           b"RCPT TO:<games@lab.test>\r\nBDAT 4 LAST\r\na\r\n.BDAT 0 LAST\r\nRSET\r\nQUIT\r\n")
    c.s.shutdown(socket.SHUT_WR)
    return c.codes()


def bodies(start):
    found = []
    for path in glob.glob(maildir + "/new/*"):
        with open(path, "rb") as f:
            found.append(f.read().partition(b"\n\n")[2])
    return [b for b in found if b.startswith(start)]


def odd_octets():
    """What arrives is the same, whatever it is."""
    body = (bytes(range(1, 10)) + bytes(range(11, 13)) + bytes(range(14, 256)) + b"\r\n\0nul\0\r\n" +
            b"y" * 300000 + b"\r\n..dot\r\n...\r\n.. \r\n" + b"z" * 65533 + b"\r\n")
    for port in postfix, gate:
        c = Client(port)
        c.send(HELLO + b"DATA\r\n")
        c.hears(rb"354 ")
        c.send(b"Subject: odd\r\n\r\nODD" + body + b".\r\n")
        c.hears(rb"^250 .*queued")
        c.send(b"QUIT\r\n")
    odd = arrive(2, b"ODD")
    assert odd[0] == odd[1], [len(b) for b in odd]
    print("odd octets: %d arrive alike" % len(odd[0]))


def arrive(n, start):
    end = time.time() + 60
    while len(found := bodies(start)) < n:
        assert time.time() < end, "%d of %d arrived" % (len(found), n)
        time.sleep(0.02)
    return found


def gone_behind_the_dot():
    """The client does not wait for the answer: it is taken, once."""
    for port in postfix, gate:
        c = Client(port)
        c.send(HELLO + b"DATA\r\n")
        c.hears(rb"354 ")
        c.send(b"Subject: gone\r\n\r\nGONE\r\n.\r\n")
        c.s.close()
    arrive(2, b"GONE")
    print("gone behind the dot: taken")


class Mta:
    """Takes a little of a message, then says 552, once no more can be sent
    to it, and `then` that."""

    def __init__(self, then):
        self.then, self.full, self.enough = then, threading.Event(), threading.Event()
        self.listening = socket.create_server(("127.0.0.1", mta_port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        s = self.listening.accept()[0]
        self.listening.close()
        f = s.makefile("rb")
        s.sendall(b"220 mx\r\n")
        for line in f:
            s.sendall(b"354 go on\r\n" if line == b"DATA\r\n" else b"250 ok\r\n")
            if line == b"DATA\r\n":
                break
        f.read(20000)
        self.full.wait(60)
        s.sendall(b"552 5.3.4 too big\r\n")
        self.then(s)
        self.enough.wait(60)
        s.close()
        f.close()


def fill(s):
    """Until nothing goes any more; the reader's thread needs it to block."""
    stuck = 0
    while stuck < 20:
        try:
            s.send(BIG * 60, socket.MSG_DONTWAIT)
            stuck = 0
        except BlockingIOError:
            stuck += 1
            time.sleep(0.01)


def early_refusal(what, port, then):
    mta = Mta(then)
    c = Client(port)
    c.send(HELLO + b"DATA\r\n")
    c.hears(rb"354 ")
    fill(c.s)
    mta.full.set()
    c.hears(rb"552 5.3.4")
    mta.enough.set()
    print("early refusal, %s: heard" % what)


alike("too many errors", too_many_errors)
alike("half-closed behind the dot", half_closed(b"Subject: a\r\n\r\nhi\r\n.\r\n"))
alike("half-closed in the last dot's line", half_closed(b"Subject: a\r\n\r\nhi\r\n.\r"))
alike("half-closed within the content", half_closed(b"Subject: a\r\n\r\nhi"))
alike("BDAT 0 LAST, all at once", pipelined_and_half_closed)
odd_octets()
gone_behind_the_dot()
for what, port in ("MTA", gate_of_mta), ("next hop", route_to_mta):
    early_refusal("no more is read by the " + what, port, lambda s: None)
    early_refusal("closed for writing by the " + what, port, lambda s: s.shutdown(socket.SHUT_WR))
