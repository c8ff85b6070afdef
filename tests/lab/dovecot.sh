# tests/lab/dovecot.sh -- Debian's unpatched Dovecot as an LMTP server on
# loopback.  To be sourced after lab.sh and used after lab_start.
#
#	lab_start_dovecot USER[=OCTETS]...	mailboxes, with their quota
#
# It listens at $dovecot_port; a mailbox is the maildir
# $lab/dovecot/USER/mail, its log $lab/dovecot.log.  What it has compiled in
# below /usr is laid over the machine's own in a mount namespace that nobody
# else sees; where there are none, lab_start_dovecot fails.
# shellcheck shell=bash disable=SC2154

lab_fetch_dovecot() {
	lab_fetch dovecot usr/sbin/dovecot dovecot-core dovecot-lmtpd \
	    libunwind8 libsodium23
}

lab_start_dovecot() {
	local d=$lab/dovecot user
	lab_fetch_dovecot
	read -r dovecot_port <<<"$(lab_ports 1)"
	mkdir -p "$d"; chmod 711 "$d"
	for user; do
		mkdir "$d/${user%%=*}"; chown games "$d/${user%%=*}"
		case $user in
		*=*) echo "${user%%=*}:::::::userdb_quota_rule=*:bytes=${user##*=}" ;;
		*) echo "$user:::::::" ;;
		esac
	done >"$d/users"
	cat >"$d/dovecot.conf" <<-EOF
	base_dir = $d/run
	state_dir = $d/state
	log_path = $lab/dovecot.log
	protocols = lmtp
	ssl = no
	default_login_user = games
	default_internal_user = uucp
	default_internal_group = uucp
	first_valid_uid = 1
	mail_location = maildir:~/mail
	mail_plugins = quota
	plugin {
	  quota = maildir:User quota
	}
	userdb {
	  driver = passwd-file
	  args = $d/users
	  default_fields = uid=games gid=games home=$d/%u
	}
	passdb {
	  driver = passwd-file
	  args = $d/users
	}
	service lmtp {
	  inet_listener lmtp {
	    address = 127.0.0.1
	    port = $dovecot_port
	  }
	}
	EOF
	# shellcheck disable=SC2016
	lab_run dovecot-start unshare -m sh -c '
		mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr &&
		exec /usr/sbin/dovecot -F -c "$2"' sh "$lab_cache/dovecot" "$d/dovecot.conf"
	lab_wait 20 lab_listens "$dovecot_port" ||
	    lab_fail "no dovecot: $(tail -2 "$lab/dovecot-start.log")"
}
