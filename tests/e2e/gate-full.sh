#!/bin/bash
# An MTA's socket whose queue is full: the client waits, as at a port, and is
# served once there is room; it is not told that the MTA is down.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
lab_start
gate_port=$(lab_ports 1)
lab_conf "GateListen 127.0.0.1:$gate_port unix:$lab/mta.sock plain"
lab_start_gate
python3 - "$lab/mta.sock" "$gate_port" "$mtrk_gate_pid" <<'P' || lab_fail "the clients"
import os, socket, sys, time
path, port, gate = sys.argv[1], int(sys.argv[2]), sys.argv[3]

def ask(): return socket.create_connection(("127.0.0.1", port), timeout=40)
def said(s): return s.makefile("rb").readline()
def sockets():
    n = 0
    for fd in os.listdir("/proc/%s/fd" % gate):
        try: n += os.readlink("/proc/%s/fd/%s" % (gate, fd)).startswith("socket:")
        except OSError: pass
    return n

# there is no such socket yet
assert said(ask()).startswith(b"421 4.3.2")
mta = socket.socket(socket.AF_UNIX); mta.bind(path); mta.listen(0)
fills = socket.socket(socket.AF_UNIX); fills.connect(path)
full = socket.socket(socket.AF_UNIX); full.setblocking(False)
try: full.connect(path); raise SystemExit("the queue is not full")
except BlockingIOError: pass
before = sockets()
clients = [ask() for _ in range(3)]
end = time.monotonic() + 30
while sockets() < before + 3:
    assert time.monotonic() < end, "the gate takes no client"
    time.sleep(0.02)
first, _ = mta.accept()
for _ in clients:
    s, _ = mta.accept()
    s.sendall(b"220 mta.test ESMTP\r\n")
for c in clients:
    assert said(c).startswith(b"220 mta.test"), "not the MTA"
P
echo "gate full: ok"
