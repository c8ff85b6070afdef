#!/usr/bin/env python3
"""filter.py PORT SENDER RECIPIENT...: a content filter for pipe(8) that has
nothing against anything: it hands the message on to PORT."""
import smtplib
import sys

s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
s.sendmail(sys.argv[2], sys.argv[3:], sys.stdin.buffer.read())
s.quit()
