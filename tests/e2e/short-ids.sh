#!/bin/bash
# Postfix's short queue ids come back as soon as the queue file is gone: tracked
# messages that have the same one, one after another, and an untracked one in
# between, keep each its own history.  An id is microseconds and an inode; so
# that it surely comes back, Postfix has a clock of whole seconds here, and its
# queue a filesystem where nobody else takes inodes.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
unshare -m true || exit 77
[ "${1-}" = mounted ] || exec unshare -m "$0" mounted
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/outcomes.sh"
lab_start
log=$lab/postfix/log/maillog
mkdir -p "$lab/postfix/queue"
truncate -s 32M "$lab/disk"
mkfs.ext4 -q "$lab/disk"
mount -o loop "$lab/disk" "$lab/postfix/queue" ||
    echo "short-ids: no loop device: others may take the inode"
cc -shared -fPIC -o "$lab/seconds.so" "$lab_root/tests/lab/seconds.c"
lab_conf
lab_start_sink
lab_start_milter
lab_start_postfix "enable_long_queue_ids = no" \
    "sender_dependent_default_transport_maps = inline:{
	{b@h.test = local:}, {c@h.test = discard:},
	{a@h.test = smtp:[127.0.0.1]:$sink_port}}" \
    "import_environment = MAIL_CONFIG LD_PRELOAD=$lab/seconds.so
	LD_LIBRARY_PATH=$lab_cache/pfx/usr/lib/postfix"
lab_start_collect
lab_start_mtqpd

removed() { [ "$(grep -c "$qid: removed" "$log")" -gt "${1:-0}" ]; }
seconds_after() { [ "$(date +%s)" -ge "$1" ]; }
unmarked() {
	qid=$(python3 - "$smtp_port" "${@:2}" <<-'P'
	import smtplib, sys
	s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
	s.ehlo("client.test"), s.mail(sys.argv[2]), s.rcpt(sys.argv[3].split()[0])
	print(s.data("Subject: x\r\n\r\nhi\r\n")[1].decode().split()[-1])
	P
	)
}
marked() { mark_at "$smtp_port" "$@"; }
# again COMMAND NAME SENDER: 4 seconds after the last one had the id, another to
# the same recipient, until it has it too; $envid is NAME and the try's number
again() {
	local tries before=0
	lab_wait 20 seconds_after $(($(date +%s) + 4))
	for tries in $(seq 50); do
		envid=$2$tries@h.test
		before=$(grep -c "$id: removed" "$log")
		"$1" "$envid" "$3" "friend@x.test NOTIFY=NEVER"
		if [ "$qid" = "$id" ]; then
			lab_wait 20 removed "$before" || lab_fail "$qid stays"
			return
		fi
		lab_wait 20 removed || lab_fail "$qid stays"
	done
	lab_fail "$id does not come back"
}
relayed='friend@x.test friend@x.test relayed 2.1.9 [127.0.0.1]'
failed='friend@x.test friend@x.test failed 5.1.1 -'
delivered='friend@x.test friend@x.test delivered 2.0.0 -'

marked first@h.test a@h.test friend@x.test
id=$qid
lab_wait 20 removed || lab_fail "$qid stays"
want first@h.test "$relayed"
again marked second b@h.test
second=$envid
want "$second" "$failed"
again unmarked - a@h.test
want "$second" "$failed"

# all records are there before a line is read
kill "$mtrk_collect_pid"; wait "$mtrk_collect_pid" || true
again marked third c@h.test
third=$envid
again marked fourth b@h.test
fourth=$envid
lab_start_collect
want "$fourth" "$failed"
want "$third" "$delivered"
want "$second" "$failed"
want first@h.test "$relayed"

# the whole log once more, by a collector that knows nothing of the first
before=$(lab_dump --json)
kill "$mtrk_collect_pid"; wait "$mtrk_collect_pid" || true
"$bin/mtrk-collect" -c "$lab/mtrk.conf" --once "$log" 2>/dev/null
[ "$before" = "$(lab_dump --json)" ] || lab_fail "read again: something new"
[ "$(grep -c "$id: from=" "$log")" -ge 5 ] || lab_fail "$id had not five messages"
want_nothing_left
echo "short ids that come back: ok"
