#!/usr/bin/env python3
"""Play transcripts against the real mtqpd.

    run.py BIN_DIR [FILE.t ...]

A transcript is a text file:

    # a comment
    conf: Name value    a line for mtrk.conf (before everything else)
    C: text             sent, with CRLF
    raw: text           sent as it stands, with \\r \\n \\\\ \\xHH
    times N text        the same, N times over
    S: text             the next line must match; * is any text
    S: ...              any lines, up to one that matches the next S:
    S: <closed>         the server closes
    ends                the same, after whatever octets (a TLS alert)
    end-of-sending      half close
    starttls            TLS handshake
    starttls-fails      the same, but it must not succeed
    pause SECONDS

Each transcript has a server of its own; all share a store that the real
mtrk-milter and mtrk-collect have filled (see mail.py).  Those in slow/ wait
for deadlines and are not played unless named."""
import atexit
import glob
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
import fill  # noqa: E402
from mail import CERTIFIER, HANDED, MESSAGES, log_lines, tracked  # noqa: E402,F401

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 60  # sanitizers on a busy machine are slow

sys.path.append(HERE + "/../lab")
from ports import ports  # noqa: E402


def free_port():
    return ports(1)[0]


class House:
    """A folder with a filled store and a certificate."""

    def __init__(self, bin_dir, folder):
        self.bin, self.dir = bin_dir, folder
        self.cert, self.key = folder + "/cert.pem", folder + "/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.key,
             "-out", self.cert, "-days", "2", "-subj", "/CN=test", "-addext",
             "subjectAltName=DNS:mtqp.example.org,DNS:*.wild.example.org"],
            check=True, stderr=subprocess.DEVNULL)
        conf = self.conf("fill", ["MilterSocket local:%s/milter" % folder])
        fill.fill(bin_dir, conf, folder + "/milter", MESSAGES, log_lines)
        for envid, host in HANDED.items():
            if any("ENVID=" + envid in m[2] for m in MESSAGES):
                subprocess.run([os.path.dirname(bin_dir) + "/tests/hand",
                                folder + "/store", envid, host], check=True)

    def conf(self, name, lines, store=None):
        path = "%s/%s.conf" % (self.dir, name)
        with open(path, "w") as f:
            f.write("Store %s\n" % (store or self.dir + "/store"))
            for preset in ("LogTo stderr", "LogLevel debug",
                           "ReportingMTA mx.example.org"):
                word = preset.split(" ")[0] + " "
                if not any(x.startswith(word) for x in lines):
                    f.write(preset + "\n")
            f.write("".join(line + "\n" for line in lines))
        return path

    def with_tls(self):
        return ["TLSCertificate " + self.cert, "TLSKey " + self.key]


class Server:
    """One mtqpd on a port of its own."""

    def __init__(self, house, name, lines):
        self.port = free_port()
        lines = [x.replace("@CERT@", house.cert).replace("@KEY@", house.key)
                 for x in lines]
        self.conf = house.conf(name,
                               lines + ["Listen 127.0.0.1:%d" % self.port])
        self.log_path = "%s/%s.log" % (house.dir, name)
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(
                [house.bin + "/mtqpd", "-f", "-c", self.conf], stderr=log)
        atexit.register(self.process.kill)
        fill.until("mtqpd for " + name, self.up)

    def up(self):
        if self.process.poll() is not None:
            raise SystemExit(self.log() + "mtqpd did not start")
        return " event=start " in self.log()

    def log(self):
        with open(self.log_path) as f:
            return f.read()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(PATIENCE_S)
        if status != 0:
            print(self.log()[-4000:])
        return status


class Client:
    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.have = b""

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        """The next line without CRLF; None: closed."""
        while b"\n" not in self.have:
            try:
                more = self.sock.recv(65536)
            except (ConnectionResetError, ssl.SSLError):
                more = b""
            if not more:
                assert not self.have, "closed inside a line: %r" % self.have
                return None
            self.have += more
        line, self.have = self.have.split(b"\n", 1)
        # Q5: no line of any answer has more than 998 octets
        assert line.endswith(b"\r") and len(line) <= 999, line
        return line[:-1].decode("ascii")

    def drain(self):
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass

    def starttls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        assert not self.have, "octets in clear before TLS: %r" % self.have
        self.sock = context.wrap_socket(self.sock,
                                        server_hostname="mtqp.example.org")

    def close(self):
        self.sock.close()


def unescape(text):
    return re.sub(rb"\\(r|n|\\|x[0-9a-f]{2})",
                  lambda m: {b"r": b"\r", b"n": b"\n", b"\\": b"\\"}.get(
                      m[1], None) or bytes([int(m[1][1:], 16)]),
                  text.encode())


class Wrong(Exception):
    pass


def matches(pattern, line):
    if pattern == "<closed>" or line is None:
        return (pattern == "<closed>") == (line is None)
    parts = [re.escape(p) for p in pattern.split("*")]
    return re.fullmatch(".*".join(parts), line) is not None


def expect(client, pattern, skip):
    while True:
        line = client.line()
        if matches(pattern, line):
            return
        if not skip or line is None:
            raise Wrong("got %r" % line)


def play(client, steps):
    skip = False
    for number, verb, text in steps:
        try:
            if verb == "C:":
                client.send(text.encode() + b"\r\n")
            elif verb == "raw:":
                client.send(unescape(text))
            elif verb == "times":
                n, text = text.split(" ", 1)
                client.send(unescape(text) * int(n))
            elif verb == "S:" and text == "...":
                skip = True
            elif verb == "S:":
                expect(client, text, skip)
                skip = False
            elif verb == "ends":
                client.drain()
            elif verb == "end-of-sending":
                client.sock.shutdown(socket.SHUT_WR)
            elif verb == "starttls":
                client.starttls()
            elif verb == "starttls-fails":
                try:
                    client.starttls()
                except (OSError, AssertionError):
                    continue
                raise Wrong("TLS is up")
            elif verb == "pause":
                client.sock.settimeout(PATIENCE_S + float(text))
                time.sleep(float(text))
            else:
                raise Wrong("no such step")
        except (Wrong, OSError, AssertionError) as why:
            raise Wrong("line %d: %s %s: %s" % (number, verb, text, why))


def read_transcript(path):
    conf, steps = [], []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            verb, _, text = line.rstrip("\n").partition(" ")
            if verb == "" or verb.startswith("#"):
                continue
            if verb == "conf:":
                conf.append(text)
            else:
                steps.append((number, verb, text))
    return conf, steps


def run_one(house, path):
    name = os.path.basename(path)[:-2]
    conf, steps = read_transcript(path)
    server = Server(house, name, conf)
    client = Client(server.port)
    try:
        play(client, steps)
        result = "ok"
    except Wrong as why:
        result = "WRONG " + str(why)
    client.close()
    status = server.stop()
    log = server.log()
    if status != 0:
        result = "WRONG exit status %d" % status
    for secret in ("AAECAwQFBgcICQoLDA0ODw", "MDAwMDAwMDAwMDAwMDAwMg", CERTIFIER):
        if secret in log:
            result = "WRONG a secret is in the log"
    return name, result, log


def main(argv):
    if len(argv) < 2:
        raise SystemExit(__doc__)
    files = argv[2:] or sorted(glob.glob(HERE + "/*.t"))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mtqp-") as folder:
        house = House(os.path.abspath(argv[1]), folder)
        with ThreadPoolExecutor(8) as pool:
            for name, result, log in pool.map(
                    lambda f: run_one(house, f), files):
                print("%-32s %s" % (name, result), flush=True)
                if result.startswith("WRONG"):
                    failed += 1
                    print(log)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
