#!/usr/bin/env python3
"""dying.py PORT SENT LOG: a submission server that ends a session where the
sender's address says: "STEP[-reset]@...", or says what its rows tell.  LOG gets
"stored" when the secret of a message stands in SENT (the sender's own file)
before MAIL is answered, "taken ENVID" for each message that it took, "told
FIELD" for a Bcc in it.
"""
import json
import socket
import struct
import sys
import threading
import time

ENDS = {b"take": b"250 2.0.0 taken\r\n", b"later": b"451 4.3.0 later\r\n", b"no": b"554 5.7.1 no\r\n",
        b"nonsense": b"nonsense\r\n"}
lock = threading.Lock()


def note(text):
    with lock, open(sys.argv[3], "a") as f:
        f.write(text + "\n")


def is_stored(envid):
    with open(sys.argv[2]) as f:
        return any(e["envid"] == envid and e["secret"] and e["state"] == "unsent" for e in map(json.loads, f))


class Died(Exception):
    pass


def die(c, reset):
    if reset:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Died


def session(c):
    f = c.makefile("rwb")
    step, reset, envid = b"", False, ""

    def say(text):
        f.write(text)
        f.flush()

    say(b"220 x ESMTP\r\n")
    for line in f:
        word = line[:4].upper()
        if word == b"EHLO":
            say(b"250-x\r\n250-8BITMIME\r\n250-AUTH LOGIN\r\n250 MTRK\r\n")
        elif word == b"AUTH":
            say(b"454-4.7.0 not now,\r\n454 see http://x.test\r\n")
        elif word == b"MAIL":
            address = line.split(b"<")[1].split(b"@")[0]
            step, _, reset = address.partition(b"-")
            envid = line.split(b"ENVID=")[1].split()[0].decode()
            if is_stored(envid):
                note("stored")
            if step == b"mail":
                die(c, reset)
            if step == b"hang":
                note("hangs")
                time.sleep(60)
            say(b"250 ok\r\n")
        elif word == b"RCPT":
            if step == b"rcpt":
                die(c, reset)
            say(b"250 ok\r\n")
        elif word == b"DATA":
            if step == b"data":
                die(c, reset)
            say(b"354 go\r\n")
            if step == b"body":
                f.read(100000)
                die(c, reset)
            for text in iter(f.readline, b""):
                if text[:4].lower() == b"bcc:":
                    note("told " + text.decode())
                if text == b".\r\n":
                    break
            if step == b"dot":
                die(c, reset)
            if step == b"deaf":
                note("deaf")
                time.sleep(60)
            if step == b"take":
                note("taken " + envid)
            say(ENDS[step])
        elif word == b"QUIT":
            say(b"221 bye\r\n")
            return


def serve(c):
    try:
        session(c)
    except (Died, OSError):
        pass
    c.shutdown(socket.SHUT_RDWR) if c.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[0] == 0 else None
    c.close()


s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
