#!/usr/bin/env python3
"""marked.py PORT ENVID SENDER RECIPIENT...: one marked message, by hand.

One that begins with "refuse" may be refused.  A recipient may be followed by " NOTIFY=..." in the same word.  The mark is in the AUTH carrier; its secret is AAECAwQFBgcICQoLDA0ODw==.
Prints the last reply; exits with 1 if the message was refused after DATA.
"""
import smtplib
import sys

port, envid, sender, *recipients = sys.argv[1:]
s = smtplib.SMTP("127.0.0.1", int(port))
s.ehlo("client.test")
utf8 = "" if all(r.isascii() for r in recipients) else " SMTPUTF8"
s.command_encoding = "utf-8"
for command in [f"MAIL FROM:<{sender}> ENVID={envid}{utf8} "
                "AUTH=MTRK+3DVheLhqV/rCKJmplkGFwsyW59pYk:172800"] + \
        ["RCPT TO:<%s>%s%s" % r.partition(" NOTIFY=") for r in recipients]:
    code, text = s.docmd(command)
    assert code == 250 or command.startswith("RCPT TO:<refuse"), (command, code, text)
code, text = s.data("From: a@h.test\r\nSubject: x\r\n\r\nhi\r\n")
print(code, text.decode())
s.quit()
sys.exit(code != 250)
