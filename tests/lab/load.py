#!/usr/bin/env python3
"""load.py PORT COUNT SESSIONS FILE [DOMAIN]: tracked messages, many at once.

Each session keeps its connection for 10 messages (Postfix gives a milter up
for the rest of a connection) and reconnects when it is lost.  Every message has its own ENVID and secret; what was answered 250 behind the last
dot appends "number envid secret" to FILE.  Sends to 127.0.0.1 only.
"""
import base64
import hashlib
import os
import socket
import sys
import threading
import time

port, count, sessions, path = (int(sys.argv[1]), int(sys.argv[2]),
                               int(sys.argv[3]), sys.argv[4])
domain = sys.argv[5] if len(sys.argv) > 5 else "far.test"
lock = threading.Lock()
numbers = iter(range(1, count + 1))
out = open(path, "a", buffering=1)


class Session:
    def __init__(self):
        self.sock = socket.create_connection(("127.0.0.1", port), 60)
        self.file = self.sock.makefile("rwb")
        self.reply()
        self.command("EHLO load.test")

    def reply(self):
        while True:
            line = self.file.readline()
            if not line:
                raise OSError("closed")
            if line[3:4] != b"-":
                return line

    def command(self, text):
        self.file.write(text.encode() + b"\r\n")
        self.file.flush()
        return self.reply()

    def message(self, number):
        secret = os.urandom(16)
        certifier = base64.b64encode(
            hashlib.sha1(secret).digest()).decode().rstrip("=")
        envid = "%d-%s@load.test" % (number, os.urandom(4).hex())
        for text in ("MAIL FROM:<s@load.test> ENVID=%s MTRK=%s:86400"
                     % (envid, certifier), "RCPT TO:<r%d@%s>"
                     % (number, domain), "DATA"):
            if self.command(text)[:1] not in b"23":
                self.command("RSET")
                return False
        if self.command("X-Number: %d\r\nSubject: load\r\n\r\n%s\r\n."
                        % (number, "x" * 200))[:1] != b"2":
            return False
        with lock:
            out.write("%d %s %s\n" % (
                number, envid, base64.b64encode(secret).decode()))
        return True


def work():
    session, sent = None, 0
    while True:
        sent += 1
        if sent % 10 == 0:
            session = None
        with lock:
            number = next(numbers, None)
        if number is None:
            return
        for _ in range(3):
            try:
                session = session or Session()
                if session.message(number):
                    break
            except OSError:
                session = None
                time.sleep(0.05)


threads = [threading.Thread(target=work) for _ in range(sessions)]
for t in threads:
    t.start()
for t in threads:
    t.join()
