#!/bin/bash
# How "send" reaches its server: several addresses, of which the first leads
# nowhere; what a person sees meanwhile; port 465 (RFC 8314); a password only
# over TLS that somebody vouches for.  A real Postfix, in a network and with
# an /etc/hosts of its own.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
if [ -z "${own_network-}" ]; then
	unshare -nm true 2>/dev/null || { echo "no network namespaces here"; exit 77; }
	lab_fetch_postfix
	own_network=yes exec unshare -nm "$0"
fi
lab_start
ip link set lo up
ip link add d0 type veth peer name d1 # at whose other end nobody is
ip link set d0 up; ip link set d1 up
ip addr add 2001:db8:5::2/64 dev d0 nodad; ip addr add 203.0.113.50/24 dev d0
for dead in 2001:db8:5::1 203.0.113.51; do ip neigh add "$dead" lladdr 02:00:00:00:00:01 dev d0 nud permanent; done
printf '%s\n' '127.0.0.1 localhost mail.test both.test' '2001:db8:5::1 both.test' '203.0.113.51 dead.test' >"$lab/hosts"
mount --bind "$lab/hosts" /etc/hosts
key() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
    -addext "subjectAltName=DNS:$1" -keyout "$lab/$1.key" -out "$lab/$1.pem" 2>/dev/null; }
key mail.test
lab_conf; export XDG_DATA_HOME="$lab/data" XDG_CONFIG_HOME="$lab/config" LC_ALL=C.UTF-8
read -r sasl_port <<<"$(lab_ports 1)"
lab_run passwords python3 "$lab_root/tests/lab/passwords.py" "$sasl_port"
lab_make_postfix "smtpd_milters =" "transport_maps = inline:{quiet.test=discard:}" \
    "smtpd_tls_security_level = may" "smtpd_tls_chain_files = $lab/mail.test.key, $lab/mail.test.pem" \
    "smtpd_sasl_auth_enable = yes" "smtpd_sasl_type = dovecot" "smtpd_sasl_path = inet:127.0.0.1:$sasl_port"
echo '127.0.0.1:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes' >>"$lab/postfix/etc/master.cf"
lab_pf postfix start >"$lab/postfix.log" 2>&1 || lab_fail "no postfix: $(cat "$lab/postfix.log")"
lab_wait 20 lab_listens 465 || lab_fail "postfix is deaf"
lab_wait 20 lab_listens "$sasl_port" || lab_fail "no passwords"

# send HOST:PORT OPTION...
send() { printf 'Subject: x\n\nhi\n' | "$bin/mtrk-track" send --server "$1" --from a@lab.test "${@:2}" b@quiet.test 2>"$lab/says"; }
logged() { grep -c "sasl_username=joe" "$lab/postfix/log/maillog"; }
# IPv6 leads nowhere: nobody waits for it until it has failed
ip -6 route get 2001:db8:5::1 >/dev/null || lab_fail "no way to IPv6: the test is none"
timeout 60 env bin="$bin" lab="$lab" port="$smtp_port" bash -c "$(declare -f send)"'; send "both.test:$port"' ||
    lab_fail "both.test: $? $(cat "$lab/says")"

# a person sees what is waited for, and may leave; the secret stays
tty() { TERM=xterm script -qfec "echo \$\$ >$lab/sender; exec $bin/mtrk-track send --server $1 --from a@lab.test b@quiet.test <$lab/letter" "$lab/screen" >/dev/null; }
printf 'Subject: x\n\nhi\n' >"$lab/letter"
tty "mail.test:$smtp_port" || lab_fail "on a terminal: $(cat "$lab/screen")"
for step in "Connecting to mail.test port $smtp_port" 'Sending' 'Waiting until the server has taken it'; do
	grep -Fq "$step ..."$'\e[K' "$lab/screen" || lab_fail "not shown: $step: $(cat -v "$lab/screen")"
done
tr '\r' '\n' <"$lab/screen" | grep -q 'sent, but not tracked' || lab_fail "$(cat -v "$lab/screen")"
tty dead.test:25 & waiting=$!
lab_wait 10 grep -q 'Connecting to dead.test port 25 ...' "$lab/screen" || lab_fail "nothing is shown: $(cat -v "$lab/screen")"
kill "$(cat "$lab/sender")" # as Ctrl-C does; "&" has INT ignored
wait $waiting || true
[ "$("$bin/mtrk-track" list --json | tail -1 | jq -r .state)" = unsent ] || lab_fail "stopped: $("$bin/mtrk-track" list)"

# who asks does not wait long for it, either
read -r answers_port <<<"$(lab_ports 1)"
printf '%s\n' 'Content-Type: multipart/related; boundary="b"; type="message/tracking-status"' '' --b \
    'Content-Type: message/tracking-status' '' 'Original-Envelope-Id: q@h' 'Reporting-MTA: dns; both.test' '' \
    'Final-Recipient: rfc822; bob@x.test' 'Action: delivered' 'Status: 2.0.0' '' --b-- >"$lab/answer"
lab_serve answers "$answers_port" python3 "$lab_root/tests/lab/answers.py" "$answers_port" "$lab/answer"
timeout 15 "$bin/mtrk-track" query --server "both.test:$answers_port" q@h AAECAwQFBgcICQoLDA0ODw >"$lab/out" 2>"$lab/says" ||
    lab_fail "query both.test: $? $(cat "$lab/says")"

# a login: not in clear, not over TLS that nobody vouches for
export MTRK_PASSWORD=right
refused() { local status=0; send "${@:2}" || status=$?
	{ [ $status = 69 ] && grep -q "not sent: $1" "$lab/says"; } || lab_fail "$1: $status $(cat "$lab/says")"; }
refused 'no password is sent without verified TLS: self' "mail.test:$smtp_port" --user joe
refused 'no password is sent without verified TLS: self' mail.test:465 --user joe
[ "$(logged)" = 0 ] || lab_fail "the password went to anybody"
send "mail.test:$smtp_port" --user joe --ca "$lab/mail.test.pem" --require-tls || lab_fail "a login: $(cat "$lab/says")"
send mail.test:465 --user joe --ca "$lab/mail.test.pem" --require-tls || lab_fail "port 465: $(cat "$lab/says")"
lab_wait 10 eval '[ "$(logged)" = 2 ]' || lab_fail "no login: $(grep sasl "$lab/postfix/log/maillog")"
export MTRK_PASSWORD=wrong
refused 'login failed: "535' mail.test:465 --user joe --ca "$lab/mail.test.pem"
refused 'its certificate: ' mail.test:465 --require-tls
lab_restart_postfix smtpd_tls_security_level=none
refused 'no password is sent without verified TLS: it offers no STARTTLS' "mail.test:$smtp_port" --user joe
refused 'it offers no STARTTLS' "mail.test:$smtp_port" --require-tls
echo "send connects: ok"
