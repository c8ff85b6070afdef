#!/usr/bin/env python3
"""storm.py BIN rotations|kills N [SEED] -- a log that is written under the
eyes of mtrk-collect while it is rotated in every way N times each, or while
mtrk-collect is killed N times; what the store holds in the end must be what
one undisturbed reading of the same lines gives."""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

KEPT = 1000  # old files: more than there will be, so that none is lost unread
# s: files that were changed within one tick of the filesystem's clock (4 ms, or
# what the kernel was built with) have no order
TICK = 1.5 * time.clock_getres(5)  # CLOCK_REALTIME_COARSE


class Log:
    """A log as an MTA writes it, and what rotates it."""

    def __init__(self, path, lines):
        self.path, self.lines, self.at = path, lines, 0
        self.out = open(path, "ab", buffering=0)

    def write(self, n, out=None):
        text = b"".join(self.lines[self.at:self.at + n])
        self.at += n
        # now and then a line comes in two parts
        cut = random.randrange(len(text)) if text and random.random() < 0.3 else 0
        (out or self.out).write(text[:cut])
        (out or self.out).write(text[cut:])

    def old(self, n):
        plain = "%s.%d" % (self.path, n)
        return plain + ".gz" if os.path.exists(plain + ".gz") else plain

    def shift(self):
        for n in range(KEPT, 0, -1):
            name = self.old(n)
            if not os.path.exists(name):
                continue
            if n == KEPT:
                os.unlink(name)
            else:
                os.rename(name, name.replace("%s.%d" % (self.path, n),
                                             "%s.%d" % (self.path, n + 1)))

    def reopen(self):
        self.out.close()
        self.out = open(self.path, "ab", buffering=0)

    def renamed(self):
        self.shift()
        os.rename(self.path, self.path + ".1")
        self.write(random.randrange(3))  # before the MTA is told
        self.reopen()

    def story(self):
        """Lines until no message is between two of its own."""
        for n, line in enumerate(self.lines[self.at + 1:], 1):
            if b"/smtpd" in line and b": removed" in self.lines[self.at + n - 1]:
                return n
        return len(self.lines) - self.at

    def renamed_with_a_late_writer(self):
        """Whole stories, as their order is not kept."""
        self.write(self.story())
        late = os.fdopen(os.dup(self.out.fileno()), "ab", buffering=0)
        self.shift()
        os.rename(self.path, self.path + ".1")
        self.reopen()
        self.write(self.story())
        time.sleep(TICK)
        self.write(self.story(), late)
        late.close()

    def copied_and_truncated(self):
        self.shift()
        shutil.copyfile(self.path, self.path + ".1")
        time.sleep(TICK)
        os.truncate(self.path, 0)
        if random.random() < 0.5:  # it grows past the old place at once
            self.write(60)

    def compressed(self):
        self.renamed()
        if random.random() < 0.5:
            self.write(5)
        subprocess.run(["gzip", self.path + ".1"], check=True)

    def compressed_late(self):
        self.renamed()
        name = self.old(2)
        if os.path.exists(name) and not name.endswith(".gz"):
            subprocess.run(["gzip", name], check=True)

    ALWAYS = [renamed, copied_and_truncated, compressed, compressed_late]


class Lab:
    def __init__(self, bin_dir, messages):
        self.bin, self.messages = bin_dir, messages
        self.dir = tempfile.mkdtemp(prefix="mtrk-storm-")
        self.collector = None
        base = int(time.time()) - messages
        self.run("log_maker", self.path("store"), self.path("source"),
                 str(messages), str(base))
        shutil.copytree(self.path("store"), self.path("calm"))
        os.mkdir(self.path("log"))
        for store in "store", "calm":
            with open(self.path(store + ".conf"), "w") as f:
                f.write("Store %s\nMailLog %s\nLogTo stderr\nLogLevel err\n"
                        % (self.path(store), self.path("log/mail.log")))

    def path(self, name):
        return os.path.join(self.dir, name)

    def run(self, program, *args):
        return subprocess.run([os.path.join(self.bin, program), *args],
                              check=True, stdout=subprocess.PIPE).stdout

    def dump(self, store):
        return self.run("mtrk-dump", "-c", self.path(store + ".conf"), "--json")

    def start(self):
        self.collector = subprocess.Popen(
            [os.path.join(self.bin, "mtrk-collect"), "-c",
             self.path("store.conf"), "-f"])

    def stop(self, sig):
        self.collector.send_signal(sig)
        status = self.collector.wait(timeout=60)
        assert status == (0 if sig == signal.SIGTERM else -sig), status
        self.collector = None

    def sleeps(self):
        """How often it has gone to sleep, while it does; else None."""
        with open("/proc/%d/status" % self.collector.pid) as f:
            of = dict(line.split(":", 1) for line in f)
        return of["voluntary_ctxt_switches"] if "S" in of["State"] else None

    def is_open(self, path):
        """Does mtrk-collect follow the file that has this name now?  It opens
        others for a moment, to see what they are, but sleeps with none."""
        slept = self.sleeps()
        there = os.stat(path)
        fds = "/proc/%d/fd" % self.collector.pid
        for fd in os.listdir(fds):
            try:
                st = os.stat(os.path.join(fds, fd))
            except OSError:
                continue
            if (st.st_dev, st.st_ino) == (there.st_dev, there.st_ino):
                return slept is not None and slept == self.sleeps()
        return False

    def removed(self, log):
        """Who removes a log takes what nobody has opened with it."""
        end = time.time() + 30
        while not self.is_open(log.path):
            assert time.time() < end, "the new log is not opened"
            time.sleep(0.002)
        log.write(5)
        os.unlink(log.path)
        log.reopen()

    def lines(self):
        with open(self.path("source"), "rb") as f:
            return f.readlines()


def rotations(lab, n):
    log = Log(lab.path("log/mail.log"), lab.lines())
    kinds = [lambda k=k: k(log) for k in Log.ALWAYS]
    kinds += [lambda: log.renamed_with_a_late_writer(), lambda: lab.removed(log)]
    todo = kinds * n
    random.shuffle(todo)
    each = max(len(log.lines) // (len(todo) + 1) - 40, 10)
    lab.start()
    for kind in todo:
        log.write(random.randrange(2 * each))
        kind()
        time.sleep(TICK + random.random() * 0.06)
    log.write(len(log.lines))
    lab.stop(signal.SIGTERM)
    return len(todo)


def kills(lab, n):
    log = Log(lab.path("log/mail.log"), lab.lines())
    each = max(len(log.lines) // n, 4)
    for _ in range(n):
        lab.start()
        for _ in range(random.randrange(1, 4)):
            log.write(random.randrange(each))
            if random.random() < 0.15:
                random.choice(Log.ALWAYS)(log)
                time.sleep(TICK)
            time.sleep(random.random() * 0.02)
        lab.stop(signal.SIGKILL)
    log.write(len(log.lines))
    return n


def main():
    bin_dir, what, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 32)
    print("seed", seed)
    random.seed(seed)
    lab = Lab(bin_dir, 20 * n if what == "kills" else 160 * n)
    try:
        lab.run("mtrk-collect", "-c", lab.path("calm.conf"), "--once",
                lab.path("source"))
        done = {"rotations": rotations, "kills": kills}[what](lab, n)
        lab.run("mtrk-collect", "-c", lab.path("store.conf"), "--once")
        calm, stormy = lab.dump("calm"), lab.dump("store")
        assert calm.count(b'"relayed"') >= lab.messages, "the lines say nothing"
        if calm != stormy:
            print("in", lab.dir, "calm and store differ", file=sys.stderr)
            lab.dir = None
            sys.exit(1)
        print("%d %s of %d lines: ok" % (done, what, len(lab.lines())))
    finally:
        if lab.collector is not None:
            lab.collector.kill()
            lab.collector.wait()
        if lab.dir is not None:
            shutil.rmtree(lab.dir)


main()
