#!/bin/bash
# Addresses that aren't ASCII (SMTPUTF8), through a real Postfix and its log:
# they are told as they are, in RFC 6533's form for 7 bits on the wire.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab_start_all "transport_maps = inline:{quiet.test=discard:}"

python3 - "$smtp_port" <<'P'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); f = s.makefile("rwb")
def say(text=None):
    if text is not None: f.write(text.encode() + b"\r\n"); f.flush()
    while True:
        line = f.readline().decode()
        if line[3:4] != "-": break
    assert line[0] in "23", (text, line)
say(); say("EHLO hand.test")
say("MAIL FROM:<a@h.test> SMTPUTF8 ENVID=utf8@h.test AUTH=MTRK+3DVheLhqV/rCKJmplkGFwsyW59pYk")
say(r"RCPT TO:<jörg@quiet.test> ORCPT=utf-8;J\x{F6}rg@Quiet.test")
say("RCPT TO:<élan@quiet.test>"); say("RCPT TO:<nobody-ж@lab.test>")
say("DATA"); say("Subject: x\r\n\r\nhi\r\n."); say("QUIT")
P
secret=AAECAwQFBgcICQoLDA0ODw==
ask() { lab_track query "$@" --server "127.0.0.1:$mtqp_port" utf8@h.test $secret; }
ended() { ask --json | jq -e '[.parts[0].recipients[].last_attempt] | index(null) == null'; }
lab_wait 30 ended || lab_fail "not all were tried: $(ask --json)"
[ "$(ask --json | jq -c '.parts[0].recipients[] | [.original_recipient, .final_recipient, .action]')" = \
'["Jörg@Quiet.test","jörg@quiet.test","delivered"]
["élan@quiet.test","élan@quiet.test","delivered"]
["nobody-ж@lab.test","nobody-ж@lab.test","failed"]' ] || lab_fail "$(ask --json)"
ask --raw >"$lab/raw" || true
LC_ALL=C grep -q '[^ -~[:cntrl:]]' "$lab/raw" && lab_fail "not 7 bits: $(cat "$lab/raw")"
grep -q '^Final-Recipient: utf-8; nobody-\\x{436}@lab\.test' "$lab/raw" || lab_fail "$(cat "$lab/raw")"
echo "utf8: ok"
