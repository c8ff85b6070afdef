#!/usr/bin/env python3
"""answers.py [ADDRESS:]PORT FILE [MEET]: an MTQP server that answers every
TRACK with the MIME part in FILE, read anew each time, octet for octet, and
prints "asked".  With MEET, a folder, it answers only when as many servers as
the folder's file "wanted" says have been asked: who asks one after the other
gets no answer.
"""
import os
import socket
import socketserver
import sys
import time


def meet(folder):
    with open(folder + "/wanted") as f:
        wanted = int(f.read())
    with open(f"{folder}/asked.{os.getpid()}", "w"):
        pass
    end = time.monotonic() + 20
    while len([x for x in os.listdir(folder) if x.startswith("asked.")]) < wanted:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            self.talk()
        except ConnectionError:
            pass

    def talk(self):
        self.wfile.write(b"+OK/MTQP ready\r\n")
        for line in self.rfile:
            word = line.split()[:1]
            if word == [b"TRACK"]:
                print("asked", flush=True)
                if len(sys.argv) > 3 and not meet(sys.argv[3]):
                    self.wfile.write(b"-TEMP/MTQP/admin alone\r\n")
                    continue
                with open(sys.argv[2], "rb") as f:
                    text = f.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                self.wfile.write(b"+OK+/MTQP\r\n" + text + b".\r\n")
            elif word == [b"QUIT"]:
                self.wfile.write(b"+OK/MTQP bye\r\n")
                return


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


ADDRESS, _, PORT = sys.argv[1].rpartition(":")
if ":" in ADDRESS:
    Server.address_family = socket.AF_INET6
Server((ADDRESS or "127.0.0.1", int(PORT)), Session).serve_forever()
