#!/bin/bash
# Another process has the store's lock for writers, for as long as it likes.
# What a next hop took is told to the MTA a second later at most, others'
# conversations go on meanwhile, a gate starts, and in the end it is recorded.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
put=$(dirname "$bin")/tests/put
. "$(dirname "$0")/../lab/lab.sh"
lab_start
read -r route <<<"$(lab_ports 1)"
lab_conf "GateRoute 127.0.0.1:$route [127.0.0.1]:$sink_port"
lab_serve sink "$sink_port" python3 "$lab_root/tests/lab/sink.py" --mtrk "$sink_port" "$lab/taken"
mkdir "$lab/store"
for n in {1..14}; do
	"$put" "$lab/store" "q$n@h.test" "u$n@far.test" "u$n@far.test" delayed 4.0.0 - || lab_fail "put"
done
python3 - "$put" "$lab" "$bin/mtrk-gate" "$route" "$sink_port" <<'P' || lab_fail "the conversations"
import os, resource, select, socket, subprocess, sys, time
put, lab, gate, route, sink = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
holder = subprocess.Popen([put, lab + "/store", "hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
assert holder.stdout.readline() == b"held\n"
log = open(lab + "/mtrk-gate.log", "ab")
daemon = subprocess.Popen([gate, "-c", lab + "/mtrk.conf", "-f"], stdout=log, stderr=log)
end = time.monotonic() + 20
while True:
    try: socket.create_connection(("127.0.0.1", route)).close(); break
    except OSError: assert time.monotonic() < end, "no gate"; time.sleep(0.05)

class Client:
    def __init__(self, port=route):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.f = self.s.makefile("rb", 0)
        self.reply()
        self.say("EHLO a.test")
    def reply(self):
        line = self.f.readline()
        while line[3:4] == b"-": line = self.f.readline()
        return line[:3].decode()
    def say(self, *lines):
        self.s.sendall(b"".join(l.encode() + b"\r\n" for l in lines))
        return self.reply()
    def begin(self, n):
        assert self.say("MAIL FROM:<sender@h.test> ENVID=q%d@h.test" % n) == "250"
        assert self.say("RCPT TO:<u%d@far.test>" % n) == "250"
        assert self.say("DATA") == "354"
        self.s.sendall(b"X-Number: %d\r\n\r\nx\r\n.\r\n" % n)

def taken(n):
    end = time.monotonic() + 20
    while True:
        try:
            if ("%d u%d@" % (n, n)) in open(lab + "/taken").read(): return
        except OSError: pass
        assert time.monotonic() < end, "not taken"
        time.sleep(0.005)

def mailer(n, stderr, before=None):
    p = subprocess.Popen([gate, "-c", lab + "/mtrk.conf", "--pipe", "[127.0.0.1]:" + sink, "Q%d" % n],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, preexec_fn=before)
    p.stdin.write(b"EHLO a.test\r\nMAIL FROM:<sender@h.test> ENVID=q%d@h.test\r\nRCPT TO:<u%d@far.test>\r\nDATA\r\n"
        b"X-Number: %d\r\n\r\nx\r\n.\r\nQUIT\r\n" % (n, n, n))
    p.stdin.close()
    return p

def mailer_ends_well(p):
    words = p.stdout.read()
    assert words.count(b"queued as") == 1 and words.count(b"\r\n221 ") == 1, words
    assert p.wait(20) == 0

# as a mailer it ends soon, for Sendmail waits for that
held = mailer(6, log)
# whoever waits for the store waits alone (ten tries, for a machine that is busy)
other, alone = Client(), False
senders = []
for n in 1, 2, 3, 7, 8, 9, 10, 11, 12, 13:
    if n > 1: # until the gate has patience again
        holder.stdin.close(); holder.wait()
        holder = subprocess.Popen([put, lab + "/store", "hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert holder.stdout.readline() == b"held\n"
    senders.append(Client()); senders[-1].begin(n); taken(n)
    for _ in range(3): assert other.say("NOOP") == "250"
    alone = select.select([senders[-1].s], [], [], 0)[0] == []
    assert senders[-1].reply() == "250"
    if alone: break
assert alone, "others wait, too"
# the MTA goes away meanwhile; the same conversation's next message
gone = Client(); gone.begin(4); gone.s.close()
senders[-1].begin(5); assert senders[-1].reply() == "250"
taken(4)
mailer_ends_well(held)
holder.stdin.close(); holder.wait()
# one whose files may not grow doesn't die of that before it has told what was taken
mailer_ends_well(mailer(14, subprocess.DEVNULL, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))))
recorded, want = 0, [n for n in range(1, n + 1) if n != 6] + [4, 5]
end = time.monotonic() + 20
while recorded < len(want):
    dump = [subprocess.run([os.path.dirname(gate) + "/mtrk-dump", "-c", lab + "/mtrk.conf", "--json", "--envid", "q%d@h.test" % n],
        stdout=subprocess.PIPE).stdout for n in want]
    recorded = sum(b'"transferred"' in d for d in dump)
    assert time.monotonic() < end, dump
daemon.terminate()
assert daemon.wait(20) == 0
P
! grep unrecorded "$lab/mtrk-gate.log" || lab_fail "not all is recorded"
echo "gate held: ok"
