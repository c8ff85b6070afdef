#!/usr/bin/env python3
"""answers.py PORT FILE: an MTQP server that answers every TRACK with the MIME
part in FILE, read anew each time, octet for octet.
"""
import socketserver
import sys


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"+OK/MTQP ready\r\n")
        for line in self.rfile:
            word = line.split()[:1]
            if word == [b"TRACK"]:
                with open(sys.argv[2], "rb") as f:
                    text = f.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                self.wfile.write(b"+OK+/MTQP\r\n" + text + b".\r\n")
            elif word == [b"QUIT"]:
                self.wfile.write(b"+OK/MTQP bye\r\n")
                return


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Session).serve_forever()
