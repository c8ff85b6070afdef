#!/usr/bin/env python3
"""differ.py COUNT ALONE_PORT GATE_PORT COMMAND... -- the same dialogues with an
MTA alone and through mtrk-gate: the replies must be the same but for MTRK, and
what the MTA queued the same but for the carrier.

COMMAND QUEUE-ID... prints what is queued under these ids, a part for each
that begins with a line "== QUEUE-ID".  SEED in the environment;
MTA=sendmail there: one without CHUNKING, which ends a client that pipelines
what RFC 2920 does not let it (the gate sends such commands one by one)."""
import concurrent.futures, difflib, os, re, socket, subprocess, sys
import dialogues

count, alone, gate, show = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
sendmail = os.environ.get("MTA") == "sendmail"
seed = int(os.environ.get("SEED", "3885"))
MARK = b" MTRK=VheLhqV/rCKJmplkGFwsyW59pYk:86400"
QUEUED = re.compile(rb"queued as ([0-9A-F]+)|([0-9A-Za-z]{8}[0-9]{6,}) Message accepted")


def talk(port, pieces):
    """All that comes back until the server closes; nobody talks before the
    greeting, of which an MTA may make something.  Sender and receiver at once:
    a reply may be waited for behind the MTA's buffers."""
    s = socket.create_connection(("127.0.0.1", port), timeout=60)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    got, cut_off = s.recv(65536), False
    try:
        for piece in pieces:
            s.sendall(piece)
        if not pieces or not pieces[-1].upper().endswith(b"QUIT\r\n"[-len(pieces[-1]):]):
            s.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # closed on us, as it may
    try:
        while piece := s.recv(65536):
            got += piece
    except ConnectionResetError:
        cut_off = True  # closed with input unread; replies may be lost
    s.close()
    return got, cut_off


def reply(f):
    """One whole reply, or what comes before the end."""
    got = b""
    while line := f.readline():
        got += line
        if line[3:4] != b"-":
            break
    return got


def group(text, together):
    """Commands that may go at once (RFC 2920 3.1), and the rest."""
    n = 0
    while n < len(text):
        line = text[n:].split(b"\n", 1)[0] + b"\n"
        more = re.match(rb"(MAIL FROM:|RCPT TO:|RSET).*\r\n$", line, re.I | re.S)
        if n > 0 and not more and not re.match(rb"(DATA|NOOP|QUIT)\r\n$", line, re.I):
            break
        n += len(line)
        if not more or not together:
            break
    return text[:n], text[n:]


def talk_in_turn(port, pieces):
    """The same, by a client that waits as RFC 2920 says."""
    s = socket.create_connection(("127.0.0.1", port), timeout=60)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    f, text, step = s.makefile("rb"), b"".join(pieces), max(map(len, pieces), default=1)
    got = last = reply(f)
    if not text:
        s.shutdown(socket.SHUT_WR)
    try:
        while text and last:
            if last.startswith(b"354"):
                n = (b"\r\n" + text).find(b"\r\n.\r\n") + 3
                now, text = (text[:n], text[n:]) if n > 2 else (text, b"")
                due = 1
            else:
                now, text = group(text, len(pieces) % 2)
                due = now.count(b"\n")
            for i in range(0, len(now), step):
                s.sendall(now[i:i + step])
            if not text:
                s.shutdown(socket.SHUT_WR)
            for _ in range(due):
                got += (last := reply(f))
        got += f.read()
    except OSError:
        return got, True
    finally:
        s.close()
    return got, False


def words(got):
    """Without what differs from session to session, and without MTRK."""
    got = QUEUED.sub(b"QID", got)
    got = re.sub(rb"250-([^\r\n]*)\r\n250 MTRK\r\n", rb"250 \1\r\n", got)
    return re.sub(rb"\b[0-9A-Za-z]{8}[0-9]{6,}\b", b"QID", got)


def ids(got):
    return [(m[1] or m[2]).decode() for m in QUEUED.finditer(got)]


def one(task):
    number, text, cuts = task
    how = talk_in_turn if sendmail else talk
    a, a_cut = how(alone, [c.replace(b"{MARK}", b"") for c in cuts[0]])
    b, b_cut = how(gate, [c.replace(b"{MARK}", MARK) for c in cuts[1]])
    # an MTA that closes with input unread may lose its last word
    same = words(a) == words(b) or \
        words(a).startswith(words(b) + b"421 4.5.0 Bare ") or \
        words(b).startswith(words(a) + b"421 4.5.0 Bare ") or \
        (a_cut and words(b).startswith(words(a))) or \
        (b_cut and words(a).startswith(words(b)))
    if not same:
        a_lines, b_lines = words(a).splitlines(), words(b).splitlines()
        n = len(os.path.commonprefix([a_lines, b_lines]))
        print("dialogue %d, cut %r\nreply %d alone: %r\nby the gate: %r" %
              (number, text, n, a_lines[n - 1:n + 3], b_lines[n - 1:n + 3]))
    return same, list(zip(ids(a), ids(b))), text.count(b"{MARK}")


def queued(all_ids):
    """id -> its text, with what a session decides taken out."""
    text = b""
    for i in range(0, len(all_ids), 200):
        text += subprocess.run(show + all_ids[i:i + 200], check=True, stdout=subprocess.PIPE).stdout
    parts = {}
    for part in text.split(b"\n== ")[1:]:
        name, _, rest = part.partition(b"\n")
        parts[name.decode()] = rest.replace(name, b"QID")
    return parts


all_dialogues, grammar = dialogues.dialogues(count, seed, sendmail)
tasks = []
for n, t in enumerate(all_dialogues):
    # a cut inside the mark's place would cut it differently
    pieces = [[p for p in grammar.cuts(t)] for _ in range(2)]
    pieces = [p if all(t.count(b"{MARK}") == sum(x.count(b"{MARK}") for x in p) for _ in [0])
              else [t] for p in pieces]
    tasks.append((n, t, pieces))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    results = list(pool.map(one, tasks))
bad = sum(not same for same, _, _ in results)
pairs = [p for _, some, _ in results for p in some]
parts = queued([i for pair in pairs for i in pair])
marks = 0
for a, b in pairs:
    # Sendmail trusts nobody's AUTH= here, and keeps "<>" of any
    mine = re.sub(rb"(AUTH=|sasl_sender=)MTRK\+3D\S*|^A<>$", rb"\1CARRIER", parts[b], flags=re.M)
    without = re.sub(rb"^.*CARRIER.*\n", b"", mine, flags=re.M)
    marks += mine.count(b"CARRIER") - parts[a].count(b"\nA<>\n")
    if re.sub(rb"^A<>\n", b"", parts[a], flags=re.M) not in (without, mine):
        bad += 1
        print("queue files differ: %s %s" % (a, b))
        print("\n".join(difflib.unified_diff(*[p.decode("latin1").splitlines()
                                               for p in (parts[a], without)], n=1, lineterm="")))
print("%d dialogues, %d messages queued, %d of them marked, %d differences (SEED=%d)" %
      (len(tasks), len(pairs), marks, bad, seed))
sys.exit(bad > 0 or not pairs or not marks)
