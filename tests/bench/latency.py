#!/usr/bin/env python3
"""latency.py BIN DIR -- from the MTA writing a line to MTQP answering it, at
500 lines a second; the median and the 99th percentile of every tenth line."""
import os
import socket
import subprocess
import sys
import time

BIN, DIR = sys.argv[1:]
MESSAGES, RATE, EVERY = 4000, 500, 10
SECRET = "AAECAwQFBgcICQoLDA0ODw=="


class Mtqp:
    def __init__(self, port):
        end = time.time() + 10
        while True:
            try:
                self.s = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                assert time.time() < end, "mtqpd does not listen"
                time.sleep(0.02)
        self.f = self.s.makefile("rb")
        self.reply()

    def reply(self):
        """A status line, and what follows it up to a dot."""
        first = self.f.readline()
        text = first
        if first.startswith(b"+OK+"):
            while not text.endswith(b"\r\n.\r\n"):
                text += self.f.readline()
        return text

    def relayed(self, envid):
        self.s.sendall(("TRACK %s %s\r\n" % (envid, SECRET)).encode())
        return b"relayed" in self.reply()


def main():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    store, source = os.path.join(DIR, "live"), os.path.join(DIR, "source")
    log, conf = os.path.join(DIR, "live.log"), os.path.join(DIR, "live.conf")
    subprocess.run([BIN + "/log_maker", store, source, str(MESSAGES),
                    str(int(time.time()) - 3600)], check=True)
    with open(conf, "w") as f:
        f.write("Store %s\nMailLog %s\nListen 127.0.0.1:%d\nLogTo stderr\n"
                "LogLevel err\nReportingMTA mx.test\n" % (store, log, port))
    out = open(log, "ab", buffering=0)
    programs = [subprocess.Popen([BIN + "/" + name, "-c", conf, "-f"],
                                 stderr=subprocess.DEVNULL)
                for name in ("mtrk-collect", "mtqpd")]
    try:
        mtqp = Mtqp(port)
        with open(source, "rb") as f:
            lines = [l for l in f if b"status=sent" in l][:MESSAGES]
        took, begin = [], time.monotonic()
        n = 0
        while n < len(lines):
            if n >= (time.monotonic() - begin) * RATE:
                time.sleep(0.0005)
                continue
            out.write(lines[n])
            n += 1
            if n % EVERY:
                continue
            at, envid = time.monotonic(), "%d@maker.test" % (n - 1)
            while not mtqp.relayed(envid):
                assert time.monotonic() < at + 10, "no answer"
                while n < len(lines) and n < (time.monotonic() - begin) * RATE:
                    out.write(lines[n])
                    n += 1
                time.sleep(0.001)
            took.append((time.monotonic() - at) * 1000)
        took.sort()
        row = "%-52s %9.1f ms  (< %d)"
        print(row % ("line written to answer, 500 lines/s: median",
                     took[len(took) // 2], 50))
        print(row % ("99th percentile", took[len(took) * 99 // 100], 250))
    finally:
        for p in programs:
            p.terminate()
            p.wait()


main()
