#!/usr/bin/env python3
"""ports.py N -- that many TCP ports of 127.0.0.1 that are free and will be for
a while: from below those that the kernel gives to clients and to who asks for
any, and each in its turn, so that no two tests, nor one test twice, get the
same before it is used.  .lab/ports (or below MTRK_LAB_CACHE) says whose turn
it is."""
import errno
import fcntl
import os
import random
import socket
import sys

LOW = 10000
HERE = os.path.dirname(os.path.abspath(__file__))


def high():
    """Where the kernel's own begin, if it leaves us enough."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        low = int(f.read().split()[0])
    return low if low >= 2 * LOW else 32768


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError as why:
            if why.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def ports(n):
    cache = os.environ.get("MTRK_LAB_CACHE") or HERE + "/../../.lab"
    os.makedirs(cache, exist_ok=True)
    with open(cache + "/ports", "a+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        port, found = int(f.read() or random.randrange(LOW, high())), []
        while len(found) < n:
            port = port + 1 if port + 1 < high() else LOW
            if is_free(port):
                found.append(port)
        f.truncate(0)
        f.write(str(port))
    return found


if __name__ == "__main__":
    print(*ports(int(sys.argv[1])))
