#!/usr/bin/env python3
"""An unknown envid, a wrong secret and an expired record: the same words, the
same length, the same time (A16).

    alike.py BIN_DIR

Asks about each MTQP_ALIKE_N times (10000), in random order over one
connection.  A stranger who measures takes the fastest answers, since noise
only adds: their quantiles must lie no further apart between two kinds than
between two halves of one kind, or than NOISE, below which nothing is left of
it on a network."""
import os
import random
import socket
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import run  # noqa: E402
from daemon import SECRET, greeted  # noqa: E402
from run import House, Server, tracked  # noqa: E402

N = int(os.environ.get("MTQP_ALIKE_N", "10000"))
NOISE_S = 3e-6
WRONG = "MDEyMzQ1Njc4OWFiY2RlZg=="
ASKED = {
    "unknown": ("nobody-of-that-name@client.example", SECRET),
    "wrong": ("message-wrong-12345@client.example", WRONG),
    "expired": ("message-expired-123@client.example", SECRET),
}


def place(bin_dir, folder):
    """The expired one was to be kept for no time at all, and has arrived."""
    qid = {"wrong": "38D4EA84791", "expired": "38D4EA84792"}
    run.MESSAGES = [tracked(qid[n], ASKED[n][0], [("r@here.example", [])])
                    for n in qid]
    sender = run.MESSAGES[1][2]
    sender[1] = sender[1].replace(":691200", ":0")
    run.log_lines = lambda: [
        "%s mx postfix/local[9]: %s: to=<r@here.example>, relay=local, "
        "delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (delivered)"
        % (time.strftime("%b %e %H:%M:%S"), q) for q in qid.values()]
    return House(bin_dir, folder)


def measure(sock, line):
    begin = time.perf_counter()
    sock.send(line)
    answer = sock.recv(4096)
    return time.perf_counter() - begin, answer


def low(times):
    """Of the fastest half, which noise has touched least."""
    times = sorted(times)
    return statistics.fmean(times[len(times) // 20:len(times) // 2])


def main():
    times = {k: [] for k in ASKED}
    answers = {k: set() for k in ASKED}
    lines = {k: ("TRACK %s %s\r\n" % v).encode() for k, v in ASKED.items()}
    assert len({len(x) for x in lines.values()}) == 1
    with tempfile.TemporaryDirectory(prefix="mtqp-alike-") as folder:
        house = place(os.path.abspath(sys.argv[1]), folder)
        time.sleep(2)  # the second in which it expires has to pass
        server = Server(house, "alike", ["MTQPFailures 0", "MTQPCommandRate 0",
                                         "LogLevel notice"])
        sock = greeted(server.port).sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        order = list(ASKED) * N
        random.shuffle(order)
        for kind in list(ASKED) * 300 + order:  # the first ones warm up
            took, answer = measure(sock, lines[kind])
            times[kind].append(took)
            answers[kind].add(answer)
        assert server.stop() == 0
    words = set.union(*answers.values())
    assert words == {b"-ERR/noinfo no information\r\n"}, words
    times = {k: v[300:] for k, v in times.items()}
    lows = {k: low(v) for k, v in times.items()}
    halves = max(abs(low(v[::2]) - low(v[1::2])) for v in times.values())
    apart = max(lows.values()) - min(lows.values())
    for k, v in lows.items():
        print("%-8s %.2f us" % (k, v * 1e6))
    print("apart %.2f us, halves of one kind %.2f us" % (apart * 1e6,
                                                         halves * 1e6))
    assert apart <= max(NOISE_S, 3 * halves), "a stranger could tell"


if __name__ == "__main__":
    main()
