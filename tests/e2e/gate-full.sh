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
python3 - "$lab/mta.sock" "$gate_port" <<'P' || lab_fail "the clients"
import socket, sys, time
path, port = sys.argv[1], int(sys.argv[2])

def ask(): return socket.create_connection(("127.0.0.1", port), timeout=40)
def said(s): return s.makefile("rb").readline()
def taken(s): # nobody has a socket that waits to be accepted: no inode
    ends = ["0100007F:%04X" % port, "0100007F:%04X" % s.getsockname()[1]]
    with open("/proc/net/tcp") as f:
        return any(w[1:3] == ends and w[9] != "0" for w in map(str.split, f))

# there is no such socket yet
assert said(ask()).startswith(b"421 4.3.2")
mta = socket.socket(socket.AF_UNIX); mta.bind(path); mta.listen(0)
fills = socket.socket(socket.AF_UNIX); fills.connect(path)
full = socket.socket(socket.AF_UNIX); full.setblocking(False)
try: full.connect(path); raise SystemExit("the queue is not full")
except BlockingIOError: pass
clients = [ask() for _ in range(3)]
end = time.monotonic() + 30
while not all(map(taken, clients)):
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
