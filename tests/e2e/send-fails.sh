#!/bin/bash
# "send" exits 0 only if the server took the message; whatever the server
# does, the secret was stored before, and the list tells what became of it.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab=$(mktemp -d /tmp/mtrk-lab-XXXXXX)
stop() { local status=$?; set +e; kill "${lab_pids[@]}" 2>/dev/null; rm -rf "$lab"; exit $status; }
trap stop EXIT
export XDG_DATA_HOME="$lab/data" XDG_CONFIG_HOME="$lab/config"
read -r port nobody <<<"$(lab_ports 2)"

# A server that ends a session as the sender's first letter says.
cat >"$lab/server.py" <<'P'
import socket, sys
ends = {"a": b"250 2.0.0 taken\r\n", "b": b"451 4.3.0 later\r\n", "c": b"554 5.7.1 no\r\n",
        "d": None, "e": b"", "f": b"nonsense\r\n"}
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = s.accept(); f = c.makefile("rwb"); end = b""
    def say(text): f.write(text); f.flush()
    say(b"220 x ESMTP\r\n")
    try:
        for line in f:
            word = line[:4].upper()
            if word == b"EHLO": say(b"250-x\r\n250 MTRK\r\n")
            elif word == b"MAIL":
                end = ends[line.split(b"<")[1][:1].decode()]; say(b"250 ok\r\n")
            elif word == b"DATA":
                say(b"354 go\r\n")
                while f.readline() not in (b".\r\n", b""): pass
                if not end: break
                say(end)
            elif word == b"RCPT" and end is None: break
            elif word == b"QUIT": say(b"221 bye\r\n"); break
            else: say(b"250 ok\r\n")
    except OSError: pass
    f.close(); c.close()
P
lab_run server python3 "$lab/server.py" "$port"
lab_wait 20 lab_listens "$port" || lab_fail "no server"

number=0
# sends FROM STATUS STATE [PORT]
sends() {
	local status=0
	number=$((number + 1))
	printf 'Subject: %s\n\nhi\n' "$1" | lab_track send --server "127.0.0.1:${4:-$port}" \
	    --from "$1@h.test" x@y.test >"$lab/out" 2>"$lab/says" || status=$?
	[ $status = "$2" ] || lab_fail "$1: exit status $status, not $2: $(cat "$lab/says")"
	[ "$(lab_track list --json | jq -r "select(.number == $number) | .state")" = "$3" ] ||
	    lab_fail "$1: $(lab_track list)"
	lab_track share $number | grep -q '^mtqp://127.0.0.1/track/' || lab_fail "$1: the secret is lost"
}
# Q46: what share prints is the URI, all that anybody needs to ask
sends a 0 sent; cmp -s "$lab/out" <(lab_track share 1) || lab_fail "the URI"
sends b 75 failed
sends c 2 failed
sends d 69 failed
sends e 69 unsure; grep -q 'perhaps not sent.*query 5' "$lab/says" || lab_fail "unsure: $(cat "$lab/says")"
sends f 69 unsure
sends a 69 failed "$nobody"
# no place for the secret: nothing is sent
status=0; echo hi | XDG_DATA_HOME=/proc/nowhere lab_track send --server "127.0.0.1:$port" x@y.test 2>/dev/null || status=$?
[ $status = 73 ] || lab_fail "no place: $status"
# forget
lab_track forget 1 3 || lab_fail "forget"
[ "$(lab_track list --json | jq -r .number | tr '\n' ' ')" = '2 4 5 6 7 ' ] || lab_fail "forgotten: $(lab_track list)"
status=0; lab_track forget 1 2>/dev/null || status=$?; [ $status = 66 ] || lab_fail "forget twice: $status"
lab_track forget --older 1h && lab_track share 2 >/dev/null || lab_fail "nothing is that old"
echo "send fails: ok"
