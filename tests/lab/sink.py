#!/usr/bin/env python3
"""sink.py [ADDRESS:]PORT [FILE]: the next hop that a test needs, without MTRK.

A recipient whose local part begins with "defer" gets 451, with "bounce" or
"soft" 550, any other 250; one that begins with "late" gets the message
refused after DATA.  Over LMTP, which it speaks too, that is said of each
recipient, and "full" is told 452 then.  Each message taken appends a line to FILE: its X-Number
header or "-", a blank, its recipients.  Listens on 127.0.0.1 if not told
otherwise.
"""
import socketserver
import sys
import threading

lock = threading.Lock()


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def rcpt(self, line):
        local = line.split("<", 1)[-1]
        if local.startswith("defer"):
            self.say("451 4.7.1 try again later")
        elif local.startswith("bounce"):
            self.say("550 5.1.1 no such user")
        elif local.startswith("soft"):
            self.say("550 5.1.1 soft refusal")
        else:
            self.rcpts.append(local.split(">")[0])
            self.say("250 2.1.5 ok")

    def data(self):
        self.say("354 go on")
        number, head = "-", True
        for raw in self.rfile:
            line = raw.rstrip(b"\r\n")
            if line == b".":
                break
            head = head and line != b""
            if head and line.lower().startswith(b"x-number:"):
                number = line.split(b":", 1)[1].strip().decode()
        if self.server.record:
            with lock, open(self.server.record, "a") as out:
                out.write(number + " " + ",".join(self.rcpts) + "\n")
        late = [r for r in self.rcpts if r.startswith("late")]
        for one in self.rcpts if self.lmtp else ["".join(late[:1])]:
            self.say("554 5.6.0 content refused" if one.startswith("late") else
                     "452 4.2.2 mailbox full" if one.startswith("full") else
                     "250 2.0.0 Ok: queued as SINK01")
        self.rcpts = []

    def handle(self):
        self.rcpts, self.lmtp = [], False
        self.say("220 sink.test ESMTP")
        for raw in self.rfile:
            line = raw.decode("latin-1").rstrip("\r\n")
            verb = line[:4].upper()
            if verb in ("EHLO", "LHLO"):
                self.lmtp = verb == "LHLO"
                self.say("250-sink.test\r\n250-PIPELINING\r\n250 DSN")
            elif verb == "RCPT":
                self.rcpt(line)
            elif verb == "DATA":
                self.data()
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                if verb in ("MAIL", "RSET"):
                    self.rcpts = []
                self.say("250 2.0.0 ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    server = Server((host or "127.0.0.1", int(port)), Session)
    server.record = sys.argv[2] if len(sys.argv) > 2 else None
    server.serve_forever()
