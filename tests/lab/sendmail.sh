# tests/lab/sendmail.sh -- a private, unpatched Debian Sendmail on loopback,
# beside lab.sh's Postfix or instead of it.  To be sourced after lab.sh and
# used after lab_start.  Nothing is installed; it works for a plain user too.
#
#	lab_start_sendmail [LINE...]	mc lines, put in before MAILER()
#	lab_sm ARGUMENT...		the same sendmail, for -q, -bp, -bs...
#	lab_make_sm_passwords		before it: LINEs into the array sm_passwords,
#					so that joe may log in and say "right"
#
# It listens at $sm_port, hands all that is not @sm.lab.test to $sink_port,
# asks the milter at $milter_port, and logs to $lab/sendmail/mail.log as
# "epoch.usec QID: text".  $sm_level is its LogLevel, $sm_user who runs it.
#
# Local mail goes to $lab/sendmail/mbox.USER; a user whose name stands in
# $lab/sendmail/exits as "USER STATUS" makes the local mailer exit so.
# After lab_start_syslog it logs by syslog(3) to a real rsyslogd instead, which
# nobody else on this machine sees.
#
# $lab/sendmail/aliases is read anew by lab_sm -bi; forward/USER are .forward.
# shellcheck shell=bash disable=SC2154
sm_level=${sm_level:-9}
sm_user=${sm_user:-$(id -un)}
syslog_pid=

lab_fetch_sendmail() {
	lab_fetch sm usr/libexec/sendmail/sendmail sendmail-bin sendmail-cf m4 \
	    libsigsegv2 libwrap0 liblockfile1 libnsl2 libtirpc3
}

# A host name without a dot costs a sleep of a minute at every start.
lab_sm_exec() {
	local root=${sm_root:-$lab_cache/sm} name
	local sm=$root/usr/libexec/sendmail/sendmail
	local to=(-D "$lab/sendmail/mail.log" -d89.10)
	[ -z "$syslog_pid" ] || to=(-L sm-mta)
	name=$(hostname)
	set -- env \
	    LD_LIBRARY_PATH="$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu" \
	    "$sm" "${to[@]}" -C "$lab/sendmail/sm.cf" "$@"
	[ "$sm_user" = "$(id -un)" ] || set -- setpriv --reuid "$sm_user" \
	    --regid "$(id -g "$sm_user")" --clear-groups "$@"
	if [ "${name#*.}" = "$name" ] && unshare -u true 2>/dev/null; then
		# shellcheck disable=SC2016
		set -- unshare -u sh -c 'hostname mta.lab.test; exec "$@"' sh "$@"
	fi
	[ -z "$syslog_pid" ] || set -- nsenter -t "$syslog_pid" -m "$@"
	exec "$@"
}
lab_sm() { (lab_sm_exec "$@"); }

# It forgets its environment, and takes what E lines say for it.
lab_make_sm_passwords() {
	local w=$lab/sasl plugins=$lab_cache/sasl/usr/lib/x86_64-linux-gnu/sasl2
	lab_fetch sasl usr/sbin/saslpasswd2 \
	    sasl2-bin libsasl2-modules libsasl2-modules-db
	mkdir "$w"
	cat >"$w/Sendmail.conf" <<-EOF
	pwcheck_method: auxprop
	auxprop_plugin: sasldb
	sasldb_path: $w/passwords
	EOF
	printf right | SASL_PATH=$plugins "$lab_cache/sasl/usr/sbin/saslpasswd2" \
	    -p -c -f "$w/passwords" -u mta.lab.test joe ||
	    lab_fail "no password for joe"
	sm_passwords=("define(\`confAUTH_MECHANISMS', \`PLAIN LOGIN')dnl"
	    "TRUST_AUTH_MECH(\`PLAIN LOGIN')dnl"
	    LOCAL_CONFIG "ESASL_PATH=$plugins" "ESASL_CONF_PATH=$w")
}

lab_make_sendmail() {
	local w=$lab/sendmail cf=$lab_cache/sm/usr/share/sendmail/cf line
	mkdir -p "$w"/{queue,forward}; chmod 700 "$w/queue"
	touch "$w/aliases" "$w/exits" "$w/helpfile"
	cat >"$w/deliver.sh" <<-EOF
	#!/bin/sh
	# sendmail's flag f may put "-f sender" in front: the user comes last
	for u; do :; done
	status=\$(sed -n "s/^\$u //p" "$w/exits")
	{ cat; echo; } >>"$w/mbox.\$u"
	exit "\${status:-0}"
	EOF
	chmod 755 "$w/deliver.sh"
	{
		cat <<-EOF
		OSTYPE(\`linux')dnl
		define(\`confTRUSTED_USER', \`$sm_user')dnl
		define(\`confDONT_BLAME_SENDMAIL', \`TrustStickyBit')dnl
		define(\`confDOMAIN_NAME', \`mta.lab.test')dnl
		define(\`QUEUE_DIR', \`$w/queue')dnl
		define(\`ALIAS_FILE', \`$w/aliases')dnl
		define(\`STATUS_FILE', \`$w/statistics')dnl
		define(\`HELP_FILE', \`$w/helpfile')dnl
		define(\`confPID_FILE', \`$w/sendmail.pid')dnl
		define(\`confFORWARD_PATH', \`$w/forward/\$u')dnl
		define(\`confLOG_LEVEL', \`$sm_level')dnl
		define(\`confTO_IDENT', \`0')dnl
		define(\`confQUEUE_LA', \`1000')dnl
		define(\`confREFUSE_LA', \`1000')dnl
		define(\`confMIN_QUEUE_AGE', \`0')dnl
		define(\`SMART_HOST', \`relay:[127.0.0.1]')dnl
		define(\`RELAY_MAILER_ARGS', \`TCP \$h $sink_port')dnl
		define(\`LOCAL_MAILER_PATH', \`$w/deliver.sh')dnl
		define(\`LOCAL_MAILER_ARGS', \`deliver.sh \$u')dnl
		FEATURE(\`no_default_msa')FEATURE(\`nocanonify')dnl
		FEATURE(\`accept_unresolvable_domains')dnl
		DAEMON_OPTIONS(\`Name=MTA, Family=inet, Addr=127.0.0.1, Port=$sm_port')dnl
		INPUT_MAIL_FILTER(\`mtrk', \`S=inet:$milter_port@127.0.0.1, T=S:10s;R:10s;E:30s')dnl
		EOF
		for line; do printf '%s\n' "$line"; done
		cat <<-EOF
		MAILER(\`local')MAILER(\`smtp')dnl
		LOCAL_CONFIG
		Cwsm.lab.test localhost
		EOF
	} >"$w/sm.mc"
	LD_LIBRARY_PATH="$lab_cache/sm/usr/lib/x86_64-linux-gnu" \
	    "$lab_cache/sm/usr/bin/m4" "-D_CF_DIR_=$cf/" "$cf/m4/cf.m4" \
	    "$w/sm.mc" >"$w/sm.cf" || lab_fail "m4 failed on $w/sm.mc"
	[ "$sm_user" = "$(id -un)" ] || chown -R "$sm_user" "$w"
	lab_sm -bi >"$lab/newaliases.log" 2>&1 ||
	    lab_fail "newaliases: $(tail -3 "$lab/newaliases.log")"
}

lab_start_sendmail() {
	lab_fetch_sendmail
	if [ "$sm_user" != "$(id -un)" ]; then # who may not see our folder
		sm_root=$lab/sm
		cp -a "$lab_cache/sm" "$sm_root"
	fi
	read -r sm_port <<<"$(lab_ports 1)"
	lab_make_sendmail "$@"
	lab_serve sendmail "$sm_port" lab_sm_exec -bD
}

# A /dev of its own, so that /dev/log is.
lab_start_syslog() {
	local root=$lab_cache/rs w=$lab/sendmail
	lab_fetch rs usr/sbin/rsyslogd rsyslog libestr0 libfastjson4 liblognorm5
	mkdir -p "$w/dev"
	cat >"$w/rsyslog.conf" <<-EOF
	module(load="imuxsock")
	*.* action(type="omfile" file="$w/mail.log")
	EOF
	cat >"$w/syslog.sh" <<-EOF
	set -e
	mount -t tmpfs -o mode=755 none "$w/dev"
	for d in null zero random urandom tty; do
		touch "$w/dev/\$d"
		mount --bind "/dev/\$d" "$w/dev/\$d"
	done
	mount --rbind "$w/dev" /dev
	LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu" exec \
	    "$root/usr/sbin/rsyslogd" -n -i NONE -f "$w/rsyslog.conf" \
	    -M "$root/usr/lib/x86_64-linux-gnu/rsyslog"
	EOF
	lab_run syslog unshare -m sh "$w/syslog.sh"
	lab_wait 20 nsenter -t "$syslog_pid" -m test -S /dev/log ||
	    lab_fail "no syslog: $(tail -3 "$lab/syslog.log")"
}
