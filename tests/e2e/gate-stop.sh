#!/bin/bash
# mtrk-gate is told to stop in the middle of everything: each side gets 421 at
# a point where it can try again, what was begun is let finish, and of no message
# is the last word lost, so that none comes twice and none is lost.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
lab_start
read -r route hop route2 hop2 <<<"$(lab_ports 4)"
sink() { lab_run "$1" python3 "$lab_root/tests/lab/sink.py" --mtrk --heard "$lab/heard.$1" "${@:3}" "$2" "$lab/taken"; }
sink held "$hop" --hold "$lab/go"
sink slow "$hop2" --meet 2
gate_lines=("GateRoute 127.0.0.1:$route [127.0.0.1]:$hop" "GateRoute 127.0.0.1:$route2 [127.0.0.1]:$hop2")
lab_start_gated_postfix "transport_maps = inline:{ {held.test=smtp:[127.0.0.1]:$route} {slow.test=smtp:[127.0.0.1]:$route2} }"
lab_start_milter
gone() { ! kill -0 "$mtrk_gate_pid" 2>/dev/null; }
ended() { lab_wait 20 gone || lab_fail "$1: the gate goes on"; wait "$mtrk_gate_pid" || lab_fail "$1: exit status $?"; }
stops() { [ "$(grep -c event=stop "$lab/mtrk-gate.log")" = "$1" ]; }
boxes() { ls "$lab/postfix/mail/games/new" 2>/dev/null | wc -l; }
boxes_are() { [ "$(boxes)" = "$1" ]; }
flushed() { lab_pf postqueue -f; lab_pf postqueue -p | grep -q 'queue is empty'; }

# what the client says and hears; what must happen meanwhile is asked for on
# its output and granted on its input
cat >"$lab/client.py" <<'P'
import socket, sys
port = int(sys.argv[1])
class Client:
    def __init__(self, *lines):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.f = self.s.makefile("rb")
        self.expect("220")
        for line in ("EHLO c.test",) + lines:
            self.say(line)
            self.expect("354" if line == "DATA" else "250")
    def say(self, line):
        self.s.sendall(line.encode() + b"\r\n")
    def expect(self, code):
        while (line := self.f.readline().decode())[3:4] == "-":
            pass
        assert line.startswith(code), (code, line)
    def over(self):
        self.expect("421 4.3.2 ")
        try:
            assert self.f.read() == b""
        except ConnectionResetError:
            pass
def meanwhile(what):
    print(what, flush=True)
    assert sys.stdin.readline()
MAIL, RCPT = "MAIL FROM:<a@h.test>", "RCPT TO:<games@lab.test>"
P
talk() { # SCRIPT: with functions named after what happens meanwhile
	coproc python3 -c "$(cat "$lab/client.py")
$1" "${2:-$gate_port}" 2>"$lab/client.log"
	local client=$COPROC_PID in=${COPROC[0]} out=${COPROC[1]} what
	while read -r -u "$in" what; do "$what"; echo >&"$out"; done
	wait "$client" || lab_fail "the client: $(tail -2 "$lab/client.log")"
}
term() { kill -TERM "$mtrk_gate_pid"; lab_wait 10 stops $((n += 1)) || lab_fail "no stop"; }
n=0

# 1. clients of ours: idle ones go at once, others finish; nobody comes any more
freeze() { kill -STOP "$mtrk_milter_pid"; }
thaw() { kill -CONT "$mtrk_milter_pid"; }
talk '
idle, begun, writing = Client(), Client(MAIL, RCPT), Client(MAIL, RCPT, "DATA")
writing.say("Subject: x")
meanwhile("term")
idle.over()
try:
    Client(); assert False, "a new one was let in"
except ConnectionRefusedError:
    pass
for c in begun, writing:
    if c == begun:
        c.say("DATA"); c.expect("354")
    c.say("\r\nhi\r\n."); c.expect("250 2.0.0 Ok: queued"); c.over()'
ended "clients"
# 2. the grace is over: who is in the middle gets 421, and has to come again; who
# has said the last dot gets the reply
lab_start_gate
talk '
begun, writing, done = Client(MAIL, RCPT), Client(MAIL, RCPT, "DATA"), Client(MAIL, RCPT, "DATA")
writing.say("Subject: x\r\n\r\nhi")
meanwhile("freeze")
done.say("Subject: x\r\n\r\nhi\r\n.\r\nNOOP")
meanwhile("term"); meanwhile("term")
begun.over(); writing.over()
meanwhile("thaw")
done.expect("250 2.0.0 Ok: queued"); done.expect("250"); done.over()'
ended "the end of the grace"
lab_wait 20 boxes_are 3 || lab_fail "$(boxes) messages, not 3"

# 3. the MTA as our client: the next hop has a whole message and owes the
# verdict; another has only begun; a third is in its content
lab_start_gate
python3 "$lab_root/tests/lab/marked.py" "$smtp_port" o1@h.test a@h.test x@held.test >/dev/null
python3 "$lab_root/tests/lab/marked.py" "$smtp_port" o2@h.test a@h.test x@slow.test >/dev/null
lab_wait 20 grep -q ' \.$' "$lab/heard.held" || lab_fail "the message did not come"
lab_wait 20 grep -q ' DATA$' "$lab/heard.slow" || lab_fail "DATA did not come"
release() { touch "$lab/go"; }
still() { ! gone || lab_fail "the gate did not wait for the verdict"; }
talk '
writing = Client(MAIL, "RCPT TO:<by@hand.test>")
writing.say("DATA"); writing.expect("354")
writing.say("Subject: x\r\n\r\nhi")
meanwhile("term"); meanwhile("term")
writing.over()
meanwhile("still"); meanwhile("release")' "$route"
ended "the MTA"
sent() { grep -q 'to=<x@held.test>.*status=sent (250 2.0.0 Ok: queued as SINK01)' "$lab/postfix/log/maillog"; }
lab_wait 20 sent || lab_fail "held: $(grep x@held.test "$lab/postfix/log/maillog")"
later() { grep -q 'to=<x@slow.test>.*status=deferred (.*421 4.3.2 the gate is being stopped' "$lab/postfix/log/maillog"; }
lab_wait 20 later || lab_fail "slow: $(grep x@slow.test "$lab/postfix/log/maillog")"
lab_start_gate
lab_wait 90 flushed || lab_fail "still queued: $(lab_pf postqueue -p)"
[ "$(sort "$lab/taken" | tr '\n' ' ')" = "- x@held.test - x@slow.test " ] || lab_fail "taken: $(cat "$lab/taken")"
echo "gate stop: ok"
