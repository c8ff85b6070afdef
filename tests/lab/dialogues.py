"""SMTP dialogues for tests/lab/differ.py: written by hand, and by a grammar.

A dialogue is all octets that a client sends; "{MARK}" stands for MTRK= on the
way through the gate and for nothing without it.  Only what gate and MTA are
meant to answer differently is left out: STARTTLS, XCLIENT's attributes, BDAT
without EHLO, and dots between bare LFs."""
import base64, random

EHLO, QUIT = b"EHLO a.test\r\n", b"QUIT\r\n"
MAIL, RCPT = b"MAIL FROM:<a@h.test>", b"RCPT TO:<games@lab.test>"
HEAD = b"Subject: x\r\nMessage-ID: <m@h.test>\r\nDate: Wed, 25 Nov 2026 12:00:00 +0000\r\n\r\n"


def lines(*rows):
    return b"".join(row + b"\r\n" for row in rows)


def message(mail=MAIL, body=HEAD + b"hi\r\n", rcpts=(RCPT,)):
    return lines(mail, *rcpts, b"DATA") + body + b".\r\n"


def plain(user=b"joe", password=b"right"):
    return base64.b64encode(b"\0" + user + b"\0" + password)


MARKED = MAIL + b" ENVID=q+2B1@h.test{MARK} RET=HDRS"
HAND = [
    QUIT, b"", lines(b"HELO a.test") + QUIT, EHLO + QUIT, EHLO * 3 + QUIT,
    EHLO + message() + QUIT,
    EHLO + message(MARKED) + QUIT,
    EHLO + message(MARKED + b" AUTH=<>") + QUIT,
    EHLO + message(MARKED) * 3 + QUIT,
    EHLO + message(b"mail from:<>{MARK} envid=e@x") + QUIT,
    EHLO + message(b'MAIL FROM:<"a> MTRK=b"@h.test>{MARK} ENVID=e@x') + QUIT,
    EHLO + message(MARKED + b" SMTPUTF8 BODY=8BITMIME", HEAD + "ü\r\n".encode()) + QUIT,
    EHLO + message(MAIL + b" SIZE=999999999") + QUIT,
    EHLO + message(MAIL + b" FOO=bar") + message() + QUIT,
    EHLO + message(MAIL + b" ENVID=a+zz") + QUIT,
    EHLO + message(rcpts=[RCPT + b" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+40b"] * 3) + QUIT,
    EHLO + message(rcpts=[b"RCPT TO:<no@relay.test>"]) + QUIT,
    EHLO + message(rcpts=[b"RCPT TO:<no@relay.test>", RCPT]) + QUIT,
    EHLO + message(rcpts=[]) + QUIT,
    EHLO + message(body=b"") + QUIT,
    EHLO + message(body=HEAD + b"..\r\n...x\r\n.x\r\n..\r\n") + QUIT,
    EHLO + message(body=HEAD + b"x" * 5000 + b"\r\n") + QUIT,
    EHLO + message(body=HEAD + b"bare\nlf\r\nbare\rcr\r\n\n\r\r\n") + QUIT,
    EHLO + message(body=HEAD + b"nul\0s\0\r\n\xff\xfe\r\n") + QUIT,
    EHLO + message(body=HEAD + (b"%d\r\n" * 3000) % tuple(range(3000))) + QUIT,
    EHLO + lines(MAIL, RCPT, b"BDAT %d LAST" % len(HEAD)) + HEAD + QUIT,
    EHLO + lines(MARKED, RCPT, b"BDAT %d" % len(HEAD)) + HEAD +
    b"BDAT 5\r\n.\r\n.\r" + b"BDAT 6 LAST\r\n\nQUIT\n" + QUIT,
    EHLO + lines(MAIL, RCPT, b"BDAT 5") + b"DATA\r" + lines(b"DATA") + QUIT,
    EHLO + lines(b"BDAT 5") + b"12345" + QUIT,
    EHLO + lines(MAIL, RCPT, b"BDAT 0 LAST") + QUIT,
    EHLO + lines(MAIL, RCPT, b"BDAT 5 FIRST") + b"12345" + QUIT,
    EHLO + lines(MAIL, RCPT, b"BDAT -5 LAST") + QUIT,
    EHLO + lines(MAIL, RCPT, b"BDAT 99999999999999999999") + QUIT,
    EHLO + lines(MAIL, RCPT, b"BDAT") + QUIT,
    EHLO + lines(MAIL, RCPT, b"BDAT  5\tlast") + b"12345" + QUIT,
    EHLO + lines(MAIL, RCPT, b"BDAT 4294967297 LAST", MAIL, RCPT, b"BDAT 1 LAST") + b"x",
    EHLO + lines(MAIL, RCPT, b"BDAT 9223372036854775807", b"NOOP") + b"x",
    EHLO + lines(MAIL, RCPT, b"BDAT 9223372036854775808", b"NOOP") + QUIT,
    EHLO + lines(b"DATA", b"VRFY x") + QUIT,
    lines(b"DATA") + QUIT, lines(MAIL, RCPT, b"DATA") + HEAD + b".\r\n" + QUIT,
    EHLO + lines(MAIL, MAIL, RCPT, EHLO[:-2], RCPT) + QUIT,
    EHLO + lines(MAIL, RCPT, b"RSET", RCPT, b"NOOP", b"NOOP x y", b"HELP") + QUIT,
    EHLO + lines(b"VRFY games", b"VRFY <games@lab.test>", b"EXPN list", b"ETRN x.test") + QUIT,
    EHLO + lines(b"", b" ", b"FOO", b"FOO bar", b"MAILX", b"MAIL", b"RCPT", b"QUITX") + QUIT,
    EHLO + lines(b"XCLIENT", b"XFORWARD", b"TURN", b"SEND FROM:<a@b>") + QUIT,
    EHLO + lines(b"NOOP " + b"x" * 3000, b"NOOP") + QUIT,
    EHLO + lines(MAIL[:-1] + b"x" * 3000 + b">", b"NOOP") + QUIT,
    EHLO + b"NOOP\nNOOP\n" + MAIL + b"\n" + RCPT + b"\nDATA\n" + HEAD + b"x\r\n.\r\n" + QUIT,
    EHLO + b" NOOP\r\n\tRSET\r\nNOOP\0x\r\nNOOP \r \r\n" + QUIT,
    EHLO + b"noop\r\nrset\r\nMaIl FrOm:<a@h.test>\r\nrcpt to:<games@lab.test>\r\nquit\r\n",
    EHLO + lines(*[b"BAD"] * 25) + QUIT,
    EHLO + lines(b"AUTH PLAIN " + plain(), b"AUTH PLAIN " + plain()) + message() + QUIT,
    EHLO + lines(b"AUTH PLAIN", plain()) + message(MARKED) + QUIT,
    EHLO + lines(b"AUTH PLAIN", b"*") + message() + QUIT,
    EHLO + lines(b"AUTH PLAIN", b"DATA", b"NOOP") + QUIT,
    EHLO + lines(b"AUTH PLAIN =", b"AUTH", b"AUTH NOPE", b"AUTH PLAIN !!!") + QUIT,
    EHLO + lines(b"AUTH LOGIN", base64.b64encode(b"joe"), base64.b64encode(b"right")) +
    message() + QUIT,
    EHLO + lines(b"AUTH LOGIN", base64.b64encode(b"joe"), base64.b64encode(b"wrong")) + QUIT,
    EHLO + lines(b"AUTH LOGIN " + base64.b64encode(b"joe"), b"MAIL", b"NOOP") + QUIT,
    EHLO + lines(MAIL, b"AUTH PLAIN " + plain()) + QUIT,
    EHLO + QUIT + lines(b"NOOP"),
    EHLO + MAIL,
    EHLO + lines(MAIL, RCPT, b"DATA") + HEAD + b"no end",
]


class Grammar:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def one(self, *choices):
        return self.r.choice(choices)

    def case(self, text):
        return self.one(text, text.lower(), text.swapcase()) if self.r.random() < .3 else text

    def address(self):
        return self.one(b"a@h.test", b"games@lab.test", b"", b'"q\\"x>y MTRK=e"@h.test',
                        b"x" * 70 + b"@h.test", b"@r.test:a@h.test", b"bin@lab.test")

    def mail(self):
        parameters = [b"", b" SIZE=100", b" BODY=8BITMIME", b" BODY=7BIT", b" RET=FULL",
                      b" AUTH=<>", b" SMTPUTF8", b" X=1", b" RET=NO"]
        text = b"MAIL FROM:<" + self.address() + b">"
        if self.r.random() < .5:
            text += b" ENVID=g%d@h.test{MARK}" % self.r.randrange(10**6)
        return text + b"".join(self.r.sample(parameters, self.r.randrange(3)))

    def rcpt(self):
        return b"RCPT TO:<" + self.one(b"games@lab.test", b"games@lab.test", b"bin@lab.test",
            b"no@relay.test", b"", b"root@lab.test") + b">" + self.one(b"", b"", b" NOTIFY=NEVER",
            b" ORCPT=rfc822;x", b" FOO")

    def body(self):
        text = HEAD
        for _ in range(self.r.randrange(12)):
            text += self.one(b".", b"..", b"", b"\n", b"x\ny", b"x\ry", b"\0", b"-" * 998,
                             b"-" * 4100, b"a.b", b" .", b"\xc3\xbc")
            text = text.rstrip(b"\r") if text.endswith(b"\r") else text
            if text.endswith(b"\n."):
                text += b"."
            text += b"\r\n"
        return text

    def chunks(self):
        text, rest = b"", self.body()
        while rest:
            n = self.r.randrange(1, len(rest) + 1)
            text += b"BDAT %d%s\r\n" % (n, b" LAST" if n == len(rest) else b"") + rest[:n]
            rest = rest[n:]
        return text

    def transaction(self):
        text = self.mail() + b"\r\n"
        for _ in range(self.r.randrange(4)):
            text += self.rcpt() + b"\r\n"
        return text + self.one(b"DATA\r\n" + self.body() + b".\r\n", self.chunks(), b"RSET\r\n")

    def other(self):
        return self.case(self.one(b"NOOP", b"RSET", b"VRFY games", b"HELP", b"FOO bar",
                                  b"NOOP " + b"y" * 2100, b"EHLO b.test", b"", b" RSET",
                                  b"AUTH PLAIN " + plain(), b"ETRN h.test")) + \
            self.one(b"\r\n", b"\r\n", b"\r\n", b"\n")

    def dialogue(self):
        text = EHLO
        for _ in range(self.r.randrange(1, 6)):
            text += self.one(self.transaction, self.transaction, self.other)()
        return text + QUIT

    def cuts(self, text):
        """The same octets in pieces."""
        how = self.r.random()
        if how < .3 or len(text) > 20000:
            return [text]
        if how < .4 and len(text) < 600:
            return [text[i:i + 1] for i in range(len(text))]
        at = sorted(self.r.sample(range(len(text) + 1), min(len(text), self.r.randrange(1, 20))))
        return [text[a:b] for a, b in zip([0] + at, at + [len(text)])]


def dialogues(n, seed, sendmail=False):
    """Sendmail has no CHUNKING, so the gate answers; and takes a command whose
    end never came, which the gate drops."""
    def fits(d):
        return not sendmail or (b"BDAT" not in d and not d.endswith(MAIL))
    g = Grammar(seed)
    some = [d for d in HAND if fits(d)][:n]
    while len(some) < n:
        d = g.dialogue()
        if fits(d):
            some.append(d)
    return some, g
