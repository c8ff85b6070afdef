#!/usr/bin/env python3
"""Servers that ask servers (RFC 3887 2.4; Q13, Q14, Q42, A45).

    chain.py [--deadline] BIN_DIR

Each listens on port 1038 of a loopback address of its own, so that a
Remote-MTA that is an address leads there without a name service."""
import copy
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
import fill  # noqa: E402
from run import House, Server, tracked  # noqa: E402
from track import case  # noqa: E402
from daemon import SECRET, greeted, secured  # noqa: E402

NET = "127.%d.%d" % (64 + os.getpid() // 256 % 128, os.getpid() % 256)
BRIEF_S = 6
NAMES = ("one", "dead", "slow", "deep", "two", "brief")
RECIPIENTS = ("r@here.example", "s@here.example")
PARTS_MAX = 64  # TSTAT_PARTS_MAX
QUEUE_IDS = {n: "38D4EA8480%d" % i for i, n in enumerate(NAMES)}


def place(bin_dir, folder, log=list):
    """A house where every one of NAMES is tracked."""
    import run
    os.mkdir(folder)
    run.MESSAGES = [tracked(QUEUE_IDS[n], n + "@client.example",
                            [(r, ["ORCPT=rfc822;" + r])
                             for r in RECIPIENTS[:1 + (n == "two")]])
                    for n in NAMES]
    brief = run.MESSAGES[-1][2]  # known for so long after it went
    brief[1] = brief[1].replace(":691200", ":%d" % BRIEF_S)
    run.log_lines = log
    return House(bin_dir, folder)


def hand(house, name, *hosts):
    subprocess.run([os.path.dirname(house.bin) + "/tests/hand",
                    house.dir + "/store", name + "@client.example", *hosts],
                   check=True)


def ask(client, name):
    """The answer's lines."""
    client.send(("TRACK %s@client.example %s\r\n" % (name, SECRET)).encode())
    return read_answer(client)


def read_answer(client):
    lines = [client.line()]
    while lines[0].startswith("+OK+") and lines[-1] != ".":
        lines.append(client.line())
    return lines


def values(lines, field):
    return [x.split(": ", 1)[1] for x in lines if x.startswith(field + ": ")]


def at(house, name, address, lines):
    return Server(house, name, ["Listen %s:1038" % address,
                                "MTQPConnectionsPerClient 0"] + lines)


def check_expiry(outer, inner):
    """A39: an answer that took a while doesn't outlive the record (which is
    fresh: this check is the first)."""
    server = at(outer, "expiry", NET + ".1", ["Chain %s.0/24" % NET])
    client = greeted(server.port)
    with socket.create_server((NET + ".4", 1038)) as silent:
        hand(outer, "brief", NET + ".4")
        begin = time.monotonic()
        client.send(("TRACK brief@client.example %s\r\n" % SECRET).encode())
        waiting, _ = silent.accept()
        time.sleep(max(0, begin + BRIEF_S + 2 - time.monotonic()))
        waiting.sendall(b"+OK/MTQP\r\n+OK+\r\n" + case("rfc3887-06-delivered"))
        lines = read_answer(client)
        waiting.close()
    assert lines[0].startswith("-ERR/noinfo") and len(lines) == 1, lines
    assert server.stop() == 0


def check_parts(outer, inner):
    """Q14 b: every hop that could be asked, ours first."""
    server = at(outer, "parts", NET + ".1", ["Chain %s.0/24" % NET])
    there = at(inner, "there", NET + ".2", [])
    client = greeted(server.port)
    lines = ask(client, "one")
    assert values(lines, "Action") == ["transferred", "delivered"], lines
    assert values(lines, "Reporting-MTA") == ["dns; mx.example.org"] * 2
    # nobody listens there: what we know ourselves
    lines = ask(client, "dead")
    assert values(lines, "Action") == ["transferred"], lines
    assert values(lines, "Remote-MTA") == ["dns; %s.3" % NET], lines
    # Q42: a question under TLS goes on under TLS or not at all
    tls = secured(server.port, "mtqp.example.org", None)
    client.sock, client.have = tls, b""
    read_answer(client)
    assert values(ask(client, "one"), "Action") == ["transferred"]
    assert "offers no TLS" in server.log()
    there.stop()
    assert server.stop() == 0


def check_disguise(outer, inner):
    """Q14: one answer, and no host or address of the inside."""
    for chain in ([], ["Chain %s.0/24" % NET]):
        server = at(outer, "disguise", NET + ".1", ["Disguise yes"] + chain)
        there = at(inner, "there", NET + ".2", [])
        client = greeted(server.port)
        lines = ask(client, "one")
        assert values(lines, "Action") == [
            "delivered" if chain else "relayed"], lines
        assert NET not in "".join(lines), lines
        assert values(lines, "Final-Recipient") == ["rfc822; r@here.example"]
        lines = ask(client, "dead")
        assert values(lines, "Action") == ["relayed"], lines
        assert values(lines, "Status") == ["2.1.9"], lines
        assert values(lines, "Remote-MTA") == [], lines
        there.stop()
        assert server.stop() == 0


def check_bounds(outer, inner):
    """A45: whom Chain doesn't name isn't asked."""
    there = at(inner, "there", NET + ".2", [])
    for chain in ("192.0.2.0/24", "example.org", NET + ".1"):
        server = at(outer, "bounds", NET + ".1", ["Chain " + chain])
        lines = ask(greeted(server.port), "one")
        assert values(lines, "Action") == ["transferred"], lines
        assert server.stop() == 0
    assert "event=open" not in there.log()
    there.stop()


def row(house, n, closed):
    """Servers that hand "deep" to the next one, the last to nobody; closed:
    to the first."""
    def place(i):
        one = copy.copy(house)
        one.dir = "%s/%d-of-%d" % (house.dir, i, n)
        shutil.copytree(house.dir + "/store", one.dir + "/store")
        if closed or i + 1 < n:
            hand(one, "deep", "%s.%d" % (NET, 10 + (i + 1) % n))
        return at(one, "row", "%s.%d" % (NET, 10 + i),
                  ["Chain %s.0/24" % NET, "LogLevel info"])

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(place, range(n)))


def asked(server):
    return server.log().count("event=track")


def end(servers):
    for server in servers:
        server.process.terminate()
    for server in servers:
        assert server.stop() == 0


def check_loops(outer, inner):
    """A45: two name each other, three in a ring, one itself: the question
    ends where it began, and nobody is asked but once and by its end."""
    for n in (1, 2, 3):
        servers = row(inner, n, True)
        begin = time.monotonic()
        lines = ask(greeted(servers[0].port), "deep")
        assert time.monotonic() - begin < 30  # or they wait for each other
        assert values(lines, "Action") == ["transferred"] * (n + 1), lines
        assert [asked(s) for s in servers] == [2] + [1] * (n - 1)
        end(servers)


def check_depth(outer, inner):
    """A45: more servers in a row than an answer has parts: the nearest are
    told, the last of them with the host to ask."""
    if re.search("build-[at]san", inner.bin):
        return  # sixty-six of them are a lot for one machine
    servers = row(inner, PARTS_MAX + 2, False)
    lines = ask(greeted(servers[0].port), "deep")
    assert values(lines, "Action") == ["transferred"] * PARTS_MAX
    assert values(lines, "Remote-MTA") == [
        "dns; %s.%d" % (NET, 11 + i) for i in range(PARTS_MAX)]
    lines = ask(greeted(servers[2].port), "deep")
    assert values(lines, "Action") == ["transferred"] * (
        PARTS_MAX - 1) + ["delayed"]
    end(servers)


def check_faulty(outer, inner):
    """T18: a server that answers as RFC 3887's example 6 does, without its
    date, makes no answer of ours invalid, nor none"""
    for lines in ([], ["Disguise yes"]):
        server = at(outer, "faulty", NET + ".1", ["Chain %s.0/24" % NET] + lines)
        client = greeted(server.port)
        with socket.create_server((NET + ".4", 1038)) as example:
            client.send(("TRACK slow@client.example %s\r\n" % SECRET).encode())
            there, _ = example.accept()
            there.sendall(b"+OK/MTQP\r\n+OK+\r\n" + case("rfc3887-06-delivered"))
            got = read_answer(client)
        there.close()
        assert values(got, "Action") == [
            "relayed" if lines else "transferred"], got
        assert server.stop() == 0


def check_greedy(outer, inner):
    """A server that says more than is good for us is not heard: what others
    say takes no more memory, all questions together, than MTQPMemory."""
    head, body = case("rfc3887-06-delivered").split(b"\r\n\r\n", 1)
    long = head + b"\r\n\r\n" + (b"x" * 900 + b"\r\n") * 400 + body
    for memory, outcome in (("64M", "ok"), ("8M", "the answer is too long")):
        server = at(outer, "greedy", NET + ".1", [
            "Chain %s.0/24" % NET, "MTQPMemory " + memory])
        client = greeted(server.port)
        with socket.create_server((NET + ".4", 1038)) as example:
            client.send(("TRACK slow@client.example %s\r\n" % SECRET).encode())
            there, _ = example.accept()
            try:
                there.sendall(b"+OK/MTQP\r\n+OK+\r\n" + long)
            except OSError:
                pass  # it has heard enough
            assert values(read_answer(client), "Action") == ["transferred"]
        there.close()
        assert 'event=chain host="%s.4" outcome="%s"' % (
            NET, outcome) in server.log(), server.log()
        assert server.stop() == 0


def deadline_check(outer, inner):
    """Q13: a server that drips is waited for 100 s, not two minutes
    A28: then the answer is what we know ourselves, with the host to ask
    One that says nothing leaves half of the time to the other one."""
    server = at(outer, "deadline", NET + ".1", ["Chain %s.0/24" % NET])
    there = at(inner, "there", NET + ".2", [])
    hand(outer, "two", NET + ".5", NET + ".2")
    silent = socket.create_server((NET + ".5", 1038))
    client, both = greeted(server.port), greeted(server.port)
    client.sock.settimeout(130)
    both.send(("TRACK two@client.example %s\r\n" % SECRET).encode())
    _kept = silent.accept()
    with socket.create_server((NET + ".4", 1038)) as dripping:
        begin = time.monotonic()
        client.send(("TRACK slow@client.example %s\r\n" % SECRET).encode())
        drip, _ = dripping.accept()
        drip.sendall(b"+OK/MTQP\r\n+OK+ Tracking")
        while not select.select([client.sock], [], [], 2)[0]:
            drip.sendall(b".")
        took = time.monotonic() - begin
        lines = read_answer(client)
        # and nobody goes on listening to it
        try:
            for _ in range(10):
                drip.sendall(b".")
                time.sleep(1)
            raise AssertionError("it is still asked")
        except OSError:
            pass
    assert values(lines, "Action") == ["transferred"], lines
    assert values(lines, "Remote-MTA") == ["dns; %s.4" % NET], lines
    assert 95 < took < 120, took
    assert values(read_answer(both), "Action") == [
        "transferred", "transferred", "delayed", "delayed"]
    assert server.log().count('.2" outcome="ok"') == 1
    silent.close()
    there.stop()
    server.stop()


def check_slow(outer, inner):
    """A server that says nothing delays nobody but who asked about it, and
    who goes away meanwhile is forgotten."""
    audit = outer.dir + "/audit"
    server = at(outer, "slow", NET + ".1", ["Chain %s.0/24" % NET,
                                            "AuditLog " + audit])
    with socket.create_server((NET + ".4", 1038)) as silent:
        client, gone = greeted(server.port), greeted(server.port)
        client.send(("TRACK slow@client.example %s\r\nCOMMENT\r\n"
                     % SECRET).encode())
        silent.settimeout(60)
        waiting, _ = silent.accept()
        # the same question again: answered without asking twice
        lines = ask(gone, "slow")
        assert values(lines, "Action") == ["transferred"], lines
        gone.close()
        assert values(ask(greeted(server.port), "dead"), "Action")
        waiting.close()
        # the rest is in order behind it
        assert values(read_answer(client), "Action") == ["transferred"]
        assert client.line().startswith("+OK thank")
        other = greeted(server.port)
        other.send(("TRACK slow@client.example %s\r\n" % SECRET).encode())
        waiting, _ = silent.accept()
        other.close()
        waiting.close()
        fill.until("both outcomes",
                   lambda: server.log().count("event=chain host") == 3)
    assert values(ask(greeted(server.port), "dead"), "Action")
    # who asked is on record, even if we end before there is an answer
    with socket.create_server((NET + ".4", 1038)) as silent:
        last = greeted(server.port)
        last.send(("TRACK slow@client.example %s\r\n" % SECRET).encode())
        _kept = silent.accept()
        assert server.stop() == 0
    with open(audit) as f:
        said = f.read().splitlines()
    assert said[-1].endswith(' outcome="not answered"'), said
    assert len(said) == 6, said


def main():
    prefix = "deadline_" if "--deadline" in sys.argv else "check_"
    bin_dir = os.path.abspath(sys.argv[-1])
    with tempfile.TemporaryDirectory(prefix="mtqp-chain-") as folder:
        inner = place(bin_dir, folder + "/inner", lambda: [
            "%s mx postfix/local[9]: %s: to=<r@here.example>, relay=local, "
            "delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (delivered to "
            "mailbox)" % (time.strftime("%b %e %H:%M:%S"), QUEUE_IDS["one"])])
        outer = place(bin_dir, folder + "/outer")
        for name, host in zip(NAMES, (".2", ".3", ".4")):
            hand(outer, name, NET + host)
        tls = ["TLSCertificate " + outer.cert, "TLSKey " + outer.key]
        plain = outer.conf
        outer.conf = lambda name, lines: plain(name, lines + tls)
        for name, check in list(globals().items()):
            if name.startswith(prefix):
                print(name, flush=True)
                check(outer, inner)
    print("ok")


if __name__ == "__main__":
    main()
