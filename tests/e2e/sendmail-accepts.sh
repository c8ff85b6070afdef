#!/bin/bash
# The milter under a real Sendmail: a mark in the AUTH carrier opens a record
# with Sendmail's queue id; the certifier is nowhere in a log of ours.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
lab_start
lab_conf
lab_start_sink
lab_start_milter
lab_start_sendmail
python3 - "$sm_port" <<'P'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1])); s.ehlo("client.test")
def say(command, want=250):
    code, text = s.docmd(command); assert code == want, (command, code, text)
say("MAIL FROM:<a@h.test> ENVID=sm1@h.test RET=HDRS AUTH=MTRK+3DVheLhqV/rCKJ+2Bplk+2BFwsyW59pYk:86400")
say("RCPT TO:<friend@far.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;other+40x.test")
say("RCPT TO:<games@sm.lab.test>")
assert s.data("Subject: x\r\n\r\nhi\r\n")[0] == 250
say("MAIL FROM:<a@h.test> ENVID=sm2@h.test"); say("RCPT TO:<games@sm.lab.test>")
assert s.data("Subject: x\r\n\r\nhi\r\n")[0] == 250
s.quit()
P
logged() { grep -c 'stat=Sent' "$lab/sendmail/mail.log" | grep -qx 3; }
lab_wait 20 logged || lab_fail "not delivered: $(cat "$lab/sendmail/mail.log")"
qid=$(sed -n 's/^[0-9.]* \([^:]*\): from=.*nrcpts=2.*/\1/p' "$lab/sendmail/mail.log")
[ ${#qid} = 14 ] || lab_fail "queue id '$qid'"
lab_dump --json | jq -se --arg qid "$qid" 'length == 1 and (.[0] |
    .queue_id == $qid and .envid == "sm1@h.test" and .requested_timeout == 86400
    and .sender == "a@h.test" and .client == "127.0.0.1"
    and (.recipients | map(.original_recipient)) == ["other@x.test", "games@sm.lab.test"])' \
    >/dev/null || lab_fail "wrong record: $(lab_dump --json)"
grep -q VheLhqV "$lab"/*.log && lab_fail "a certifier in a log"
[ -s "$lab/sendmail/mbox.games" ] || lab_fail "no local mail"
echo "sendmail accepts: ok"
