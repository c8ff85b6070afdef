#!/bin/bash
# What Sendmail's log says in several lines, by a real one and through a real
# syslogd: a list of recipients that is too long, "[more]", and lines that are
# cut in pieces, "ID[1]:", because of words that are not ASCII or of many ids.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/outcomes.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
lab_start
lab_conf "MailLog $lab/sendmail/mail.log"
lab_start_sink
lab_start_milter
log=$lab/sendmail/mail.log
lab_start_syslog
lab_start_sendmail
lab_start_collect
lab_start_mtqpd

# to NAME N: that many addresses
to() { local i; for i in $(seq "$2"); do echo "$1$i@far.test"; done; }
# all ENVID NAME N ACTION CODE: want() the same of all
all() {
	local one rows=()
	for one in $(to "$2" "$3"); do rows+=("$one $one $4 $5 [127.0.0.1]"); done
	want "$1" "${rows[@]}"
}
# form PATTERN: or the MTA doesn't write what this test is about
form() { lab_wait 20 logged "sm-mta\[[0-9]*\]: $qid$1" || lab_fail "no line $qid$1: $(grep "$qid" "$log")"; }

# shellcheck disable=SC2046
{
mark_at "$sm_port" more@h.test a@h.test $(to friend 100)
all more@h.test friend 100 relayed 2.1.9
form ': to=<.*>, \[more\], delay=.*, dsn=2.0.0, stat=Sent'

mark_at "$sm_port" words@h.test a@h.test $(to words.that.are.not.ascii.to.one.with.a.very.long.name.indeed. 2)
all words@h.test words.that.are.not.ascii.to.one.with.a.very.long.name.indeed. 2 failed 5.1.1
form '\[1\]: to=<words[^>]*>, delay=.* \.\.\.$'
form '\[2\]: [^.]*$'

mark_at "$sm_port" thanks@h.test a@h.test $(to thanks 60)
all thanks@h.test thanks 60 relayed 2.1.9
form '\[1\]: to=<.*>, \[more\], delay=.* \.\.\.$'
}
want_nothing_left
echo "long lines of sendmail: ok"
