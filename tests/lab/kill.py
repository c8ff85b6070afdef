#!/usr/bin/env python3
"""kill.py PORT SECONDS SENDERS -- senders that send one numbered message after
another, whatever happens to the server.  Prints a line for each message once
its fate is known: "yes N" (250), "no N" (refused, or never sent to its end),
"maybe N" (the connection was lost behind the last dot)."""
import smtplib, socket, sys, threading, time

port, until, senders = int(sys.argv[1]), time.time() + float(sys.argv[2]), int(sys.argv[3])
CERT = "VheLhqV/rCKJmplkGFwsyW59pYk"
numbers, lock = iter(range(10**9)), threading.Lock()
mayhem = (OSError, smtplib.SMTPException)


def one(s, n):
    fate = "no"
    try:
        s.ehlo_or_helo_if_needed()
        for command in ("MAIL FROM:<k@h.test> ENVID=k%d@h.test MTRK=%s:86400" % (n, CERT),
                        "RCPT TO:<games@lab.test>"):
            if s.docmd(command)[0] != 250:
                raise smtplib.SMTPException
        if s.docmd("DATA")[0] != 354:
            raise smtplib.SMTPException
        fate = "maybe"
        s.send(b"Subject: kill %d\r\nX-Number: %d\r\n\r\n" % (n, n) + b"x" * 1500 + b"\r\n.\r\n")
        return "yes" if s.getreply()[0] == 250 else "no"
    except mayhem:
        s.close()
        return fate


def sender():
    s = None
    while time.time() < until:
        if s is None or s.sock is None:
            try:
                s = smtplib.SMTP("127.0.0.1", port, "k.test", timeout=20)
            except mayhem:
                s = None
                time.sleep(0.05)
                continue
        with lock:
            n = next(numbers)
        fate = one(s, n)
        with lock:
            print(fate, n, flush=True)

threads = [threading.Thread(target=sender) for _ in range(senders)]
[t.start() for t in threads]
[t.join() for t in threads]
