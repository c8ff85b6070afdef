"""kill.py -- senders that send one numbered message after another, whatever
happens to the server.  As any MTA does, they send a message again, as another
attempt, until it is answered 250.  An attempt, "NUMBER.ATTEMPT", has a fate:
"yes" (250), "no" (another answer behind the last dot), "lost" (no answer
behind it) or "unsent" (no last dot was sent).  Every second sender uses BDAT
where it is offered, pipelined as it may be, the others DATA.
"""
import hashlib, random, smtplib, ssl, threading, time

from account import Attempt

CERT = "VheLhqV/rCKJmplkGFwsyW59pYk"
mayhem = (OSError, smtplib.SMTPException)


def content(n, attempt):
    dice = random.Random(n)
    body = "".join("%s\r\n" % ("%x" % dice.getrandbits(280))
                   for _ in range(dice.choice((1, 20, 20, 400))))
    return ("Subject: kill\r\nX-Number: %d.%d\r\nX-Sum: %s\r\n\r\n%s"
            % (n, attempt, hashlib.md5(body.encode()).hexdigest(), body)).encode()


class Refused(Exception):
    pass


class Sending:
    def __init__(self, n, attempt, chunking, how):
        self.name, self.fate, self.said = "%d.%d" % (n, attempt), "unsent", "-"
        mark = "" if how == "plain" else " MTRK=%s:86400" % CERT
        self.commands = ["MAIL FROM:<k@h.test> ENVID=k%s@h.test%s" %
                         (self.name, mark), "RCPT TO:<games@lab.test>"]
        self.content, self.chunking = content(n, attempt), chunking
        self.started = time.time()

    def answer(self, s, want):
        code, text = s.getreply()
        self.said = "%d %s" % (code, text.decode("latin-1").split("\n")[0])
        if code != want:
            raise Refused

    def data(self, s):
        for command in self.commands:
            s.putcmd(command)
            self.answer(s, 250)
        s.putcmd("DATA")
        self.answer(s, 354)
        self.fate = "lost"
        s.send(self.content + b".\r\n")

    def bdat(self, s):
        all = "\r\n".join(self.commands + ["BDAT %d LAST\r\n" % len(self.content)])
        self.fate = "lost"
        s.send(all.encode() + self.content)
        codes = [s.getreply()[0] for _ in self.commands]
        if codes != [250, 250]:
            self.answer(s, 0)

    def send(self, s):
        try:
            s.ehlo_or_helo_if_needed()
            (self.bdat if self.chunking and s.has_extn("chunking") else self.data)(s)
            self.answer(s, 250)
            self.fate = "yes"
        except Refused:
            if self.fate == "lost":
                self.fate = "no"
            s.close()
        except mayhem:
            s.close()


def connected(port, how):
    try:
        if how == "tls":
            trusting = ssl._create_unverified_context()
            return smtplib.SMTP_SSL("127.0.0.1", port, "k.test", timeout=60,
                                    context=trusting)
        return smtplib.SMTP("127.0.0.1", port, "k.test", timeout=60)
    except mayhem:
        time.sleep(0.05)
        return None


class Senders:
    """How: "PORT", or "PORT:tls" from the first octet, or "PORT:plain"
    without MTRK."""

    def __init__(self, n, to):
        self.stopping, self.attempts = False, {}
        self.lock, self.numbers = threading.Lock(), iter(range(1, 10**9))
        self.threads = [threading.Thread(target=self.send, args=(to[i // 2 % len(to)], i % 2))
                        for i in range(n)]
        [t.start() for t in self.threads]

    def send(self, to, chunking):
        s, port, how = None, *(to + ":").split(":")[:2]
        while not self.stopping:
            with self.lock:
                n = next(self.numbers)
            for attempt in range(1, 10**6):
                while s is None or s.sock is None:
                    s = connected(int(port), how)
                one = Sending(n, attempt, chunking, how)
                one.send(s)
                with self.lock:
                    self.attempts[one.name] = Attempt(one.fate, one.started, time.time(), one.said)
                if one.fate == "yes":
                    break
                time.sleep(0.02)
        if s is not None:
            s.close()

    def fates(self):
        return len(self.attempts)

    def answered(self):
        with self.lock:
            return sum(a.fate == "yes" for a in self.attempts.values())

    def stop(self):
        """True once every message was answered 250."""
        self.stopping = True
        return not any(t.is_alive() for t in self.threads)
