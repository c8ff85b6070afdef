#!/bin/bash
# A marked message through a real Postfix: four outcomes, both spellings of
# the AUTH carrier, a bad mark, no mark (A42), a wrong secret (A16).
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab_start_all

ask() { lab_track query --server "127.0.0.1:$mtqp_port" "$@"; }
actions() { ask --json "$@" | jq -r '[.parts[0].recipients[].action] | join(" ")'; }
tried() { [ "$(ask --json "$@" | jq '[.parts[0].recipients[].last_attempt] | index(null)')" = null ]; }

# 1. MTRK= through the command filter, by mtrk-track; every face of the answer
uri=$(printf 'Subject: x\n\nhi\n.dot\n' | lab_track send --server "127.0.0.1:$smtp_port" \
    --mtqp "127.0.0.1:$mtqp_port" --assume-mtrk --host lab.test --timeout 2d \
    games@lab.test friend@far.test defer@far.test bounce@far.test)
envid=$(echo "$uri" | cut -d/ -f5)
done_all() { lab_track query --json "$uri" | jq '[.parts[0].recipients[].last_attempt] | index(null)' | grep -qx null; }
lab_wait 30 done_all || lab_fail "not all were tried"
status=0; lab_track query --json "$uri" >"$lab/answer" || status=$?
[ $status = 2 ] || lab_fail "exit status $status: one failed, so 2"
jq -e '.parts[0].recipients | map([.original_recipient, .action, .status]) ==
    [["games@lab.test", "delivered", "2.0.0"], ["friend@far.test", "relayed", "2.1.9"],
     ["defer@far.test", "delayed", "4.7.1"], ["bounce@far.test", "failed", "5.1.1"]]' \
    "$lab/answer" >/dev/null || lab_fail "wrong answer: $(cat "$lab/answer")"
jq -e '.parts[0].recipients | map(.will_retry_until != null) == [false, false, true, false]' \
    "$lab/answer" >/dev/null || lab_fail "T19"
have_id() { lab_dump --json --envid "$envid" | jq '.message_id != null' | grep -qx true; }
lab_wait 10 have_id || lab_fail "no Message-ID"
lab_dump --json --envid "$envid" | jq -e '
    .requested_timeout == 172800 and .instance == "default" and .client == "127.0.0.1"
    and .reporting_mta == "mx.lab.test" and (.recipients | length == 4)
    and (.recipients[2].events[0] | .action == "delayed" and (.text | contains("451 4.7.1")))
    and ((.expires | fromdate) - (.arrival | fromdate) == 172800)' >/dev/null ||
    lab_fail "mtrk-dump: $(lab_dump --json)"
[ "$(stat -c %a "$XDG_DATA_HOME/mtrk/sent.json")" = 600 ] || lab_fail "sent.json's mode"
grep -q . "$lab/taken" || lab_fail "nothing relayed"

# 2. the other spelling, bad marks, and no mark, by hand
python3 - "$smtp_port" <<'P'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1])); s.ehlo("hand.test")
def say(command):
    code, text = s.docmd(command); assert code < 300, (command, code, text)
cert = "VheLhqV/rCKJmplkGFwsyW59pYk"
for mail in ("ENVID=xtext@h.test AUTH=MTRK+3D" + cert,
             "ENVID=unmarked@h.test",
             "ENVID=short@h.test MTRK=short",
             "ENVID=noat MTRK=" + cert,
             "MTRK=" + cert):
    say("MAIL FROM:<a@h.test> " + mail); say("RCPT TO:<games@lab.test>")
    assert s.data("Subject: by hand\r\n\r\nhi\r\n")[0] == 250
say("MAIL FROM:<a@h.test> ENVID=aborted@h.test MTRK=" + cert)
say("RCPT TO:<games@lab.test>"); say("RSET"); say("QUIT")
P
secret=AAECAwQFBgcICQoLDA0ODw==
lab_wait 20 tried xtext@h.test $secret || lab_fail "xtext carrier"
[ "$(actions xtext@h.test $secret)" = delivered ] || lab_fail "xtext: not delivered"
for known in unmarked@h.test short@h.test noat aborted@h.test; do
	status=0; ask "$known" $secret >/dev/null 2>&1 || status=$?
	[ $status != 0 ] && [ $status != 1 ] || lab_fail "$known is tracked"
done
unknown=$(ask nobody@h.test $secret 2>&1 || true)
wrong=$(ask xtext@h.test AAECAwQFBgcICQoLDA0ODg== 2>&1 || true)
[ "$unknown" = "$wrong" ] || lab_fail "A16: $unknown / $wrong"
[ "$(lab_dump --json | wc -l)" = 2 ] || lab_fail "two messages are tracked, not $(lab_dump --json | wc -l)"
[ "$(grep -c 'event=bad-mtrk' "$lab/mtrk-milter.log")" = 3 ] || lab_fail "bad marks in the log"
grep -q VheLhqV "$lab"/*.log && lab_fail "a certifier in a log"

# what the helpdesk pastes, as it stands in a header, and nothing at all
[ "$(lab_dump --json --sender '<A@h.test>' | jq -r .envid)" = xtext@h.test ] || lab_fail "--sender <>"
id=$(lab_dump --json --envid '<xtext@h.test>' | jq -r .message_id)
for id in "$id" "${id//[<>]/}"; do
	[ "$(lab_dump --json --message-id "$id" | jq -r .envid)" = xtext@h.test ] || lab_fail "--message-id $id"
done
for none in --envid --queue-id --message-id --sender --recipient; do
	[ -z "$(lab_dump $none '' 2>/dev/null)" ] || lab_fail "$none without one is everything"
done
for more in --json '--sender x'; do
	status=0; lab_dump --statistics $more >/dev/null 2>&1 || status=$?
	[ $status = 64 ] || lab_fail "--statistics $more: $status"
done

# 3. the log read again adds nothing; restarts lose nothing
before=$(lab_dump --json | sort)
kill "$mtrk_collect_pid"; wait "$mtrk_collect_pid" || true
"$bin/mtrk-collect" -c "$lab/mtrk.conf" --once 2>/dev/null || lab_fail "--once"
[ "$before" = "$(lab_dump --json | sort)" ] || lab_fail "reading again changed something"
echo "first message: ok"
