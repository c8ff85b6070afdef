"""Fill a tracking store with the real programs: speak the milter protocol to
mtrk-milter as an MTA would, and give mtrk-collect a mail log."""
import os
import socket
import struct
import subprocess
import time

SMFIP_NR = {"C": 0x1000, "M": 0x4000, "R": 0x8000}  # no reply asked
SMFIP_NO = {"C": 0x1, "M": 0x4, "R": 0x8, "N": 0x40, "T": 0x200}


class Milter:
    """The MTA's side, version 6."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(path)
        self.packet("O", struct.pack("!III", 6, 0x1FF, 0x1FFFFF))
        kind, data = self.reply()
        assert kind == "O", kind
        self.steps = struct.unpack("!III", data[:12])[2]

    def packet(self, kind, data=b""):
        self.sock.sendall(struct.pack("!I", len(data) + 1) + kind.encode() + data)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            assert more, "the milter has hung up"
            data += more
        return data

    def reply(self):
        data = self.exactly(struct.unpack("!I", self.exactly(4))[0])
        return data[:1].decode(), data[1:]

    def step(self, kind, data=b""):
        if self.steps & SMFIP_NO.get(kind, 0):
            return
        self.packet(kind, data)
        if not self.steps & SMFIP_NR.get(kind, 0):
            answer, _ = self.reply()
            assert answer in "ca", "%s answered %r" % (kind, answer)

    def macros(self, kind, **values):
        text = "".join("%s\0%s\0" % (n if len(n) == 1 else "{%s}" % n, v)
                       for n, v in values.items())
        self.packet("D", (kind + text).encode())

    def message(self, qid, sender, mail_args, recipients):
        words = lambda *w: "".join(x + "\0" for x in w).encode()
        self.step("C", b"client.example\x004" + struct.pack("!H", 2525)
                  + b"192.0.2.7\0")
        self.step("M", words("<%s>" % sender, *mail_args))
        for address, args in recipients:
            self.step("R", words("<%s>" % address, *args))
        self.macros("N", i=qid, daemon_name="smtpd")
        self.packet("N")
        answer, _ = self.reply()
        assert answer == "a", answer

    def close(self):
        self.packet("Q")
        self.sock.close()


def until(what, test, seconds=60):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise SystemExit("still no " + what)
        time.sleep(0.02)


def listens(path):
    """A socket is there a moment before anybody listens on it."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def fill(bin_dir, conf, socket_path, messages, log_lines):
    """`messages` are the arguments of Milter.message(); log_lines() tells what
    happened after they came."""
    milter = subprocess.Popen([bin_dir + "/mtrk-milter", "-f", "-c", conf])
    try:
        until("milter socket", lambda: listens(socket_path))
        for m in messages:
            client = Milter(socket_path)
            client.message(*m)
            client.close()
    finally:
        milter.kill()  # what was answered is durable
        milter.wait()
    subprocess.run([bin_dir + "/mtrk-collect", "--once", "-c", conf, "-"],
                   input="".join(line + "\n" for line in log_lines()),
                   text=True, check=True, timeout=60)
