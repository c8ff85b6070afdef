# tests/bench/postfix.sh -- what mtrk-milter costs Postfix; sourced by run,
# after turns.sh.
# shellcheck shell=bash disable=SC2154

# Postfix takes mail from smtp-source (10 sessions, kept connections) and
# hands it to smtp-sink.  smtp-source can't mark mail, so the command filter
# marks every message, in all four ways of running alike: four smtpd of one
# Postfix, which take turns.  Two kinds of mail: as smtp-source makes it, 2 KB
# and five header fields; and as it comes from another organisation (mail.py).
# The milter that asks for the least is the limit: what it costs, any milter
# costs that has to see that a message has come whole.
#
# In memory first: there the figures are steadier, and what is measured is what
# the milter costs; then with mtrk-collect reading the log and writing events
# at the same time; then that on the disk, where ext4 looks at every inode that
# was freed in the last minutes before it gives one out, and Postfix alone falls
# by a third within such a run.
postfix_milters() {
	lab_conf "LogLevel warning" "MilterSocketMode 0777"
	sed -i "s,^MilterSocket .*,MilterSocket local:$lab/ours.sock," \
	    "$lab/mtrk.conf"
	lab_run mtrk-milter "$bin/mtrk-milter" -c "$lab/mtrk.conf" -f
	lab_wait 20 test -S "$lab/ours.sock" || lab_fail "no mtrk-milter"
	local peer
	for peer in all least; do
		lab_run "$peer" "$bin/noop_milter" "unix:$lab/$peer.sock" "$peer"
		lab_wait 20 test -S "$lab/$peer.sock" || lab_fail "no peer"
		chmod 777 "$lab/$peer.sock"
	done
}

postfix_start() {
	cat >"$lab/mark.regexp" <<-'F'
	/^MAIL FROM:<([^>]*)>(.*)$/ MAIL FROM:<$1> ENVID=bench@load.test AUTH=MTRK=VheLhqV/rCKJmplkGFwsyW59pYk:86400$2
	F
	lab_make_postfix "smtpd_command_filter = regexp:$lab/mark.regexp" \
	    "smtpd_client_connection_count_limit = 0" "smtpd_milters = " \
	    "in_flow_delay = 0"
	cat >>"$lab/postfix/etc/master.cf" <<-EOF
	127.0.0.1:$ours_port inet n - n - - smtpd -o smtpd_milters=unix:$lab/ours.sock
	127.0.0.1:$all_port inet n - n - - smtpd -o smtpd_milters=unix:$lab/all.sock
	127.0.0.1:$least_port inet n - n - - smtpd -o smtpd_milters=unix:$lab/least.sock
	EOF
	lab_pf postfix start >"$lab/postfix.log" 2>&1
	lab_wait 20 lab_listens "$least_port" || lab_fail "postfix is deaf"
	lab_run sink env "LD_LIBRARY_PATH=$lab_cache/pfx/usr/lib/postfix" \
	    "$lab_cache/pfx/usr/sbin/smtp-sink" -u uucp "127.0.0.1:$sink_port" 100
	lab_wait 20 lab_listens "$sink_port" || lab_fail "no smtp-sink"
}

postfix_tracked() { # MESSAGES: that many records, or it was not measured
	local tracked
	tracked=$("$bin/mtrk-dump" -c "$lab/mtrk.conf" --statistics |
	    sed -n 's/^messages //p')
	[ "$tracked" = "$1" ] || lab_fail "$tracked tracked, not $1"
}

bench_postfix() { # FOLDER [collect]
	. tests/lab/lab.sh
	MTRK_LAB_DIR=$1 lab_start
	local ours_port all_port least_port turns=6 n=${MTRK_BENCH_MESSAGES:-1200}
	read -r ours_port all_port least_port <<<"$(lab_ports 3)"
	postfix_milters
	postfix_start
	turns_first
	[ "${2-}" != collect ] || lab_start_collect
	python3 tests/bench/mail.py 75000 >"$lab/mail"
	local ways=(none="$smtp_port" ours="$ours_port" all="$all_port" \
	    least="$least_port")
	turns_rounds short "$turns" $((n / turns)) 2048 10 "${ways[@]}"
	turns_rounds real "$turns" $((n / turns)) "$lab/mail" 10 "${ways[@]}"
	postfix_tracked $((2 * (5 * turns + 1) * (n / turns)))
	echo "-- queue and store in $1${2+, mtrk-collect beside}"
	PYTHONPATH=tests/bench python3 - "$lab" <<-'P'
	from rounds import rate, ratio
	for words, kind in (("75 KB, 23 header fields", "real"),
	    ("2 KB, 5 header fields", "short")):
	    for way, name in (("Postfix without a milter", "none"),
	        ("with mtrk-milter, every message recorded", "ours"),
	        ("with a no-op milter, all callbacks", "all"),
	        ("with the least milter", "least")):
	        print("%-66s %6.0f/s" % (words + ": " + way, rate(name + "." + kind)))
	    for way, name, want in (("no milter", "none", ">= 0.85"),
	        ("the no-op milter", "all", ">= 1.2"),
	        ("the least milter", "least", "the limit is 1")):
	        print("%-66s %6.2f   (%s)" % (words + ": ratio to " + way,
	            ratio("ours." + kind, name + "." + kind), want))
	    print("%-66s %6.2f" % (words + ": the least milter's to no milter",
	        ratio("least." + kind, "none." + kind)))
	    print("%-66s %6.2f" % (words + ": the least milter's to the no-op",
	        ratio("least." + kind, "all." + kind)))
	P
}
