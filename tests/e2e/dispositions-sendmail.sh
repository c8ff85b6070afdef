#!/bin/bash
# Every outcome that Sendmail knows, by a real one, at LogLevel 9 and 11.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/outcomes.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
lab_start
lab_conf "HideForwarding no" "MailLog $lab/sendmail/mail.log"
mkdir -p "$lab/sendmail/forward"
lab_start_sink
read -r refuser_port <<<"$(lab_ports 1)"
lab_serve refuser "$refuser_port" python3 "$lab_root/tests/lab/refuser.py" "$refuser_port"
lab_start_milter
cat >"$lab/sendmail/aliases" <<'A'
single: games
same: games
half: games, nosuchuser
bad: nosuchuser
worse: bad
gone: nosuchuser2, nosuchuser3
away: friend@far.test
two: games, news@far.test
list: games, carol@far.test, dave@far.test
owner-list: listadmin
listadmin: friend@far.test
solo: carol@far.test
owner-solo: listadmin
included: :include:/etc/hostname
nested: list, games
loop: loop2
loop2: loop
program: "|cat >/dev/null"
A
printf 'fwd@far.test\n' >"$lab/sendmail/forward/sync"
printf '\\man, copy@far.test\n' >"$lab/sendmail/forward/man"
printf 'proxy 75\nbackup 69\nwww-data 67\n' >"$lab/sendmail/exits"
rest="INPUT_MAIL_FILTER(\`refuser', \`S=inet:$refuser_port@127.0.0.1')dnl
define(\`confTO_QUEUEWARN', \`1d')define(\`confTO_QUEUERETURN', \`4s')dnl
define(\`confPRIVACY_FLAGS', \`')dnl
QUEUE_GROUP(\`mqueue', \`P=$lab/sendmail/queue, F=f, r=3')dnl
LOCAL_RULESETS
SLocal_check_mail
R<quarantine@h.test>	\$#error \$@ quarantine \$: suspicious
R<drop@h.test>	\$#discard \$: discard
Scheck_compat
R\$* \$| <throw@far.test>	\$#discard \$: discard
"

log=$lab/sendmail/mail.log
mark() { mark_at "$sm_port" "$@"; }
lab_start_sendmail "$rest"
lab_start_collect
lab_start_mtqpd

# 1. sent, local, several on a line, failures before and after DATA
mark ways@h.test a@h.test friend@far.test friend2@far.test games@sm.lab.test
want ways@h.test \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'friend2@far.test friend2@far.test relayed 2.1.9 [127.0.0.1]' \
    'games@sm.lab.test games@sm.lab.test delivered 2.0.0 -'
mark fail@h.test a@h.test bounce@far.test www-data@sm.lab.test backup@sm.lab.test
want fail@h.test \
    'bounce@far.test bounce@far.test failed 5.1.1 [127.0.0.1]' \
    'www-data@sm.lab.test www-data@sm.lab.test failed 5.1.1 -' \
    'backup@sm.lab.test backup@sm.lab.test failed 5.0.0 -'
mark late@h.test a@h.test late@far.test friend@far.test
want late@h.test 'late@far.test late@far.test failed 5.6.0 [127.0.0.1]' \
    'friend@far.test friend@far.test failed 5.6.0 [127.0.0.1]'
# a remote's code that doesn't fit its reply is in the log as it came
mark later@h.test a@h.test later@far.test
want later@h.test 'later@far.test later@far.test failed 5.6.0 [127.0.0.1]'
mark odd@h.test a@h.test odd@far.test
want odd@h.test 'odd@far.test odd@far.test relayed 2.1.9 [127.0.0.1]'

# 2. aliases and .forward at LogLevel 9: members have no brackets and no link
mark single@h.test a@h.test single@sm.lab.test
want single@h.test 'single@sm.lab.test games delivered 2.0.0 -'
mark away@h.test a@h.test away@sm.lab.test games@sm.lab.test
want away@h.test 'away@sm.lab.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'games@sm.lab.test games@sm.lab.test delivered 2.0.0 -'
# the same mailbox as another recipient's, delivered once
mark both@h.test a@h.test away@sm.lab.test friend@far.test
want both@h.test 'away@sm.lab.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
mark two@h.test a@h.test two@sm.lab.test
want two@h.test 'two@sm.lab.test two@sm.lab.test expanded 2.0.0 -'
# of which one is refused at once, and only that says whose he is
mark half@h.test a@h.test half@sm.lab.test friend@far.test
want half@h.test 'half@sm.lab.test half@sm.lab.test expanded 2.0.0 -' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
# two that lead to one mailbox: nothing tells of a second delivery, for there is none
mark same@h.test a@h.test single@sm.lab.test same@sm.lab.test
want same@h.test 'single@sm.lab.test single@sm.lab.test opaque 2.0.0 -' \
    'same@sm.lab.test same@sm.lab.test opaque 2.0.0 -'
mark list@h.test a@h.test list@sm.lab.test friend@far.test
want list@h.test 'list@sm.lab.test list@sm.lab.test expanded 2.0.0 -' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
mark solo@h.test a@h.test solo@sm.lab.test
want solo@h.test 'solo@sm.lab.test solo@sm.lab.test expanded 2.0.0 -'
mark forward@h.test a@h.test sync@sm.lab.test
want forward@h.test 'sync@sm.lab.test fwd@far.test relayed 2.1.9 [127.0.0.1]'
mark copy@h.test a@h.test man@sm.lab.test
want copy@h.test 'man@sm.lab.test man@sm.lab.test expanded 2.0.0 -'
mark program@h.test a@h.test program@sm.lab.test
want program@h.test 'program@sm.lab.test program@sm.lab.test delivered 2.0.0 -'
mark loop@h.test a@h.test loop@sm.lab.test
want loop@h.test 'loop@sm.lab.test loop@sm.lab.test failed 5.0.0 -'
# whom the bounce can't reach is nobody's member: the sender, postmaster, theirs
bounced() { # all of it is in the log
	mark "$@"
	lab_wait 20 logged "$qid: [^ ]*: [a-zA-Z ]*: User unknown" || lab_fail "no bounce of $1"
}
unreachable() { # ENVIDs' begin, SENDER
	bounced "$1-far@h.test" "$2" bounce@far.test
	bounced "$1-bad@h.test" "$2" worse@sm.lab.test
	bounced "$1-two@h.test" "$2" bounce@far.test single@sm.lab.test
	mark "$1-read@h.test" "$2" single@sm.lab.test
	want "$1-read@h.test" 'single@sm.lab.test games delivered 2.0.0 -'
	want "$1-far@h.test" 'bounce@far.test bounce@far.test failed 5.1.1 [127.0.0.1]'
	want "$1-bad@h.test" 'worse@sm.lab.test nosuchuser failed 5.1.1 -'
	want "$1-two@h.test" 'bounce@far.test bounce@far.test failed 5.1.1 [127.0.0.1]' \
	    'single@sm.lab.test games delivered 2.0.0 -'
}
unreachable nobody nosuchsender@sm.lab.test
printf 'postmaster: root\nroot: nosuchroot, nosuchroot2\n' >>"$lab/sendmail/aliases"
lab_sm -bi >/dev/null 2>&1 || lab_fail "newaliases"
unreachable root nosuchsender@sm.lab.test

# 3. split by a queue group: new ids for some
mark split@h.test a@h.test f1@far.test f2@far.test f3@far.test f4@far.test f5@far.test
want split@h.test \
    'f1@far.test f1@far.test relayed 2.1.9 [127.0.0.1]' 'f2@far.test f2@far.test relayed 2.1.9 [127.0.0.1]' \
    'f3@far.test f3@far.test relayed 2.1.9 [127.0.0.1]' 'f4@far.test f4@far.test relayed 2.1.9 [127.0.0.1]' \
    'f5@far.test f5@far.test relayed 2.1.9 [127.0.0.1]'
logged 'split: maxrcpts=3' || lab_fail "not split"
# in so many that the line with their ids comes in pieces, here without a time
many=() them=()
for i in $(seq 198); do
	many+=("m$i@far.test")
	them+=("m$i@far.test m$i@far.test relayed 2.1.9 [127.0.0.1]")
done
mark many@h.test a@h.test "${many[@]}"
want many@h.test "${them[@]}"
logged "^$qid\[1\]: split: maxrcpts=3, rcpts=198, .* \.\.\.$" ||
    lab_fail "no long line: $(grep "$qid" "$log" | head -3)"

# 4. deferred, then too old: Sendmail names nobody
mark grey@h.test a@h.test grey@far.test
want grey@h.test 'grey@far.test grey@far.test delayed 4.7.1 [127.0.0.1]'
mark defer@h.test a@h.test defer@far.test friend@far.test
want defer@h.test 'defer@far.test defer@far.test delayed 4.7.1 [127.0.0.1]' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
mark local@h.test a@h.test proxy@sm.lab.test
want local@h.test 'proxy@sm.lab.test proxy@sm.lab.test delayed 4.0.0 -'
expired() { lab_sm -q >/dev/null 2>&1; [ "$(grep -c 'Cannot send message for' "$log")" -ge 3 ]; }
lab_wait 20 expired || lab_fail "nothing timed out"
want defer@h.test 'defer@far.test defer@far.test failed 4.4.7 [127.0.0.1]' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
want local@h.test 'proxy@sm.lab.test proxy@sm.lab.test failed 4.4.7 -'

# 5. quarantined, released; discarded
mark quarantine@h.test quarantine@h.test friend@far.test
want quarantine@h.test 'friend@far.test friend@far.test delayed 4.0.0 -'
lab_sm -qQ -Q >/dev/null 2>&1 || true
lab_wait 20 logged unquarantine || lab_fail "not released"
lab_sm -q >/dev/null 2>&1 || true
want quarantine@h.test 'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'
mark drop@h.test drop@h.test friend@far.test
[ -z "$(rows drop@h.test)" ] || lab_fail "a record of what the MTA dropped unseen"

want_nothing_left

# 6. LogLevel 11: who is whose member is told; done
kill "$sendmail_pid"; wait "$sendmail_pid" || true
sm_level=11
lab_start_sendmail "$rest" "define(\`confTO_QUEUEWARN', \`1s')define(\`confTO_QUEUERETURN', \`5d')dnl"
mark names@h.test a@h.test single@sm.lab.test two@sm.lab.test sync@sm.lab.test
want names@h.test 'single@sm.lab.test games delivered 2.0.0 -' \
    'two@sm.lab.test two@sm.lab.test expanded 2.0.0 -' \
    'sync@sm.lab.test fwd@far.test relayed 2.1.9 [127.0.0.1]'
mark lists@h.test a@h.test list@sm.lab.test away@sm.lab.test nested@sm.lab.test
want lists@h.test 'list@sm.lab.test list@sm.lab.test expanded 2.0.0 -' \
    'away@sm.lab.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'nested@sm.lab.test nested@sm.lab.test expanded 2.0.0 -'
# a warning that can't reach its sender says what it says of failures
mark warned@h.test nosuchsender@sm.lab.test defer@far.test
warned=$qid
warning() { lab_sm -q >/dev/null 2>&1; logged "$warned: [^ ]*: sender notify: User unknown"; }
lab_wait 20 warning || lab_fail "no warning"
unreachable named nosuchsender@sm.lab.test
unreachable alias gone@sm.lab.test
qid=$warned want warned@h.test 'defer@far.test defer@far.test delayed 4.7.1 [127.0.0.1]'

# 7. thrown away by a ruleset, which no line tells, and refused by a milter behind ours
mark throw@h.test a@h.test throw@far.test refuse@far.test friend@far.test
want throw@h.test 'throw@far.test throw@far.test opaque 2.0.0 -' \
    'refuse@far.test refuse@far.test failed 5.7.1 -' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]'

want_nothing_left
# 8. HideForwarding: MTQP names no alias's end (S35, T24)
kill "$mtqpd_pid"; wait "$mtqpd_pid" || true
sed -i 's/^HideForwarding no/HideForwarding yes/' "$lab/mtrk.conf"
lab_start_mtqpd
[ "$(lab_track query --server "127.0.0.1:$mtqp_port" --json names@h.test $secret |
    jq -c '[.parts[0].recipients[] | [.final_recipient, .action]]')" = \
    '[["single@sm.lab.test","delivered"],["two@sm.lab.test","expanded"],["sync@sm.lab.test","delivered"]]' ] ||
    lab_fail "forwarding is not hidden"
echo "dispositions by sendmail: ok"
