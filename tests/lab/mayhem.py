#!/usr/bin/env python3
"""mayhem.py -- a storm: senders under load while what stands in the mail's way
is killed at random, and an account of every message.  Started by
tests/e2e/gate-killed*.sh with

	--lab DIR	where it all lives
	--mta postfix|sendmail, --start, --flush	commands for a shell
	--ours NAME:PORT:PROGRAM	one of ours, and where it is reachable
	--to PORT[:HOW]	for the senders, as in kill.py
	--mta-port PORT, --sink PORT	Sendmail's, and where it hands its mail on
	--seconds N, --seed N
	KIND...		what is killed; "stop": the gate, by SIGTERM

All that is started here stays below this process, even when its parent is
killed, so that nothing else on this machine is meant.
"""
import argparse, ctypes, glob, hashlib, os, random, re, signal, socket
import socketserver, stat, subprocess, sys, threading, time

import account, kill

PR_SET_CHILD_SUBREAPER = 36
ANSWERED_MIN = 50  # messages, for a storm that says something
HELD = re.compile(r"/(?:active|incoming|deferred)/(?:\w/)*(\w+)$|/queue/[dqtx]f(\w+)$")


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def processes():
    """Those below us: pid -> name."""
    parent, name = {}, {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        pid, _, rest = read(path).partition(" (")
        comm, _, rest = rest.rpartition(") ")
        if rest and rest[0] != "Z":
            parent[int(pid)], name[int(pid)] = int(rest.split()[1]), comm
    below, found = {os.getpid()}, True
    while found:
        found = {p for p in parent if parent[p] in below} - below
        below |= found
    return {p: name[p] for p in below if p in name and p != os.getpid()}


def held(pid):
    """The queue ids of the queue files that it has open."""
    ids = set()
    for fd in glob.glob("/proc/%d/fd/*" % pid):
        try:
            match = HELD.search(os.readlink(fd))
        except OSError:
            continue
        if match:
            ids.add(match[1] or match[2])
    return ids


def signal_all(pids, sig):
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


def wait_for(what, seconds, condition):
    end = time.time() + seconds
    while not condition():
        if time.time() > end:
            sys.exit("mayhem: %s takes more than %d s" % (what, seconds))
        time.sleep(0.02)


def reachable(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Ours:
    """mtrk-gate, mtrk-milter, mtrk-collect."""

    def __init__(self, lab, text):
        self.name, port, self.program = text.split(":")
        self.port, self.lab = int(port), lab
        self.start()

    def start(self):
        with open("%s/%s.log" % (self.lab, self.name), "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", self.lab + "/mtrk.conf", "-f"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if self.port:
            wait_for(self.name, 20, lambda: reachable(self.port))

    def kill(self, kind):
        done = [account.Kill(time.time(), kind, self.process.pid, set())]
        if kind == account.STOP:
            return done + self.stop()
        self.process.kill()
        self.process.wait()
        return done

    def stop(self):
        """Who has conversations in hand ends when they do."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            return self.kill(self.name)
        return []


class Mta:
    """Its processes, and how it is started again."""

    def __init__(self, options):
        self.options = options
        self.start()

    def shell(self, command):
        return subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def all(self):
        there = processes()
        return [p for p in there if there[p] in self.names]

    def victims(self, kind):
        there = processes()
        named = [p for p in there if there[p] == kind]
        return random.sample(named, random.randint(1, len(named))) if named else []

    def kill_these(self, kind, pids):
        """Stopped first, so that what each has in hand is known."""
        signal_all(pids, signal.SIGSTOP)
        now = time.time()
        done = [account.Kill(now, kind, p, held(p)) for p in pids]
        signal_all(pids, signal.SIGKILL)
        return done

    def kill(self, kind):
        if kind != "crash":
            return self.kill_these(kind, self.victims(kind))
        done = self.kill_these(kind, self.all())
        self.start()
        return done

    def calm(self, what, done, progress):
        """Until it is done.  Postfix's master may wait for ever to log to a
        postlogd that waits for it to be started: it is killed then."""
        kills, end, seen = [], time.time() + 120, None
        while not done():
            if progress() != seen:
                seen, moved = progress(), time.time()
            if time.time() - moved > 6:
                kills += self.kill("crash")
                moved = time.time()
            if time.time() > end:
                sys.exit("mayhem: %s takes too long" % what)
            time.sleep(0.05)
        return kills

    def drain(self):
        def empty():
            """Looked at twice: a file may be on its way between two folders."""
            self.shell(self.options.flush)
            return not (self.queued() or time.sleep(0.5) or self.queued())
        return self.calm("the queue", empty, self.queued)

    def files(self, pattern, mode):
        """Those with any of these mode bits."""
        for path in glob.glob("%s/%s" % (self.options.lab, pattern), recursive=True):
            try:
                st = os.stat(path)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(st.st_mode) and st.st_mode & mode:
                yield path


class Postfix(Mta):
    names = {"master", "smtpd", "cleanup", "qmgr", "pickup", "local", "trivial-rewrite",
             "proxymap", "anvil", "bounce", "postlogd", "tlsmgr", "error", "scache", "showq"}

    def queued(self):
        """Executable are those that were written to their end."""
        return list(self.files("postfix/queue/[iad]*/**", 0o100))

    def start(self):
        wait_for("postfix start", 30, lambda: self.shell(self.options.start).returncode == 0)

    def kill(self, kind):
        if kind == "qmgr":
            return self.kill_qmgr()
        done = super().kill(kind)
        if kind == "master":  # its children work on for a while
            time.sleep(random.random() / 2)
            done += self.kill_these(kind, self.all())
            self.start()
        return done

    def kill_qmgr(self):
        """A new one may hand on what is still in an old one's agents' hands."""
        there = processes()
        agents = [p for p in there if there[p] == "local"]
        signal_all(agents, signal.SIGSTOP)
        in_hand = set().union(*map(held, agents))
        done = [k._replace(ids=k.ids | in_hand) for k in super().kill("qmgr")]
        signal_all(agents, signal.SIGCONT)
        return done

    def with_log(self, kills):
        """And what the log says that each had in hand."""
        written = {}
        for pid, queue_id in re.findall(r"/cleanup\[(\d+)\]: (\w+): message-id=",
                                        read(self.options.lab + "/postfix/log/maillog")):
            written.setdefault(int(pid), set()).add(queue_id)
        return [k._replace(ids=k.ids | written.get(k.pid, set())) for k in kills]

    def arrived(self):
        for path in self.files("postfix/mail/games/new/*", 0o400):
            with open(path, "rb") as f:
                text = f.read().replace(b"\n", b"\r\n")
            # SECONDS.VdeviceIinodeMmicroseconds.HOST: when delivery began
            at = re.match(r"(\d+)\.V\w+M(\d+)\.", os.path.basename(path))
            yield arrival(text, int(at[1]) + int(at[2]) / 1e6)


class NextHop(socketserver.StreamRequestHandler):
    """Takes all, and keeps what it needs to know of a message."""

    def data(self):
        began, lines = time.time(), []
        self.wfile.write(b"354 go on\r\n")
        for raw in self.rfile:
            if raw == b".\r\n":
                self.server.arrived.append(arrival(b"".join(lines), began))
                self.wfile.write(b"250 2.0.0 taken\r\n")
                return
            lines.append(raw)

    def handle(self):
        try:
            self.wfile.write(b"220 next.test ESMTP\r\n")
            for raw in self.rfile:
                if raw.upper() == b"DATA\r\n":
                    self.data()
                else:
                    self.wfile.write(b"250 2.0.0 ok\r\n")
        except ConnectionError:
            pass  # it was killed


class Taking(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 100
    arrived = []


class Sendmail(Mta):
    names = {"sendmail"}

    def queued(self):
        """One whose writer was killed lacks its last line, and is let lie."""
        return [f for f in self.files("sendmail/queue/qf*", 0o400) if read(f).endswith("\n.\n")]

    def __init__(self, options):
        self.next_hop = Taking(("127.0.0.1", options.sink), NextHop)
        threading.Thread(target=self.next_hop.serve_forever, daemon=True).start()
        super().__init__(options)

    def start(self):
        subprocess.Popen(["bash", "-c", self.options.start], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("sendmail", 30, lambda: reachable(self.options.mta_port))

    def with_log(self, kills):
        return kills

    def arrived(self):
        return self.next_hop.arrived


def arrival(text, at):
    head, _, body = text.partition(b"\r\n\r\n")

    def field(pattern):
        match = re.search(pattern, head, re.M)
        return match[1].decode() if match else "?"
    whole = hashlib.md5(body).hexdigest() == field(rb"^X-Sum: (\S+)")
    return account.Arrival(field(rb"^X-Number: (\S+)"), at, field(rb"\bid (\w+)"), whole)


def read_options():
    p = argparse.ArgumentParser()
    for name in "lab", "start", "flush":
        p.add_argument("--" + name, required=True)
    p.add_argument("--mta", choices=("postfix", "sendmail"), required=True)
    p.add_argument("--ours", action="append", default=[])
    p.add_argument("--to", action="append", required=True)
    for name in "sink", "mta-port", "seed":
        p.add_argument("--" + name, type=int, default=0)
    p.add_argument("--seconds", type=float, required=True)
    p.add_argument("kinds", nargs="+")
    return p.parse_args()


def storm(options, ours, mta, senders):
    """Kinds take turns in an order that the seed shuffles; longer where the
    machine is so slow that it would say nothing."""
    kills, turn, end = [], [], time.time() + options.seconds

    def is_poor():
        return set(options.kinds) - {k.kind for k in kills} or senders.answered() < ANSWERED_MIN
    while time.time() < end or (is_poor() and time.time() < end + 60):
        time.sleep(random.random() * 0.3)
        turn = turn or random.sample(options.kinds, len(options.kinds))
        kind = turn.pop()
        mine = ours.get("gate" if kind == account.STOP else kind)
        if mine:
            kills += mine.kill(kind)
            mine.start()
        else:
            kills += mta.kill(kind)
    return kills


def main():
    options = read_options()
    random.seed(options.seed)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    mta = {"postfix": Postfix, "sendmail": Sendmail}[options.mta](options)
    ours = [Ours(options.lab, text) for text in options.ours]
    senders = kill.Senders(8, options.to)
    kills = storm(options, {o.name: o for o in ours}, mta, senders)
    kills += mta.calm("the last message", senders.stop, senders.fates)
    kills += mta.drain()
    [o.stop() for o in ours]
    result = account.Account(senders.attempts, mta.arrived(), mta.with_log(kills))
    print("seed %d, %s" % (options.seed, result.text()))
    missed = set(options.kinds) - {k.kind for k in kills}
    if missed:
        print("never killed:", *missed)
    sys.exit(bool(result.faults or missed) or result.counts["yes"] < ANSWERED_MIN)


main()
