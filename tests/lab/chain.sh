# tests/lab/chain.sh -- three organisations, each in a network namespace of
# its own, and the DNS between them.  To be sourced after lab.sh and
# sendmail.sh.
#
#	chain_start		the network, the names, all three organisations
#	chain_at ORG COMMAND...	run it there, with that organisation's DNS
#	chain_dump ORG ...	mtrk-dump of its store
#	chain_pf ORG COMMAND...	a Postfix command of A or C
#	chain_sm COMMAND...	B's Sendmail
#
#	A  a.test  Postfix   where mail is submitted; to c.test by way of B
#	B  b.test  Sendmail  a relay for c.test and d.test; aliases solo@ and
#			     duo@, and list@, whose owner is its sender
#	C  c.test  Postfix   mailboxes; one@ and many@ are aliases
#
# Each has mtrk-gate on port 25 (A: 587 too) and its MTA behind it, mtrk-milter,
# mtrk-collect and mtqpd on port 2038 of track.ORG.test, which only its SRV
# record tells.  D is the DNS; it also has sink.py on port 25, a mail host
# without MTRK and without TLS (d.test); clear.test is routed to it from A, which
# verifies TLS, so its mail waits there.
#
# Everything lives below $lab (A's files in $lab/a, ...) and in namespaces
# named after this process; lab_stop removes both.
# shellcheck shell=bash disable=SC2154

chain_net=203.0.113
chain_orgs='a b c'

chain_address() {
	case $1 in d) echo $chain_net.1 ;; a) echo $chain_net.11 ;;
	b) echo $chain_net.12 ;; c) echo $chain_net.13 ;; esac
}
chain_ns() { echo "mtrk-$$-$1"; }
chain_at() { local ns; ns=$(chain_ns "$1"); shift; ip netns exec "$ns" "$@"; }

chain_network() {
	local d org ns
	d=$(chain_ns d)
	{ ip netns add "$d" && ip -n "$d" link set lo up; } ||
	    lab_fail "no network namespaces here: a container needs CAP_NET_ADMIN"
	ip -n "$d" link add br0 type bridge
	ip -n "$d" address add "$(chain_address d)/24" dev br0
	ip -n "$d" link set br0 up
	for org in $chain_orgs; do
		ns=$(chain_ns "$org")
		ip netns add "$ns"
		ip -n "$ns" link set lo up
		ip -n "$d" link add "to-$org" type veth peer name eth0 netns "$ns"
		ip -n "$d" link set "to-$org" master br0 up
		ip -n "$ns" address add "$(chain_address "$org")/24" dev eth0
		ip -n "$ns" link set eth0 up
		mkdir -p "/etc/netns/$ns"
		echo "nameserver $(chain_address d)" >"/etc/netns/$ns/resolv.conf"
	done
}

chain_dns() {
	local org names=()
	for org in $chain_orgs; do
		names+=("--mx-host=$org.test,mx.$org.test,10"
		    "--host-record=mx.$org.test,$(chain_address "$org")"
		    "--host-record=track.$org.test,$(chain_address "$org")"
		    "--srv-host=_mtqp._tcp.mx.$org.test,track.$org.test,2038")
	done
	lab_run dns ip netns exec "$(chain_ns d)" dnsmasq --no-daemon \
	    --conf-file=/dev/null --no-resolv --no-hosts --no-poll --pid-file= \
	    --user=root --local=/test/ --listen-address="$(chain_address d)" \
	    --bind-interfaces --mx-host=d.test,mx.d.test,10 \
	    --host-record="mx.d.test,$(chain_address d)" "${names[@]}"
	lab_run sink ip netns exec "$(chain_ns d)" python3 \
	    "$lab_root/tests/lab/sink.py" "$(chain_address d):25" "$lab/taken"
}

# A self-signed certificate for the gate and mtqpd of an organisation.
chain_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj "/CN=mx.$1.test" \
	    -addext "subjectAltName=DNS:mx.$1.test,DNS:track.$1.test" \
	    -keyout "$lab/$1/key.pem" -out "$lab/$1/cert.pem" 2>/dev/null
	cat "$lab/$1/cert.pem" >>"$lab/authorities.pem"
}

# chain_conf ORG LINE...: what all have, and its own
chain_conf() {
	local org=$1; shift
	cat >"$lab/$org/mtrk.conf" <<-EOF
	Store $lab/$org/store
	ReportingMTA mx.$org.test
	MilterSocket inet:8891@127.0.0.1
	Listen $(chain_address "$org"):2038
	TLSCertificate $lab/$org/cert.pem
	TLSKey $lab/$org/key.pem
	GateTLS $lab/$org/cert.pem $lab/$org/key.pem
	LogTo stderr
	EOF
	printf '%s\n' "$@" >>"$lab/$org/mtrk.conf"
}

# chain_run ORG NAME COMMAND...: as lab_run, there
chain_run() {
	local org=$1 name=$2; shift 2
	lab_run "$org-$name" ip netns exec "$(chain_ns "$org")" "$@"
}

chain_open() { chain_at "$1" bash -c "exec 3<>/dev/tcp/$2/$3"; }

chain_ours() {
	local org=$1 name
	for name in mtrk-milter mtrk-collect mtqpd mtrk-gate; do
		chain_run "$org" "$name" "$bin/$name" -c "$lab/$org/mtrk.conf" -f
		[ "$name" != mtrk-milter ] || # it makes the store
		    lab_wait 20 chain_open "$org" 127.0.0.1 8891 ||
		    lab_fail "$org: no milter"
	done
	lab_wait 20 chain_open "$org" "$(chain_address "$org")" 2038 ||
	    lab_fail "$org: no mtqpd"
}

chain_pf() {
	local org=$1; shift
	chain_at "$org" env LD_LIBRARY_PATH="$lab_cache/pfx/usr/lib/postfix" \
	    MAIL_CONFIG="$lab/$org/postfix/etc" \
	    PATH="$lab_cache/pfx/usr/sbin:$PATH" "$@"
}

# chain_postfix ORG LINE...: an instance behind a gate, on port 10026
chain_postfix() {
	local org=$1 whole=$lab; shift
	local lab=$whole/$org smtp_port=10026 milter_port=8891 sink_port=25
	local lab_postfix=$lab/postfix
	lab_make_postfix "myhostname = mx.$org.test" "mydestination = $org.test" \
	    "mynetworks = 127.0.0.0/8 $(chain_address "$org")/32" \
	    "smtpd_upstream_proxy_protocol = haproxy" \
	    "smtpd_command_filter =" \
	    "minimal_backoff_time = 1s" "queue_run_delay = 1s" "$@"
	lab=$whole
	chain_pf "$org" postfix start >"$lab/$org-postfix.log" 2>&1 ||
	    lab_fail "$org: postfix did not start"
	lab_wait 20 chain_open "$org" 127.0.0.1 10026 ||
	    lab_fail "$org: postfix is deaf"
}

chain_sm() {
	local root=$lab_cache/sm
	chain_at b unshare -u sh -c 'hostname mx.b.test; exec "$@"' sh env \
	    LD_LIBRARY_PATH="$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu" \
	    "$root/usr/libexec/sendmail/sendmail" \
	    -D "$lab/b/sendmail/mail.log" -d89.10 -C "$lab/b/sendmail/sm.cf" "$@"
}

chain_sendmail() {
	local whole=$lab up
	local lab=$whole/b sm_port=2525 milter_port=8891 sink_port=25 sm_level=11
	up=$(printf '../%.0s' $(seq 20))
	mkdir -p "$lab/sendmail"
	printf '%s\n' 'list: backup@c.test, irc@c.test' 'owner-list: lists' \
	    'lists: games' 'solo: man@c.test' 'duo: lp@c.test, mail@c.test' \
	    >"$lab/sendmail/aliases"
	lab_make_sendmail "define(\`confDOMAIN_NAME', \`mx.b.test')dnl" \
	    "undefine(\`SMART_HOST')dnl" \
	    "LOCAL_DOMAIN(\`b.test')dnl" "RELAY_DOMAIN(\`c.test d.test')dnl" \
	    "FEATURE(\`$up$lab_root/contrib/sendmail/mtrk', \`$bin/mtrk-gate', \`root:root', \`-c $lab/mtrk.conf')dnl"
	lab=$whole
	# only these two let Sendmail see who is behind the gate
	ip -n "$(chain_ns b)" rule add from 127.0.0.1 ipproto tcp sport 2525 lookup 100
	ip -n "$(chain_ns b)" route add local 0.0.0.0/0 dev lo table 100
	chain_start_sm -q1s
}
# with its children, which may be running the queue
chain_stop_sm() {
	chain_sm_ended() { ! ip netns pids "$(chain_ns b)" | sed 's,.*,/proc/&/comm,' | xargs cat | grep -qx sendmail; }
	kill "$b_sendmail_pid"; wait "$b_sendmail_pid" 2>/dev/null || true
	lab_wait 20 chain_sm_ended || lab_fail "b: sendmail lives"
}
# chain_start_sm HOW...: whether, and when, its queue runs
chain_start_sm() {
	lab_run b-sendmail chain_sm_daemon "$@"
	lab_wait 20 chain_open b 127.0.0.1 2525 || lab_fail "b: sendmail is deaf"
}
chain_sm_daemon() {
	local root=$lab_cache/sm
	exec ip netns exec "$(chain_ns b)" unshare -u \
	    sh -c 'hostname mx.b.test; exec "$@"' sh env \
	    LD_LIBRARY_PATH="$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu" \
	    "$root/usr/libexec/sendmail/sendmail" -D "$lab/b/sendmail/mail.log" \
	    -d89.10 -C "$lab/b/sendmail/sm.cf" -bD "$@"
}

chain_organisations() {
	chain_conf a "MailLog $lab/a/postfix/log/maillog" \
	    "GateListen $(chain_address a):25 127.0.0.1:10026 proxy" \
	    "GateListen $(chain_address a):587 127.0.0.1:10026 proxy" \
	    "GateRoute 127.0.0.1:10025 b.test" \
	    "GateRoute 127.0.0.1:10028 [mx.d.test]" \
	    "GateNextHopTLS verify" "GateNextHopCA $lab/authorities.pem"
	chain_conf b "MailLog $lab/b/sendmail/mail.log" \
	    "GateListen $(chain_address b):25 127.0.0.1:2525 transparent"
	chain_conf c "MailLog $lab/c/postfix/log/maillog" \
	    "GateListen $(chain_address c):25 127.0.0.1:10026 proxy"
	local org
	for org in $chain_orgs; do chain_ours "$org"; done
	chain_postfix a \
	    "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination" \
	    "default_transport = smtp:[127.0.0.1]:10025" \
	    "transport_maps = inline:{clear.test=smtp:[127.0.0.1]:10028}" &
	local first=$!
	chain_postfix c "transport_maps =" "smtpd_relay_restrictions = reject_unauth_destination" \
	    "virtual_alias_maps = inline:{ {one@c.test = games@c.test}, {many@c.test = games@c.test news@c.test} }" \
	    "smtpd_recipient_restrictions = check_recipient_access inline:{ {nobody@c.test = 550 5.1.1 no such person} }" &
	local second=$!
	chain_sendmail
	wait $first && wait $second || lab_fail "no postfix"
	for org in $chain_orgs; do
		lab_wait 20 chain_open "$org" "$(chain_address "$org")" 25 ||
		    lab_fail "$org: nobody on port 25"
	done
}

chain_stop() {
	local org ns status=$?
	set +e
	trap - EXIT
	lab=$chain_lab # it may be an organisation's, where an interrupt came
	kill "${lab_pids[@]}" 2>/dev/null
	wait # for a Postfix that is still starting, too
	lab_pids=()
	for org in a c; do
		[ -d "$lab/$org/postfix" ] && lab_postfix=$lab/$org/postfix lab_stop_postfix 2>/dev/null
	done
	[ $status = 0 ] || tail -n 15 "$lab"/[ac]/postfix/log/maillog \
	    "$lab/b/sendmail/mail.log" >&2 2>/dev/null
	for org in d $chain_orgs; do
		ns=$(chain_ns "$org")
		ip netns delete "$ns" 2>/dev/null
		rm -rf "/etc/netns/$ns"
	done
	(exit $status)
	lab_stop
}

chain_start() {
	lab_start
	chain_lab=$lab
	trap chain_stop EXIT
	lab_fetch_sendmail
	export XDG_DATA_HOME="$lab/data"
	mkdir "$lab"/{a,b,c}
	: >"$lab/authorities.pem"
	for org in $chain_orgs; do chain_certificate "$org"; done
	chain_network
	chain_dns
	chain_organisations
}

chain_dump() { local org=$1; shift; "$bin/mtrk-dump" -c "$lab/$org/mtrk.conf" "$@"; }
# as a person at A would; the trust is in this lab's own certificates
chain_track() { chain_at a env SSL_CERT_FILE="$lab/authorities.pem" "$bin/mtrk-track" "$@"; }
# every recipient's way has an end, good or bad
chain_arrived() {
	local said
	said=$(chain_track query "$1" 2>/dev/null || [ $? = 2 ]) || return 1
	! echo "$said" | grep -q ': Waiting'
}
# what a server says of itself, MTRK included
chain_greeting() {
	chain_at "$1" python3 - "$(chain_address "$1")" <<-'P'
	import smtplib, sys
	s = smtplib.SMTP(sys.argv[1], 25)
	s.ehlo("look.test")
	print(*s.esmtp_features)
	P
}
