#!/usr/bin/env python3
"""passwords.py PORT -- who may log in, for Postfix (smtpd_sasl_type = dovecot):
Dovecot's authentication protocol 1.1, PLAIN and LOGIN; joe's is "right"."""
import base64, socketserver, sys


class Session(socketserver.StreamRequestHandler):
    def say(self, *words):
        self.wfile.write("\t".join(words).encode() + b"\n")

    def verdict(self, number, user, password):
        if (user, password) == (b"joe", b"right"):
            self.say("OK", number, "user=joe")
        else:
            self.say("FAIL", number, "user=" + user.decode("latin1"))

    def handle(self):
        for words in (("VERSION", "1", "1"), ("MECH", "PLAIN", "plaintext"),
                      ("MECH", "LOGIN", "plaintext"), ("SPID", "1"), ("CUID", "1"),
                      ("COOKIE", "00"), ("DONE",)):
            self.say(*words)
        asked = {}
        for line in self.rfile:
            words = line.decode().rstrip("\n").split("\t")
            if words[0] not in ("AUTH", "CONT"):
                continue
            number = words[1]
            if words[0] == "AUTH":
                asked[number] = [words[2].upper()]
            said = next((w[5:] for w in words if w.startswith("resp=")), None) \
                if words[0] == "AUTH" else words[2]
            try:
                if said is not None:
                    asked[number].append(base64.b64decode(said, validate=True))
            except ValueError:
                self.say("FAIL", number, "reason=bad base64")
                continue
            mechanism, got = asked[number][0], asked[number][1:]
            if mechanism == "PLAIN" and got:
                self.verdict(number, *(got[0].split(b"\0") + [b"", b"", b""])[1:3])
            elif mechanism == "LOGIN" and len(got) > 1:
                self.verdict(number, got[0], got[1])
            else:
                self.say("CONT", number, base64.b64encode(
                    b"" if mechanism == "PLAIN" else (b"User:", b"Pass:")[len(got)]).decode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

Server(("127.0.0.1", int(sys.argv[1])), Session).serve_forever()
