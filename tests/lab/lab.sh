# tests/lab/lab.sh -- a private, unpatched Debian Postfix and our programs on
# loopback, for tests and the quickstart.  Nothing is installed, nothing of
# the machine's own mail is touched.  To be sourced by bash, after
#
#	bin=...		the folder with our programs
#
# Everything lives below $lab, a fresh folder of mode 0711 (in $MTRK_LAB_DIR, or
# /tmp); lab_stop stops what was started, by pid, and removes it.
# shellcheck shell=bash disable=SC2154

set -eu
lab_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lab_cache=${MTRK_LAB_CACHE:-$lab_root/.lab}
lab_pids=()
lab_keep=${lab_keep:-no}

lab_fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

# lab_wait SECONDS COMMAND...: until the command succeeds
lab_wait() {
	local tries=$(($1 * 20)); shift
	while ! "$@" >/dev/null 2>&1; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# lab_ports N: that many free TCP ports of 127.0.0.1
lab_ports() { MTRK_LAB_CACHE=$lab_cache python3 "$lab_root/tests/lab/ports.py" "$1"; }

lab_listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# lab_fetch NAME FILE PACKAGE...: Debian's packages, fetched once and unpacked
# to $lab_cache/NAME, not installed; FILE is there then
lab_fetch() {
	local name=$1 file=$2 new=$lab_cache/new-$1-$$; shift 2
	[ ! -x "$lab_cache/$name/$file" ] || return 0
	rm -rf "$new"; mkdir -p "$new/debs"
	(cd "$new/debs" && {
		apt-get -q download "$@" ||
		    { apt-get -q update && apt-get -q download "$@"; }
	} >log 2>&1) ||
	    { local why; why=$(tail -1 "$new/debs/log"); rm -rf "$new"; lab_fail "cannot fetch $1: $why"; }
	for deb in "$new"/debs/*.deb; do HOME=/ dpkg -x "$deb" "$new/$name"; done
	# a setgid program is denied its LD_LIBRARY_PATH
	chmod -R g-s "$new/$name"
	mv -T "$new/$name" "$lab_cache/$name" 2>/dev/null ||
	    [ -x "$lab_cache/$name/$file" ] ||
	    lab_fail "cannot keep $1 in $lab_cache"
	rm -rf "$new"
}

lab_fetch_postfix() {
	lab_fetch pfx usr/sbin/postfix postfix postfix-pcre postfix-lmdb
}

# Neither Postfix nor Sendmail takes a folder whose name has a blank.
lab_without_blanks() {
	case $lab_root$lab_cache$bin in *[[:space:]]*) ;; *) return 0 ;; esac
	ln -s "$lab_root" "$lab/root"; lab_root=$lab/root
	ln -s "$lab_cache" "$lab/cache"; lab_cache=$lab/cache
	ln -s "$bin" "$lab/bin"; bin=$lab/bin
}

lab_start() {
	[ "$(id -u)" = 0 ] || lab_fail "a private Postfix needs root"
	command -v python3 >/dev/null || lab_fail "python3 is missing"
	lab_fetch_postfix
	lab=$(mktemp -d "${MTRK_LAB_DIR:-/tmp}/mtrk-lab-XXXXXX")
	chmod 711 "$lab"
	lab_without_blanks
	lab_postfix=$lab/postfix
	trap lab_stop EXIT
	trap 'exit 1' INT TERM HUP
	read -r smtp_port sink_port mtqp_port milter_port <<<"$(lab_ports 4)"
	export XDG_DATA_HOME="$lab/data" # of mtrk-track
}

# As "postfix stop", which looks only once a second whether it is done, and at
# master alone.
lab_stop_postfix() {
	local master
	read -r master <"$lab_postfix/queue/pid/master.pid" &&
	    [ "$(cat "/proc/$master/comm")" = master ] || return 0
	lab_postfix_ended() { ! pgrep -g "$master"; }
	kill "$master"
	lab_wait 20 lab_postfix_ended || kill -KILL "-$master"
}

lab_stop() {
	local status=$?
	set +e
	trap - EXIT
	[ "$lab_keep" = yes ] && [ $status = 0 ] && return
	for lab_postfix in "$lab"/postfix*/; do
		[ ! -d "$lab_postfix" ] || lab_stop_postfix 2>/dev/null
	done
	for pid in "${lab_pids[@]}"; do kill "$pid" 2>/dev/null; done
	for pid in "${lab_pids[@]}"; do wait "$pid" 2>/dev/null; done
	if [ $status != 0 ] && [ $status != 77 ]; then
		tail -n 15 "$lab"/*.log "$lab"/postfix*/log/maillog "$lab/sendmail/mail.log" >&2 2>/dev/null
	fi
	awk -v d="$lab/" 'index($2, d) == 1 { print $2 }' /proc/self/mounts |
	    xargs -r umount -l
	rm -rf "$lab"
	exit $status
}

# lab_run NAME COMMAND...: in the background, its output in NAME.log; its pid
# in $NAME_pid ("-" becomes "_")
lab_run() {
	local name=$1; shift
	"$@" >>"$lab/$name.log" 2>&1 &
	lab_pids+=($!)
	printf -v "${name//-/_}_pid" %s $!
}

# lab_serve NAME PORT COMMAND...: the same, until it listens there
lab_serve() {
	local name=$1 port=$2; shift 2
	lab_run "$name" "$@"
	lab_wait 20 lab_listens "$port" ||
	    lab_fail "no $name: $(tail -3 "$lab/$name.log")"
}

# lab_pf COMMAND...: a Postfix command for the private instance, or for one of
# several, below $lab_postfix
lab_pf() {
	local c=$1; shift
	LD_LIBRARY_PATH="$lab_cache/pfx/usr/lib/postfix" \
	    MAIL_CONFIG="$lab_postfix/etc" \
	    PATH="$lab_cache/pfx/usr/sbin:$PATH" "$c" "$@"
}

# Accounts that every Debian has stand in for postfix and postdrop.
lab_make_postfix() {
	local p=$lab_cache/pfx i=$lab_postfix
	mkdir -p "$i"/{etc,queue,data,log,mail}
	mkdir -p "$i"/etc/{dynamicmaps.cf.d,postfix-files.d}
	chmod 1777 "$i/mail"
	: >"$i/log/maillog" # without a master, postsuper writes it as uucp
	chown uucp "$i/data" "$i/log/maillog"; chmod 644 "$i/log/maillog"
	cp "$p/etc/postfix/postfix-files" "$i/etc/"
	printf 'pcre\t%s/postfix-pcre.so\tdict_pcre_open\n' \
	    "$p/usr/lib/postfix" >"$i/etc/dynamicmaps.cf"
	cat >"$i/etc/main.cf" <<-EOF
	compatibility_level = 3.6
	queue_directory = $i/queue
	data_directory = $i/data
	command_directory = $p/usr/sbin
	daemon_directory = $p/usr/lib/postfix/sbin
	shlib_directory = $p/usr/lib/postfix
	meta_directory = $i/etc
	sendmail_path = $p/usr/sbin/sendmail
	newaliases_path = $p/usr/sbin/sendmail
	mailq_path = $p/usr/sbin/sendmail
	manpage_directory = $p/usr/share/man
	html_directory = no
	readme_directory = no
	sample_directory = no
	mail_owner = uucp
	setgid_group = news
	import_environment = MAIL_CONFIG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME LD_LIBRARY_PATH=$p/usr/lib/postfix
	maillog_file = $i/log/maillog
	maillog_file_prefixes = $i/log
	myhostname = mx.lab.test
	mydestination = lab.test
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	mynetworks = 127.0.0.0/8
	alias_maps =
	alias_database =
	local_recipient_maps =
	smtpd_relay_restrictions = permit_mynetworks, reject
	mail_spool_directory = $i/mail/
	disable_dns_lookups = yes
	smtp_host_lookup = native
	transport_maps = inline:{far.test=smtp:[127.0.0.1]:$sink_port}
	smtpd_milters = inet:127.0.0.1:$milter_port
	milter_default_action = accept
	smtpd_command_filter = regexp:$lab_root/contrib/postfix/mtrk-auth-carrier.regexp
	EOF
	local line
	for line; do # what is given replaces what is above
		sed -i "/^${line%% *} = /d" "$i/etc/main.cf"
		echo "$line" >>"$i/etc/main.cf"
	done
	sed "s/SMTP_PORT/127.0.0.1:$smtp_port/" >"$i/etc/master.cf" <<-'EOF'
	SMTP_PORT inet n - n - - smtpd
	pickup    unix n - n 60 1 pickup
	cleanup   unix n - n - 0 cleanup
	qmgr      unix n - n 300 1 qmgr
	rewrite   unix - - n - - trivial-rewrite
	bounce    unix - - n - 0 bounce
	defer     unix - - n - 0 bounce
	trace     unix - - n - 0 bounce
	verify    unix - - n - 1 verify
	flush     unix n - n 1000? 0 flush
	proxymap  unix - - n - - proxymap
	smtp      unix - - n - - smtp
	relay     unix - - n - - smtp
	showq     unix n - n - - showq
	error     unix - - n - - error
	retry     unix - - n - - error
	discard   unix - - n - - discard
	local     unix - n n - - local
	virtual   unix - n n - - virtual
	lmtp      unix - - n - - lmtp
	anvil     unix - - n - 1 anvil
	scache    unix - - n - 1 scache
	tlsmgr    unix - - n 1000? 1 tlsmgr
	postlog   unix-dgram n - n - 1 postlogd
	EOF
}

# what lab_make_postfix made
lab_boot_postfix() {
	lab_pf postfix start >"$lab/postfix.log" 2>&1 ||
	    lab_fail "postfix did not start: $(tail -3 "$lab/postfix.log")"
	lab_wait 20 lab_listens "$smtp_port" || lab_fail "postfix is deaf"
}

# lab_start_postfix [main.cf lines...]
lab_start_postfix() {
	lab_make_postfix "$@"
	lab_boot_postfix
}

# lab_restart_postfix NAME=VALUE...: with these in main.cf; behind a mere reload
# a process of before may still take a client
lab_restart_postfix() {
	lab_pf postconf -e "$@"
	lab_stop_postfix
	lab_boot_postfix
}

# lab_conf [LINE...]: what is given replaces what is below
lab_conf() {
	local line
	cat >"$lab/mtrk.conf" <<-EOF
	Store $lab/store
	MilterSocket inet:$milter_port@127.0.0.1
	MailLog $lab/postfix/log/maillog
	Listen 127.0.0.1:$mtqp_port
	ReportingMTA mx.lab.test
	LogTo stderr
	EOF
	for line; do sed -i "/^${line%% *} /d" "$lab/mtrk.conf"; done
	[ $# = 0 ] || printf '%s\n' "$@" >>"$lab/mtrk.conf"
}

lab_start_milter() {
	lab_serve mtrk-milter "$milter_port" "$bin/mtrk-milter" -c "$lab/mtrk.conf" -f
}
lab_start_collect() {
	lab_run mtrk-collect "$bin/mtrk-collect" -c "$lab/mtrk.conf" -f
}
# it refuses until there is a store
lab_answers() {
	(exec 3<>"/dev/tcp/127.0.0.1/$mtqp_port" && read -r line <&3 &&
	    [[ $line = +OK* ]]) 2>/dev/null
}
lab_start_mtqpd() {
	lab_run mtqpd "$bin/mtqpd" -c "$lab/mtrk.conf" -f
	lab_wait 20 lab_answers || lab_fail "no mtqpd"
}
lab_start_sink() {
	lab_serve sink "$sink_port" python3 "$lab_root/tests/lab/sink.py" \
	    "$sink_port" "$lab/taken"
}

# All of it: sink, milter, Postfix, collector, server.
lab_start_all() {
	lab_start
	lab_conf
	lab_start_sink
	lab_start_milter
	lab_start_postfix "$@"
	lab_start_collect
	lab_start_mtqpd
}

lab_track() { "$bin/mtrk-track" "$@"; }
lab_dump() { "$bin/mtrk-dump" -c "$lab/mtrk.conf" "$@"; }
