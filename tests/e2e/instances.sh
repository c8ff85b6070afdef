#!/bin/bash
# Two Postfix instances on one machine, one store, one log: Instance lines tell
# whose line and whose message it is.  What belongs to neither is not tracked.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/outcomes.sh"
lab_start
log=$lab/postfix/log/maillog
lab_conf "Instance postfix-in in.test" "Instance postfix-out out.test"
lab_start_sink
lab_start_milter

# make NAME: an instance that writes into the log of the first
make() {
	lab_postfix=$lab/postfix$1
	lab_start_postfix "syslog_name = postfix-$2" \
	    "milter_macro_daemon_name = $2.test" "maillog_file = $log" \
	    "maillog_file_prefixes = $lab/postfix/log" "${@:3}"
}
make "" in "local_recipient_maps = inline:{games=x}" \
    "minimal_backoff_time = 1h" "maximal_backoff_time = 1h"
in=$smtp_port
read -r smtp_port <<<"$(lab_ports 1)"
make -out out "mydestination ="
out=$smtp_port
read -r smtp_port <<<"$(lab_ports 1)"
make -other other "mydestination ="
lab_start_collect
lab_start_mtqpd

mark_at "$in" in@h.test a@h.test games@lab.test defer@far.test
want in@h.test 'games@lab.test games@lab.test delivered 2.0.0 -' \
    'defer@far.test defer@far.test delayed 4.7.1 [127.0.0.1]'
mark_at "$out" out@h.test a@h.test friend@far.test bounce@far.test
want out@h.test 'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
    'bounce@far.test bounce@far.test failed 5.1.1 [127.0.0.1]'
[ "$(lab_dump --json | jq -r '.envid + " " + .instance' | sort | xargs)" = \
    "in@h.test postfix-in out@h.test postfix-out" ] ||
    lab_fail "instances: $(lab_dump --json)"

# one that no line names: its mail goes on, untracked, and the log says why
mark_at "$smtp_port" other@h.test a@h.test friend@far.test
lab_wait 20 logged "postfix-other/smtp.*$qid: to=<friend@far.test>.*status=sent" ||
    lab_fail "mail of another instance is stuck"
[ -z "$(rows other@h.test)" ] || lab_fail "another instance's message is tracked"
grep -q 'no Instance line for its daemon_name' "$lab/mtrk-milter.log" ||
    lab_fail "no reason"

want_nothing_left
echo "instances: ok"
