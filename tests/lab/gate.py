#!/usr/bin/env python3
"""gate.py PORT TLS_PORT CERTIFICATE -- what a client sees of mtrk-gate in front
of a real Postfix: EHLO, refusals, pipelining, BDAT, STARTTLS, implicit TLS."""
import socket, ssl, sys, time

port, tls_port, certificate = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
CERT = "VheLhqV/rCKJmplkGFwsyW59pYk"
context = ssl.create_default_context(cafile=certificate)


class Client:
    def __init__(self, port=port, tls=False):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=30)
        if tls:
            self.s = context.wrap_socket(self.s, server_hostname="mx.lab.test")
        self.f = self.s.makefile("rb")
        self.expect("220")

    def reply(self):
        lines = []
        while True:
            line = self.f.readline().decode()
            lines.append(line)
            if line[3:4] != "-":
                return lines

    def expect(self, start):
        lines = self.reply()
        assert lines[-1].startswith(start), (start, lines)
        return lines

    def say(self, text, start="250"):
        self.s.sendall(text.encode() + b"\r\n")
        return self.expect(start)

    def starttls(self):
        self.say("STARTTLS", "220")
        self.s = context.wrap_socket(self.s, server_hostname="mx.lab.test")
        self.f = self.s.makefile("rb")

    def words(self):
        return [line[4:].split()[0] for line in self.say("EHLO a.test")][1:]

    def mail(self, text=b"Subject: x\r\n\r\nhi\r\n.\r\n"):
        self.say("MAIL FROM:<a@h.test> ENVID=g%d@h.test MTRK=%s:86400" %
                 (time.monotonic_ns(), CERT))
        self.say("RCPT TO:<games@lab.test> ORCPT=rfc822;games@lab.test")
        self.say("DATA", "354")
        self.s.sendall(text)
        self.expect("250 2.0.0 Ok: queued as")


# S2, S3: MTRK without a parameter, every time; S5: with DSN
c = Client()
for _ in range(2):
    words = c.words()
    assert words[-1] == "MTRK" and words.count("MTRK") == 1, words
    assert "DSN" in words and "STARTTLS" in words and "XCLIENT" not in words, words
c.mail()
# S22, A26: refused with the reason, and the session goes on
for parameters, why in (("MTRK=" + CERT, "needs ENVID"),
                        ("ENVID=q@x MTRK=%s MTRK=%s" % (CERT, CERT), "twice"),
                        ("ENVID=q@x MTRK=" + CERT[:-1], ""),
                        ("ENVID=q@x MTRK=%s:soon" % CERT, ""),
                        ("ENVID=q MTRK=" + CERT, "")):
    last = c.say("MAIL FROM:<a@h.test> " + parameters, "501 5.5.4 ")[-1]
    assert why in last, last
# S6, A8: the longest line that the RFCs allow, and AUTH= on top
c.say("MAIL FROM:<%s@h.test> ENVID=%s@h.test MTRK=%s:123456789 AUTH=%s" %
      ("a" * 60, "e" * 93, CERT, "x" * 400))
c.say("RSET")
# RFC 2920: all at once, with a refusal inside, in its place
c.s.sendall(b"RSET\r\nMAIL FROM:<a@h.test> MTRK=x\r\nRCPT TO:<games@lab.test>\r\n"
            b"MAIL FROM:<a@h.test>\r\nRCPT TO:<games@lab.test>\r\nDATA\r\n")
for start in ("250", "501 5.5.4", "503", "250", "250", "354"):
    c.expect(start)
c.s.sendall(b"Subject: x\r\n\r\nhi\r\n.\r\nRSET\r\nQUIT\r\n")
for start in ("250 2.0.0 Ok: queued", "250", "221"):
    c.expect(start)
assert c.f.read() == b""
# RFC 3030
c = Client()
c.words()
c.say("MAIL FROM:<a@h.test> ENVID=b@h.test MTRK=%s BODY=8BITMIME" % CERT)
c.s.sendall(b"RCPT TO:<games@lab.test>\r\nBDAT 14\r\nSubject: x\r\n\r\nBDAT 5 LAST\r\n\r\n.\r\n")
for start in ("250", "250", "250 2.0.0 Ok: 19 bytes queued"):
    c.expect(start)
# STARTTLS, twice refused; MTRK under TLS
c = Client()
c.words()
c.say("MAIL FROM:<forgotten@h.test>")
c.say("STARTTLS now", "501 5.5.4")
c.starttls()
words = c.words()
assert words[-1] == "MTRK" and "STARTTLS" not in words, words
c.say("STARTTLS", "503")
c.mail(b"Subject: x\r\n\r\n" + b"y" * 900 + b"\r\n" + b"z\r\n" * 100000 + b".\r\n")
c.say("QUIT", "221")
# A44: a byte in clear behind STARTTLS ends it
c = Client()
c.words()
c.s.sendall(b"STARTTLS\r\nNOOP\r\n")
try:
    assert c.f.read() == b""
except ConnectionResetError:
    pass
# from the first octet
c = Client(tls_port, True)
words = c.words()
assert words[-1] == "MTRK" and "STARTTLS" not in words, words
c.mail()
# half-closed: what was sent is still answered
c = Client()
c.s.sendall(b"EHLO a.test\r\nNOOP\r\nQUIT\r\n")
c.s.shutdown(socket.SHUT_WR)
for start in ("250", "250", "221"):
    c.expect(start)
assert c.f.read() == b""
