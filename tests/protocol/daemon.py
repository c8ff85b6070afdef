#!/usr/bin/env python3
"""What no transcript can say about mtqpd: start, checks, signals, limits.

    daemon.py [--slow] BIN_DIR"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import fill  # noqa: E402
from run import Client, House, Server, free_port  # noqa: E402

SECRET = "AAECAwQFBgcICQoLDA0ODw=="
TRACK = ("TRACK %%s@client.example %s\r\n" % SECRET)
CONNS_MAX = 1000


def greeted(port):
    client = Client(port)
    assert client.line().startswith("+OK+/MTQP")
    while client.line() != ".":
        pass
    return client


def exit_of(house, *args):
    return subprocess.run([house.bin + "/mtqpd", *args], timeout=20,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)


def check_options(house):
    listen = "Listen 127.0.0.1:%d" % free_port()
    good = house.conf("good", [listen] + house.with_tls())
    run = exit_of(house, "-n", "-c", good)
    assert run.returncode == 0, run.stderr
    run = exit_of(house, "-nn", "-c", good)
    assert run.returncode == 0 and listen in run.stdout, run
    assert exit_of(house, "-V").returncode == 0
    assert "usage: mtqpd" in exit_of(house, "--help").stdout
    assert exit_of(house, "--no-such-option").returncode == 64
    assert exit_of(house, "-c", "/nonexistent").returncode == 78


def check_faults(house):
    """Each makes -n and the start fail, and says why."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    listen = "Listen 127.0.0.1:%d" % free_port()
    empty = house.dir + "/empty"
    os.mkdir(empty)
    cases = {
        "address": ["Listen 127.0.0.1:%d" % taken.getsockname()[1]],
        "foreign-address": ["Listen 192.0.2.1:1038"],
        "certificate": [listen, "TLSCertificate /nonexistent",
                        "TLSKey " + house.key],
        "key": [listen, "TLSCertificate " + house.cert,
                "TLSKey " + house.cert],
        "setting": [listen, "NoSuchSetting 1"],
    }
    if os.geteuid() == 0:
        cases["user"] = [listen, "User no-such-user"]
        cases["root-user"] = [listen, "User root"]
    for name, lines in cases.items():
        conf = house.conf("bad-" + name, lines)
        for args in (["-n"], ["-f"], []):
            run = exit_of(house, *args, "-c", conf)
            assert run.returncode == 78 and run.stderr, (name, args, run)
    conf = house.conf("bad-store", [listen])
    with open(conf) as f:
        text = f.read().replace(house.dir + "/store", empty)
    with open(conf, "w") as f:
        f.write(text)
    for args in (["-n"], ["-f"], []):
        assert exit_of(house, *args, "-c", conf).returncode == 78, args


def check_background(house):
    port = free_port()
    conf = house.conf("background", ["Listen 127.0.0.1:%d" % port])
    with open(house.dir + "/background.log", "w+") as log:
        run = subprocess.run([house.bin + "/mtqpd", "-c", conf], stderr=log,
                             stdin=subprocess.DEVNULL, timeout=20)
        assert run.returncode == 0
        greeted(port).close()  # ready when the parent ends
        log.seek(0)
        pid = int(re.findall(r"mtqpd\[(\d+)\]", log.read())[-1])
    os.kill(pid, signal.SIGTERM)
    fill.until("end of the daemon",
               lambda: not os.path.exists("/proc/%d" % pid)
               or open("/proc/%d/stat" % pid).read().split()[2] == "Z")


def check_hup(house):
    server = Server(house, "hup", [])
    client = greeted(server.port)
    server.process.send_signal(signal.SIGHUP)
    fill.until("word about HUP", lambda: "event=hup" in server.log())
    client.send(b"COMMENT\r\n")
    assert client.line().startswith("+OK")
    assert server.stop() == 0


def check_term_flushes(house):
    """What was asked before TERM is answered whole, then 0."""
    server = Server(house, "term", [])
    idle, busy = greeted(server.port), greeted(server.port)
    busy.send((TRACK % "many" * 20).encode())
    fill.until("the queue", lambda: "next=flush" in server.log())
    server.process.terminate()
    assert idle.line() is None
    text = b""
    while True:
        more = busy.sock.recv(65536)
        if not more:
            break
        text += more
    answers = text.count(b"+OK+ Tracking")
    assert answers >= 1 and text.count(b"\r\n.\r\n") == answers, answers
    assert server.process.wait(20) == 0


def ask_and_never_read(client):
    """How many octets of questions the server took."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sock.settimeout(1)
    sent = 0
    try:
        while sent < 50 << 20:
            sent += client.sock.send((TRACK % "many" * 100).encode())
    except socket.timeout:
        return sent
    raise AssertionError("no end to what it takes")


def check_second_term(house):
    """It doesn't wait for a client that doesn't read.  What is queued may
    happen to fit into the kernel's buffers: then there is nothing to see."""
    for _ in range(10):
        server = Server(house, "term2", [])
        busy = greeted(server.port)
        ask_and_never_read(busy)
        server.process.terminate()
        try:
            assert server.process.wait(1) == 0
        except subprocess.TimeoutExpired:
            break
    assert "now=no" in server.log()
    server.process.terminate()
    assert server.process.wait(5) == 0


def rss_kb(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s*(\d+)", f.read())[1])


def check_reader_that_does_not_read(house):
    """Its commands stay where they are; others are served."""
    server = Server(house, "deaf", [])
    before = rss_kb(server.process.pid)
    deaf = greeted(server.port)
    sent = ask_and_never_read(deaf)
    grown = rss_kb(server.process.pid) - before
    other = greeted(server.port)
    other.send((TRACK % "fresh").encode())
    assert other.line().startswith("+OK+")
    print("  deaf client: took %d KB of commands, grew by %d KB"
          % (sent >> 10, grown))
    assert grown < 64 << 10
    if "--slow" in sys.argv:
        fill.until("its end", lambda: "peer does not read" in server.log(), 75)
    assert server.log().count('outcome="ok"') < 200
    deaf.close()
    assert server.stop() == 0


def check_limit(house):
    server = Server(house, "limit", [])
    clients = [Client(server.port) for _ in range(CONNS_MAX)]
    for c in clients:
        assert c.line().startswith("+OK+/MTQP")
    extra = Client(server.port)
    assert extra.line().startswith("-TEMP/MTQP/unavailable")
    assert extra.line() is None
    clients.pop().close()

    def room():
        client = Client(server.port)
        word = client.line()
        client.close()
        return word.startswith("+OK+/MTQP")

    fill.until("room for one more", room)
    for c in clients:
        c.close()
    assert server.stop() == 0


def check_speed(house):
    """Not a test: figures for one connection."""
    server = Server(house, "speed", [])
    client = greeted(server.port)
    n, begin = 2000, time.monotonic()
    client.send((TRACK % "four" * n).encode() + b"QUIT\r\n")
    text = b""
    while b"+OK goodbye" not in text[-200:]:
        text += client.sock.recv(1 << 20)
    print("  %d pipelined TRACKs of four recipients a second"
          % (n / (time.monotonic() - begin)))
    assert server.stop() == 0


def main():
    bin_dir = [a for a in sys.argv[1:] if not a.startswith("-")]
    if len(bin_dir) != 1:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory(prefix="mtqpd-") as folder:
        house = House(os.path.abspath(bin_dir[0]), folder)
        for name, check in list(globals().items()):
            if name.startswith("check_"):
                print(name, flush=True)
                check(house)
    print("ok")


if __name__ == "__main__":
    main()
