#!/usr/bin/env python3
"""Play transcripts in which mtrk-track is the client: the servers are scripted.

    track.py BIN_DIR [FILE.t ...]

A transcript is a text file of one or more rounds:

    # a comment
    dns: NAME                   exists, at an address of its own
    dns: NAME srv PRIORITY WEIGHT PORT TARGET
    track: ARGUMENTS            begins a round: mtrk-track with these
    at NAME[:PORT]              what one connection to NAME (:1038) is like:
    S: text                     sent, with CRLF
    raw: text                   sent as it stands, with \\r \\n \\\\ \\xHH
    times N text                the same, N times over
    case: NAME                  what tests/cases/tstat/NAME.txt reads, and the dot
    answer: ENVID MTA RECIPIENT ACTION STATUS [REMOTE-MTA]   +OK+ and all that
    C: text                     the next line must match; * is any text
    C: <closed>                 the client closes
    C: <silent>                 nothing has come yet
    C: <waits N>                it is ready to wait N more seconds
    starttls NAME [self]        a TLS handshake with a certificate for NAME
    starttls NAME nobody        the same without any certificate
    starttls-fails NAME self    the same, but the client gives up
    exit: N                     mtrk-track's exit status
    out: text                   a line of its standard output, JSON in compact
                                form and UTF-8
    err: text                   a line of its standard error
    no-out: text   no-err: text no such line

The script's end closes the connection.  Every scripted connection must be
made, in order at each server, and no other.  All rounds share a wallet."""
import glob
import itertools
import json
import os
import re
import shlex
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from run import PATIENCE_S, Wrong, matches, unescape  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
NET = "127.%d.%d." % (64 + os.getpid() // 256 % 128, os.getpid() % 256)
A, SRV, NXDOMAIN = 1, 33, 3


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stderr=subprocess.DEVNULL)


class Names:
    """A name server for the transcript's own names."""

    addresses = itertools.count(1)

    def __init__(self):
        self.hosts, self.services = {}, {}
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def add(self, name):
        if name not in self.hosts:
            self.hosts[name] = NET + str(next(self.addresses))
        return self.hosts[name]

    def tell(self, text):
        name, *service = text.split()
        if not service:
            self.add(name)
        else:
            priority, weight, port, target = service[1:]
            self.services.setdefault("_mtqp._tcp." + name, []).append(
                struct.pack("!HHH", int(priority), int(weight), int(port))
                + encode(target))

    def find(self, name, kind):
        if kind == SRV:
            return self.services.get(name, [])
        if kind == A and name in self.hosts:
            return [socket.inet_aton(self.hosts[name])]
        return []

    def serve(self):
        while True:
            query, client = self.sock.recvfrom(4096)
            name, at = decode(query, 12)
            kind = struct.unpack("!H", query[at:at + 2])[0]
            data = self.find(name, kind)
            known = name in self.hosts or name in self.services
            answer = query[:2] + struct.pack(
                "!HHHHH", 0x8580 | (0 if known else NXDOMAIN), 1, len(data), 0,
                0) + query[12:at + 4]
            for d in data:
                answer += struct.pack("!HHHIH", 0xc00c, kind, 1, 60, len(d)) + d
            self.sock.sendto(answer, client)


def encode(name):
    labels = [x.encode() for x in name.split(".") if x]
    return b"".join(bytes([len(x)]) + x for x in labels) + b"\0"


def decode(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels).lower(), at + 1


class Authority:
    """Certificates, made when a script wants them."""

    def __init__(self, folder):
        self.dir, self.contexts = folder, {}
        self.cert, self.key = folder + "/ca.pem", folder + "/ca.key"
        openssl("req", "-x509", *self.new_key(self.key), "-days", "2",
                "-subj", "/CN=The CA", "-out", self.cert)

    @staticmethod
    def new_key(path):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", path)

    def context(self, name, alone):
        """`alone`: nobody vouches for it."""
        if (name, alone) not in self.contexts:
            path = "%s/%s%s" % (self.dir, name, ".self" if alone else "")
            signed = [] if alone else ["-CA", self.cert, "-CAkey", self.key]
            openssl("req", "-x509", *self.new_key(path + ".key"), "-days", "2",
                    "-subj", "/CN=" + name, "-out", path + ".pem", *signed,
                    "-addext", "subjectAltName=DNS:" + name)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path + ".pem", path + ".key")
            self.contexts[name, alone] = context
        return self.contexts[name, alone]


def anonymous():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    return context


def case(name):
    with open("%s/../cases/tstat/%s.txt" % (HERE, name), "rb") as f:
        text = f.read().split(b"====\n")[0].replace(b"\n", b"\r\n")
    return re.sub(rb"(?m)^\.", b"..", text) + b".\r\n"


def answer(envid, mta, recipient, action, status, remote=None):
    date = "Mon, 1 Jan 2001 15:15:15 -0500"
    if recipient == "unknown":  # as mtqpd answers for what it never saw
        date = "Thu, 1 Jan 1970 00:00:00 +0000"
    return "\r\n".join([
        "+OK+ Tracking information follows", "Content-Type: multipart/related; "
        'boundary=b; type="message/tracking-status"', "", "--b",
        "Content-Type: message/tracking-status", "",
        "Original-Envelope-Id: " + envid, "Reporting-MTA: dns; " + mta,
        "Arrival-Date: " + date, "", "Original-Recipient: rfc822; " + recipient,
        "Final-Recipient: rfc822; " + recipient, "Action: " + action,
        "Status: " + status, *(["Remote-MTA: dns; " + remote] if remote else []),
        "Last-Attempt-Date: " + date, "", "--b--", ".", ""])


class Peer:
    """The client, as one scripted connection sees it."""

    def __init__(self, sock, world):
        self.sock, self.world, self.have = sock, world, b""
        sock.settimeout(PATIENCE_S)

    def line(self):
        while b"\r\n" not in self.have:
            try:
                more = self.sock.recv(65536)
            except (ConnectionResetError, ssl.SSLError):
                more = b""
            if not more:
                if self.have:
                    raise Wrong("closed inside a line: %r" % self.have)
                return None
            self.have += more
        line, self.have = self.have.split(b"\r\n", 1)
        return line.decode("ascii")

    def is_silent(self):
        self.sock.settimeout(0.1)
        try:
            self.have += self.sock.recv(65536) or b"(closed)"
        except TimeoutError:
            pass
        self.sock.settimeout(PATIENCE_S)
        return not self.have

    def secure(self, name, kind=""):
        if self.have:
            raise Wrong("in clear before TLS: %r" % self.have)
        context = (anonymous() if kind == "nobody" else
                   self.world.authority.context(name, kind == "self"))
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def step(self, verb, text):
        if verb == "S:":
            self.sock.sendall(text.encode() + b"\r\n")
        elif verb == "raw:":
            self.sock.sendall(unescape(text))
        elif verb == "times":
            n, text = text.split(" ", 1)
            self.sock.sendall(unescape(text) * int(n))
        elif verb == "case:":
            self.sock.sendall(case(text))
        elif verb == "answer:":
            self.sock.sendall(answer(*text.split()).encode())
        elif verb == "C:" and text == "<silent>":
            if not self.is_silent():
                raise Wrong("got %r" % self.have)
        elif verb == "C:" and text.startswith("<waits "):
            wait_at_least(self.world, int(text[7:-1]))
        elif verb == "C:":
            line = self.line()
            if not matches(text, line):
                raise Wrong("got %r" % line)
        elif verb == "starttls":
            self.secure(*text.split())
        elif verb == "starttls-fails":
            try:
                self.secure(*text.split())
                self.sock.recv(1)  # TLS 1.3: the client's alert comes late
            except OSError:
                return
            raise Wrong("TLS is up")
        else:
            raise Wrong("no such step")


POLL = {"x86_64": 7}  # system calls' numbers; elsewhere poll(3) is ppoll(2)
PPOLL = 73  # asm-generic


def waiting_s(pid, task):
    """How long the poll(2) that a thread is in lasts; -1: it is in none."""
    with open("/proc/%d/task/%s/syscall" % (pid, task)) as f:
        words = f.read().split()
    if len(words) < 4:
        return -1
    call, left = int(words[0]), int(words[3], 16)
    if call == POLL.get(os.uname().machine):
        return left / 1000 if left < 1 << 31 else -1  # for ever: for us
    if call != PPOLL or os.uname().machine in POLL or left == 0:
        return -1
    with open("/proc/%d/mem" % pid, "rb") as f:
        f.seek(left)
        return struct.unpack("ll", f.read(16))[0]


def wait_at_least(world, seconds):
    """One of its threads waits, in poll(2)."""
    end, most = time.monotonic() + PATIENCE_S, -1
    while most < seconds:
        if time.monotonic() > end:
            raise Wrong("it waits %s s" % most)
        time.sleep(0.01)
        if world.process is None:
            continue  # it is there before Popen() has said so
        pid = world.process.pid
        try:
            most = max([most] + [waiting_s(pid, t) for t in
                                 os.listdir("/proc/%d/task" % pid)])
        except PermissionError as why:  # a container's seccomp
            print("can't look at what it waits for here:", why)
            return
        except FileNotFoundError:
            pass  # the thread has ended


class Place:
    """One address and port; each connection has its script."""

    def __init__(self, world, name, port):
        self.world, self.name, self.scripts, self.wrong = world, name, [], []
        self.sock = socket.create_server((world.names.add(name), port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            sock, _ = self.sock.accept()
            with sock:
                if not self.scripts:
                    self.wrong.append("%s: asked once more" % self.name)
                    continue
                self.play(Peer(sock, self.world), self.scripts.pop(0))

    def play(self, peer, steps):
        for number, verb, text in steps:
            try:
                peer.step(verb, text)
            except (Wrong, OSError) as why:
                self.wrong.append("line %d: %s %s: %s"
                                  % (number, verb, text, why))
                break
        peer.sock.close()
        self.world.played.release()


class World:
    """Everything that one transcript is played in."""

    def __init__(self, bin_dir, folder):
        self.bin, self.dir = bin_dir, folder
        self.names, self.places = Names(), {}
        self.authority = Authority(folder)
        self.played, self.process = threading.Semaphore(0), None
        self.lax = folder + "/openssl.cnf"  # a system that allows all there is
        with open(self.lax, "w") as f:
            f.write("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default"
                    " = c\n[c]\nCipherString = ALL:@SECLEVEL=0\n")

    def place(self, text):
        name, _, port = text.partition(":")
        if text not in self.places:
            self.places[text] = Place(self, name, int(port or 1038))
        return self.places[text]

    def run(self, text):
        args = shlex.split(text)
        if args[0] == "query":
            args[1:1] = ["--resolver", "127.0.0.1:%d" % self.names.port,
                         "--allow-private", "--ca", self.authority.cert]
        home = {"HOME": self.dir, "XDG_DATA_HOME": self.dir + "/data",
                "XDG_CONFIG_HOME": self.dir + "/config", "TZ": "UTC0",
                "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"],
                "OPENSSL_CONF": self.lax}
        self.process = None
        self.process = subprocess.Popen(
            [self.bin + "/mtrk-track", *args], env=home, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err


def plain(line):
    """JSON without its escapes and blanks, which are a matter of taste."""
    try:
        return json.dumps(json.loads(line), ensure_ascii=False,
                          separators=(",", ":"))
    except ValueError:
        return line


def check(steps, status, out, err):
    for number, verb, text in steps:
        lines = (out if verb in ("out:", "no-out:") else err).splitlines()
        found = any(matches(text, plain(x)) for x in lines)
        if verb == "exit:":
            found = status == int(text)
        if found == verb.startswith("no-"):
            raise Wrong("line %d: %s %s\nexit %d\n%s%s"
                        % (number, verb, text, status, out, err))


def play_round(world, command, scripts, checks):
    for place, steps in scripts:
        world.place(place).scripts.append(steps)
    status, out, err = world.run(command)
    for _ in scripts:
        if not world.played.acquire(timeout=PATIENCE_S):
            break
    said = "exit %d\n%s%s" % (status, out, err)
    for place in world.places.values():
        if place.wrong:
            raise Wrong("%s\n%s" % (place.wrong[0], said))
        if place.scripts:
            raise Wrong("%s was not asked\n%s" % (place.name, said))
    check(checks, status, out, err)


def read_transcript(path):
    """The names, and the rounds: command, scripts, checks."""
    names, rounds = [], []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            verb, _, text = line.rstrip("\n").partition(" ")
            if verb == "" or verb.startswith("#"):
                continue
            if verb == "dns:":
                names.append(text)
            elif verb == "track:":
                rounds.append((text, [], []))
            elif verb == "at":
                rounds[-1][1].append((text, []))
            elif re.fullmatch("(no-)?(out|err):|exit:", verb):
                rounds[-1][2].append((number, verb, text))
            else:
                rounds[-1][1][-1][1].append((number, verb, text))
    return names, rounds


def run_one(bin_dir, path):
    names, rounds = read_transcript(path)
    with tempfile.TemporaryDirectory(prefix="mtrk-track-") as folder:
        world = World(bin_dir, folder)
        for name in names:
            world.names.tell(name)
        for _, scripts, _ in rounds:
            for place, _ in scripts:
                world.names.add(place.partition(":")[0])
        try:
            for r in rounds:
                play_round(world, *r)
        except Wrong as why:
            return "WRONG " + str(why)
    return "ok"


def main(argv):
    if len(argv) < 2:
        raise SystemExit(__doc__)
    failed = 0
    for path in argv[2:] or sorted(glob.glob(HERE + "/track/*.t")):
        result = run_one(os.path.abspath(argv[1]), path)
        print("%-32s %s" % (os.path.basename(path)[:-2], result), flush=True)
        failed += result != "ok"
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
