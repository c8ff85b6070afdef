#!/bin/bash
# Addresses that aren't ASCII (SMTPUTF8), through a real Postfix and its log:
# they are told as they are, in RFC 6533's form for 7 bits on the wire.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab_start_all "transport_maps = inline:{quiet.test=discard:}"

python3 - "$smtp_port" <<'P'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1])); s.ehlo("hand.test")
s.command_encoding = "utf-8"
def say(command):
    code, text = s.docmd(command); assert code < 300, (command, code, text)
say("MAIL FROM:<a@h.test> SMTPUTF8 ENVID=utf8@h.test AUTH=MTRK+3DVheLhqV/rCKJmplkGFwsyW59pYk")
say(r"RCPT TO:<jörg@quiet.test> ORCPT=utf-8;J\x{F6}rg@Quiet.test")
say("RCPT TO:<élan@quiet.test>"); say("RCPT TO:<nobody-ж@lab.test>")
assert s.data("Subject: x\r\n\r\nhi\r\n")[0] == 250
s.quit()
P
secret=AAECAwQFBgcICQoLDA0ODw==
ask() { lab_track query "$@" --server "127.0.0.1:$mtqp_port" utf8@h.test $secret; }
ended() { ask --json | jq '[.parts[0].recipients[].last_attempt] | index(null)' | grep -qx null; }
lab_wait 30 ended || lab_fail "not all were tried: $(ask --json)"
[ "$(ask --json | jq -c '.parts[0].recipients[] | [.original_recipient, .final_recipient, .action]')" = \
'["Jörg@Quiet.test","jörg@quiet.test","delivered"]
["élan@quiet.test","élan@quiet.test","delivered"]
["nobody-ж@lab.test","nobody-ж@lab.test","failed"]' ] || lab_fail "$(ask --json)"
ask --raw >"$lab/raw" || true
LC_ALL=C grep -q '[^ -~[:cntrl:]]' "$lab/raw" && lab_fail "not 7 bits: $(cat "$lab/raw")"
grep -q '^Final-Recipient: utf-8; nobody-\\x{436}@lab\.test' "$lab/raw" || lab_fail "$(cat "$lab/raw")"

# sent by mtrk-track itself: SMTPUTF8, and ORCPT as utf-8-addr-xtext
sends() { printf 'From: %s\nSubject: Grüße\n\nhi\n' "$1" | lab_track send --server "127.0.0.1:$smtp_port" --assume-mtrk \
    --mtqp "127.0.0.1:$mtqp_port" --from "$1" "${@:2}"; }
sends jürgen@lab.test jörg@quiet.test 'élan+x@quiet.test' >"$lab/uri" || lab_fail "send"
ended() { lab_track query --json "$(cat "$lab/uri")" | jq '[.parts[0].recipients[].last_attempt] | index(null)' | grep -qx null; }
lab_wait 30 ended || lab_fail "not tried: $(lab_track query --json 1)"
[ "$(lab_track query --json 1 | jq -c '.parts[0].recipients[] | [.original_recipient, .final_recipient, .action]')" = \
'["jörg@quiet.test","jörg@quiet.test","delivered"]
["élan+x@quiet.test","élan+x@quiet.test","delivered"]' ] || lab_fail "sent: $(lab_track query --json 1)"
grep -q 'from=<jürgen@lab.test>' "$lab_postfix/log/maillog" || lab_fail "the sender"
LC_ALL=C.UTF-8 lab_track query 1 | grep -q '^jörg@quiet.test: Delivered' || lab_fail "as people see it"
LC_ALL=C lab_track query 1 | grep -q '^j?rg@quiet.test: Delivered' || lab_fail "in a locale without it"

# a server that does not take it: nothing is sent to anybody, and it says why
lab_restart_postfix smtputf8_enable=no
refuses() { status=0; sends "$1" "${@:2}" >"$lab/out" 2>"$lab/says" || status=$?
	[ $status = 69 ] && grep -Fq "not sent: <jörg@quiet.test>: the server takes addresses in ASCII only" "$lab/says"; }
export LC_ALL=C.UTF-8
refuses a@lab.test bob@quiet.test jörg@quiet.test || lab_fail "no SMTPUTF8: $status $(cat "$lab/says")"
refuses jörg@quiet.test bob@quiet.test || lab_fail "the sender, no SMTPUTF8: $status $(cat "$lab/says")"
grep -q 'to=<bob@quiet.test>' "$lab_postfix/log/maillog" && lab_fail "sent to one of them"
sends a@lab.test bob@quiet.test >"$lab/uri" || lab_fail "ASCII is refused"
status=0; sends a@lab.test $'j\xf6rg@quiet.test' 2>"$lab/says" || status=$?
{ [ $status = 64 ] && grep -q 'not an address: "j?rg@quiet.test"' "$lab/says"; } || lab_fail "Latin-1: $status $(cat "$lab/says")"
echo "utf8: ok"
