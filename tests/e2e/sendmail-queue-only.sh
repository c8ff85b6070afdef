#!/bin/bash
# A Sendmail that a plain user runs and that only queues (-odq): nothing is said
# of a message until a queue run.  Return receipts are no failures.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/outcomes.sh"
sm_user=games
. "$(dirname "$0")/../lab/sendmail.sh"
lab_start
lab_conf "MailLog $lab/sendmail/mail.log"
lab_start_sink
lab_start_milter
mkdir -p "$lab/sendmail"
cat >"$lab/sendmail/aliases" <<'A'
postmaster: root
root: root@far.test
two: news@far.test, other@far.test
A
log=$lab/sendmail/mail.log
lab_start_sendmail "define(\`confDELIVERY_MODE', \`queue')dnl" \
    "define(\`confPRIVACY_FLAGS', \`')dnl"
[ "$(stat -c %U "/proc/$sendmail_pid")" = games ] ||
    lab_fail "sendmail is not run by games"
lab_start_collect
lab_start_mtqpd

mark_at "$sm_port" queued@h.test a@h.test 'games@sm.lab.test NOTIFY=SUCCESS' \
    'two@sm.lab.test NOTIFY=SUCCESS,FAILURE' friend@far.test bounce@far.test
want queued@h.test \
    'games@sm.lab.test games@sm.lab.test delayed 4.0.0 -' \
    'two@sm.lab.test two@sm.lab.test delayed 4.0.0 -' \
    'friend@far.test friend@far.test delayed 4.0.0 -' \
    'bounce@far.test bounce@far.test delayed 4.0.0 -'
! logged "$qid: to=" || lab_fail "it was not only queued"

lab_sm -q >/dev/null 2>&1 || true
want queued@h.test \
    'games@sm.lab.test games@sm.lab.test delivered 2.0.0 -' \
    'two@sm.lab.test two@sm.lab.test expanded 2.0.0 -' \
    'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'bounce@far.test bounce@far.test failed 5.1.1 [127.0.0.1]'

mark_at "$sm_port" receipt@h.test a@h.test 'games@sm.lab.test NOTIFY=SUCCESS'
lab_sm -q >/dev/null 2>&1 || true
want receipt@h.test 'games@sm.lab.test games@sm.lab.test delivered 2.0.0 -'
lab_wait 20 logged "$qid: .*: DSN: Return receipt" || lab_fail "no return receipt"

want_nothing_left
echo "sendmail that only queues: ok"
