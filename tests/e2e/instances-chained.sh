#!/bin/bash
# One Postfix instance hands its mail to another on the same machine, which no
# milter sees: "queued as" leads into the other's queue.  First without Instance
# lines, where all is one, then with them; the other's own mail stays its own.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/outcomes.sh"
lab_start
log=$lab/postfix/log/maillog
lab_conf
lab_start_sink
lab_start_milter
in=$smtp_port
read -r out <<<"$(lab_ports 1)"
lab_start_postfix "syslog_name = postfix-in" \
    "milter_macro_daemon_name = in.test" \
    "transport_maps = inline:{ {far.test=smtp:[127.0.0.1]:$out} {lab.test=smtp:[127.0.0.1]:$out} }"
lab_postfix=$lab/postfix-out smtp_port=$out
lab_start_postfix "syslog_name = postfix-out" \
    "milter_macro_daemon_name = out.test" "maillog_file = $log" \
    "maillog_file_prefixes = $lab/postfix/log" "smtpd_milters =" \
    "minimal_backoff_time = 1h" "maximal_backoff_time = 1h" \
    "local_recipient_maps = inline:{games=x}"
# One writer for both, as a syslogd is: two postlogds may write what they were
# told in another order, and "queued as" come before the other's Message-ID.
ln -sf "$lab/postfix/queue/public/postlog" "$lab_postfix/queue/public/postlog"
lab_start_collect
lab_start_mtqpd

# several recipients in one delivery: one "queued as" for all of them
chained() {
	mark_at "$in" "$1" a@h.test friend@far.test games@lab.test bounce@far.test defer@far.test
	want "$1" 'friend@far.test friend@far.test relayed 2.1.9 [127.0.0.1]' \
	    'games@lab.test games@lab.test delivered 2.0.0 -' \
	    'bounce@far.test bounce@far.test failed 5.1.1 [127.0.0.1]' \
	    'defer@far.test defer@far.test delayed 4.7.1 [127.0.0.1]'
	logged "postfix-in/smtp.*$qid: to=<friend@far.test>.* queued as " ||
	    lab_fail "it was not handed on"
}
chained one@h.test

kill "$mtrk_collect_pid" "$mtrk_milter_pid" "$mtqpd_pid"
wait "$mtrk_collect_pid" "$mtrk_milter_pid" "$mtqpd_pid" || true
printf 'Instance postfix-%s %s.test\n' in in out out >>"$lab/mtrk.conf"
lab_start_milter
lab_start_collect
lab_start_mtqpd
chained two@h.test
[ "$(lab_dump --json --envid two@h.test | jq -r .instance)" = postfix-in ] ||
    lab_fail "two@h.test: $(lab_dump --json --envid two@h.test)"
want_nothing_left
echo "instances one after the other: ok"
