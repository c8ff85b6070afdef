#!/usr/bin/env python3
"""sink.py [OPTION...] [ADDRESS:]PORT [FILE]: the next hop that a test needs.

A recipient whose local part begins with "defer" gets 451, with "bounce" or
"soft" 550, any other 250; one that begins with "late" gets the message
refused after DATA; "words" is refused, and "thanks" gets its message accepted,
in 300 octets that are not ASCII.  Enhanced codes that don't fit their replies:
"grey" gets 451 with 5.7.1, "later" 554 after DATA with 4.6.0, "odd" 250 with
5.0.0.  Over LMTP, which it speaks too, that is said of each
recipient, and "full" is told 452 then.  Each message taken appends a line to FILE: its X-Number
header or "-", a blank, its recipients.  Listens on 127.0.0.1 if not told
otherwise.  Without options it knows neither MTRK nor TLS.
"""
import argparse
import os
import socketserver
import ssl
import sys
import threading
import time

lock = threading.Lock()
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("listen")
options.add_argument("file", nargs="?")
options.add_argument("--mtrk", action="store_true", help="list MTRK")
options.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), help="list STARTTLS")
options.add_argument("--cut", choices=("ready", "hello", "never"), help="close in the handshake: once it is"
                     " begun, once the client has said something, or only when the client does")
options.add_argument("--greet", default="220 sink.test ESMTP")
options.add_argument("--heard", help="a file for all commands, each with its connection's number")
options.add_argument("--meet", type=int, help="go on with DATA only once so many have come there")
options.add_argument("--hold", help="answer a message's end only once this file exists")
WORDS = "\u043d\u0435\u043b\u044c\u0437\u044f" * 25


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def hear(self, line):
        if set.heard:
            with lock, open(set.heard, "a") as out:
                out.write("%d %s\n" % (self.number, line))

    def starttls(self):
        self.say("220 2.0.0 go on")
        if set.cut == "hello":
            self.connection.recv(1)
        while set.cut == "never" and self.connection.recv(65536):
            pass
        if set.cut:
            return False
        try:
            self.connection = tls.wrap_socket(self.connection, server_side=True)
        except (OSError, ssl.SSLError):
            return False
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.secure = True
        return True

    def ehlo(self, verb):
        self.lmtp = verb == "LHLO"
        words = ["sink.test", "PIPELINING", "ENHANCEDSTATUSCODES"]
        words += ["STARTTLS"] if (set.tls or set.cut) and not self.secure else []
        words += ["MTRK"] if set.mtrk else []
        self.say("".join("250-%s\r\n" % w for w in words) + "250 DSN")

    def rcpt(self, line):
        local = line.split("<", 1)[-1]
        if local.startswith("defer"):
            self.say("451 4.7.1 try again later")
        elif local.startswith("bounce"):
            self.say("550 5.1.1 no such user")
        elif local.startswith("soft"):
            self.say("550 5.1.1 soft refusal")
        elif local.startswith("grey"):
            self.say("451 5.7.1 greylisted")
        elif local.startswith("words"):
            self.say("550 5.1.1 " + WORDS)
        else:
            self.rcpts.append(local.split(">")[0])
            self.say("250 2.1.5 ok")

    def meet(self):
        with lock:
            self.server.came += 1
            if self.server.came >= (set.meet or 0):
                met.set()
        met.wait(30)

    def data(self):
        self.meet()
        self.say("354 go on")
        number, head, whole = "-", True, False
        for raw in self.rfile:
            line = raw.rstrip(b"\r\n")
            if whole := line == b".":
                break
            head = head and line != b""
            if head and line.lower().startswith(b"x-number:"):
                number = line.split(b":", 1)[1].strip().decode()
        if not whole:
            return False
        self.hear(".")
        while set.hold and not os.path.exists(set.hold):
            time.sleep(0.02)
        self.taken(number)
        return True

    def taken(self, number):
        if set.file:
            with lock, open(set.file, "a") as out:
                out.write(number + " " + ",".join(self.rcpts) + "\n")
        late = [r for r in self.rcpts if r.startswith("late")]
        thanks = WORDS + ": " if self.rcpts and self.rcpts[0].startswith("thanks") else "Ok: "
        odd = self.rcpts and self.rcpts[0].startswith("odd")
        for one in self.rcpts if self.lmtp else ["".join(late[:1])]:
            self.say("554 4.6.0 content refused" if one.startswith("later") else
                     "554 5.6.0 content refused" if one.startswith("late") else
                     "452 4.2.2 mailbox full" if one.startswith("full") else
                     "250 5.0.0 fine" if odd else
                     "250 2.0.0 " + thanks + "queued as SINK01")
        self.rcpts = []

    def command(self, line):
        verb = line.split(" ")[0].upper()
        self.hear(line)
        if verb in ("EHLO", "LHLO"):
            self.ehlo(verb)
        elif verb == "RCPT":
            self.rcpt(line)
        elif verb == "DATA":
            return self.data()
        elif verb == "STARTTLS" and (set.tls or set.cut):
            return self.starttls()
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        else:
            if verb in ("MAIL", "RSET"):
                self.rcpts = []
            self.say("250 2.0.0 ok")
        return True

    def handle(self):
        self.rcpts, self.lmtp, self.secure = [], False, False
        with lock:
            self.server.connections += 1
            self.number = self.server.connections
        self.say(set.greet)
        try:
            # not "for": the file changes with TLS
            while raw := self.rfile.readline():
                if not self.command(raw.decode("latin-1").rstrip("\r\n")):
                    return
        except ConnectionError:
            pass  # the other side may do so


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100
    connections = came = 0


if __name__ == "__main__":
    set = options.parse_args()
    if set.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*set.tls)
    met = threading.Event()
    host, _, port = set.listen.rpartition(":")
    Server((host or "127.0.0.1", int(port)), Session).serve_forever()
