#!/bin/bash
# mtrk-gate as a real Sendmail's mailer, as contrib/sendmail/mtrk.m4 sets it up
# with its own arguments: /usr/sbin/mtrk-gate, as mtrk:mtrk, /etc/mtrk/mtrk.conf.
# SMART_HOST and a mailertable name it.  What a next hop refuses, or the gate
# for it, is bounced or stays queued as Sendmail would have it, and the record
# says the same.
if [ -z "${GATE_BOX:-}" ]; then
	[ "$(id -u)" = 0 ] && unshare -nm true 2>/dev/null || { echo "needs namespaces"; exit 77; }
	GATE_BOX=yes exec unshare -nm "$0" "$@"
fi
bin=$(realpath "${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}")
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
ip link set lo up
lab_start
lab_fetch_sendmail
net=198.51.100
for n in 1 2 3 4 5 6; do ip addr add $net.$n/32 dev lo; done

# a machine with the gate where packages put it, and its user
mkdir -p "$lab/sbin" "$lab/etc/mtrk" "$lab/sendmail"
cp "$bin/mtrk-gate" "$lab/sbin/"
{ cat /etc/passwd; echo 'mtrk:x:4242:4242::/nonexistent:/usr/sbin/nologin'; } >"$lab/etc/passwd"
{ cat /etc/group; echo 'mtrk:x:4242:'; } >"$lab/etc/group"
echo 'nameserver 127.0.0.1' >"$lab/etc/resolv.conf"
lab_conf "User mtrk" "MailLog $lab/sendmail/mail.log"
cp "$lab/mtrk.conf" "$lab/etc/mtrk/"
chmod 755 "$lab/sbin" "$lab/etc" "$lab/etc/mtrk"
mount --bind "$lab/etc/resolv.conf" /etc/resolv.conf
mount -t overlay overlay -o "lowerdir=$lab/sbin:/usr/sbin" /usr/sbin
mount -t overlay overlay -o "lowerdir=$lab/etc:/etc" /etc
lab_run dns dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --pid-file= --user=root \
    --listen-address=127.0.0.1 --bind-interfaces --local=/test/ --local=/example/ \
    --mx-host=relay.example,mx.relay.example,10 --host-record=mx.relay.example,$net.1 \
    --mx-host=other.example,mx.other.example,10 --host-record=mx.other.example,$net.2 \
    --host-record=plain.example,$net.3 --host-record=gruff.example,$net.4 \
    --host-record=busy.example,$net.5 --host-record=down.example,$net.6 --dns-rr=null.example,15,000000
hop() { # NAME NUMBER OPTION...
	local name=$1 n=$2; shift 2
	lab_run "$name" python3 "$lab_root/tests/lab/sink.py" --heard "$lab/heard.$name" "$@" "$net.$n:25" "$lab/taken"
}
listens() { (exec 3<>"/dev/tcp/$net.$1/25") 2>/dev/null; }
hop relay 1 --mtrk --hold "$lab/go"
hop other 2 --mtrk
hop plain 3 --mtrk
hop gruff 4 --greet "554 5.7.1 not you"
hop busy 5 --greet "421 4.3.2 too busy"
lab_wait 20 lab_listens 53 || lab_fail "no DNS"
for n in 1 2 3 4 5; do lab_wait 20 listens $n || lab_fail "no next hop $n"; done

lab_serve mtrk-milter "$milter_port" "$bin/mtrk-milter" -f
touch "$lab/sendmail/mail.log"
sed 's/ /\t/' >"$lab/sendmail/mailertable.txt" <<-E
table.test mtrk:other.example
plain.test esmtp:[$net.3]
gruff.test mtrk:[gruff.example]
busy.test mtrk:[busy.example]
down.test mtrk:[down.example]
null.test mtrk:null.example
gone.test mtrk:gone.example
E
LD_LIBRARY_PATH="$lab_cache/sm/usr/lib/x86_64-linux-gnu" "$lab_cache/sm/usr/libexec/sendmail/makemap" -C /dev/null \
    hash "$lab/sendmail/mailertable" <"$lab/sendmail/mailertable.txt" 2>"$lab/makemap.log" || lab_fail "makemap"
up=$(printf '../%.0s' $(seq 20))
sm_level=11
lab_start_sendmail "define(\`SMART_HOST', \`mtrk:relay.example')dnl" \
    "FEATURE(\`mailertable', \`hash $lab/sendmail/mailertable')dnl" \
    "FEATURE(\`$up$lab_root/contrib/sendmail/mtrk')dnl"
lab_run mtrk-collect "$bin/mtrk-collect" -f

cases=(ok@far.test u@table.test u@plain.test u@gruff.test u@busy.test u@down.test u@null.test u@gone.test
    bounce@table.test defer@table.test late@table.test)
python3 - "$sm_port" "${cases[@]}" <<'P'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1])); s.ehlo("h.test")
for to in sys.argv[2:]:
    for command in ("MAIL FROM:<games@sm.lab.test> ENVID=%s AUTH=MTRK+3DVheLhqV/rCKJmplkGFwsyW59pYk:86400" % to,
                    "RCPT TO:<%s>" % to):
        assert s.docmd(command)[0] == 250
    assert s.data("X-Number: %s\r\nSubject: x\r\n\r\nhi\r\n" % to)[0] == 250
P

ends() { grep "to=<$1>, .*stat=$2" "$lab/sendmail/mail.log"; }
dump() { "$bin/mtrk-dump" "$@"; }
state() { dump --json --envid "$1" | jq -r '.recipients[0] | "\(.action) \(.status) \(.remote_mta)"'; }
state_is() { [ "$(state "$1")" = "$2" ]; }
want() { # RECIPIENT STAT STATE
	lab_wait 30 ends "$1" "$2" || lab_fail "$1: $(grep "to=<$1>" "$lab/sendmail/mail.log")"
	lab_wait 20 state_is "$1" "$3" || lab_fail "$1: $(state "$1"); $(grep "to=<$1>" "$lab/sendmail/mail.log")"
}
# the gate is its own user and nobody else, though the mail is a local user's
gate_is() {
	local id pid
	id=$(sed -n 's/.*qid="\([^"]*\)".*envid="ok@far.test".*/\1/p' "$lab/mtrk-milter.log")
	pid=$(pgrep -f -- "mtrk-gate --pipe relay.example $id")
	awk '/^[UG]id:/ { print $2, $3, $4, $5 } /^Groups:/ { print $2, $3 }' "/proc/$pid/status" >"$lab/is"
	[ "$(tr '\n' ';' <"$lab/is")" = "4242 4242 4242 4242;4242 4242 4242 4242;4242 ;" ]
}
lab_wait 20 gate_is || lab_fail "the gate is $(cat "$lab/is")"
touch "$lab/go"
want ok@far.test Sent "transferred 2.4.0 mx.relay.example"
want u@table.test Sent "transferred 2.4.0 mx.other.example"
want u@plain.test Sent "relayed 2.1.9 [$net.3]"
! grep -q MTRK "$lab/heard.plain" || lab_fail "plain: $(cat "$lab/heard.plain")"
# Sendmail has statuses of its own for what is said before MAIL
want u@gruff.test "Service unavailable" "failed 5.5.0 [gruff.example]"
want u@null.test "Service unavailable" "failed 5.5.0 null.example"
want u@gone.test "Service unavailable" "failed 5.5.0 gone.example"
want bounce@table.test "User unknown" "failed 5.1.1 other.example"
want late@table.test "Service unavailable" "failed 5.6.0 other.example"
want u@busy.test "Deferred: 421 4.3.2 too busy" "delayed 4.5.0 [busy.example]"
want u@down.test "Deferred: 421 4.4.1 down.example: Connection refused" "delayed 4.5.0 [down.example]"
want defer@table.test "Deferred: 451 4.7.1 try again later" "delayed 4.7.1 other.example"
# who sent it is told, with the next hop's words or the gate's; the rest waits
box=$lab/sendmail/mbox.games
told() { [ "$(grep -c '^Action: failed' "$box")" = 5 ]; }
lab_wait 20 told || lab_fail "bounces: $(grep '^Action' "$box")"
for words in "554 5.7.1 not you" "556 5.1.10 null.example: it takes no mail (null MX)" \
    "554 5.1.2 gone.example: no such name in the DNS" "550 5.1.1 no such user" "554 5.6.0 content refused"; do
	grep -qF "$words" "$box" || lab_fail "not told: $words"
done
queued() { lab_sm -bp | sed -n 's/^[^(]*<\([^@]*@[^.]*.test\)>$/\1/p' | sort | tr '\n' ' '; }
queued_are() { [ "$(queued)" = "$1" ]; } # some were Sent a moment ago
lab_wait 20 queued_are "defer@table.test u@busy.test u@down.test " || lab_fail "queued: $(lab_sm -bp)"
kill "$busy_pid"; wait "$busy_pid" 2>/dev/null || true
hop busy 5; hop down 6 --mtrk
lab_wait 20 listens 5 && lab_wait 20 listens 6 || lab_fail "not mended"
lab_sm -q -v >/dev/null 2>&1
want u@busy.test Sent "relayed 2.1.9 busy.example"
want u@down.test Sent "transferred 2.4.0 down.example"
lab_wait 20 queued_are "defer@table.test " || lab_fail "queued: $(lab_sm -bp)"
got=$(awk 'NF > 1 { print $1 }' "$lab/taken" | sort | tr '\n' ' ')
[ "$got" = "late@table.test ok@far.test u@busy.test u@down.test u@plain.test u@table.test " ] || lab_fail "taken: $(cat "$lab/taken")"
echo "gate as a mailer: ok"
