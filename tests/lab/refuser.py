#!/usr/bin/env python3
"""refuser.py PORT: a milter that refuses at the end whatever comes from a
sender that begins with "refuse", and at once a recipient that does, as a
filter behind ours may do.
"""
import socketserver
import struct
import sys


class Session(socketserver.StreamRequestHandler):
    def say(self, command, data=b""):
        self.wfile.write(struct.pack("!I", len(data) + 1) + command + data)

    def handle(self):
        refuse = False
        while len(head := self.rfile.read(4)) == 4:
            packet = self.rfile.read(struct.unpack("!I", head)[0])
            command, data = packet[:1], packet[1:]
            if command == b"O":
                self.say(b"O", struct.pack("!III", 6, 0, 0))
            elif command == b"M":
                refuse = data.startswith(b"<refuse")
                self.say(b"c")
            elif command == b"E" and refuse:
                self.say(b"y", b"554 5.7.1 not wanted\0")
            elif command == b"R" and data.startswith(b"<refuse"):
                self.say(b"y", b"550 5.7.1 not wanted\0")
            elif command == b"Q":
                return
            elif command not in b"DAK":
                self.say(b"c")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Session).serve_forever()
