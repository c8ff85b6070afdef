#!/bin/bash
# A client that says AUTH= on MAIL beside MTRK= (RFC 4954 5): what the MTA sees
# of both, Postfix and Sendmail, authenticated or not; through mtrk-gate, and
# by contrib/postfix alone.  The message is tracked in any case, and the next
# hop hears of neither.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
lab_start
lab_fetch_sendmail
read -r sasl_port sm_gate_port filter_port <<<"$(lab_ports 3)"
lab_run sink python3 "$lab_root/tests/lab/sink.py" --heard "$lab/heard" "$sink_port" "$lab/taken"
lab_serve passwords "$sasl_port" python3 "$lab_root/tests/lab/passwords.py" "$sasl_port"
lab_make_sm_passwords
up=$(printf '../%.0s' $(seq 20))
lab_start_sendmail "define(\`confDELIVERY_MODE', \`queue')dnl" "define(\`confSMTP_LOGIN_MSG', \`\$j')dnl" \
    "FEATURE(\`$up$lab_root/contrib/sendmail/mtrk', \`$bin/mtrk-gate', \`root:root')dnl" \
    "${sm_passwords[@]}" "H??X-Author: \${auth_author}" \
    LOCAL_RULESETS SLocal_trust_auth $'R$*\t$#OK'
gate_lines=("GateListen 127.0.0.1:$sm_gate_port 127.0.0.1:$sm_port plain")
lab_make_gated_postfix "smtpd_sasl_auth_enable = yes" "smtpd_sasl_type = dovecot" "smtpd_sasl_path = inet:127.0.0.1:$sasl_port"
cat >>"$lab/postfix/etc/master.cf" <<-EOF
127.0.0.1:$filter_port inet n - n - - smtpd
 -o smtpd_command_filter=regexp:$lab_root/contrib/postfix/mtrk-auth-carrier.regexp
EOF
lab_start_milter
lab_pf postfix start >"$lab/postfix.log" 2>&1 || lab_fail "no postfix"
lab_wait 20 lab_listens "$filter_port" || lab_fail "postfix is deaf"
lab_start_gate

cat >"$lab/client.py" <<'P'
import smtplib, sys
port, envid, login, to, parameters = sys.argv[1:]
s = smtplib.SMTP("127.0.0.1", int(port)); s.ehlo("c.test")
if login == "joe":
    s.login("joe", "right")
code, text = s.docmd("MAIL FROM:<a@h.test> ENVID=%s %s" % (envid, parameters))
if code == 250:
    assert s.docmd("RCPT TO:<%s>" % to)[0] == 250
    code, text = s.data("Subject: x\r\n\r\nhi\r\n")
print(code, text.decode())
s.quit()
P
# what the MTA says, and what its log, sooner or later, or queue has as AUTH='s value
said() { python3 "$lab/client.py" "$@" >"$lab/said" || lab_fail "$2: no dialogue"; cat "$lab/said"; }
postfix_has() {
	local id; id=$(sed -n 's/.*queued as \([0-9A-F]*\).*/\1/p' "$lab/said")
	lab_wait 20 grep -q " $id: client=" "$lab/postfix/log/maillog"
	sed -n "s/.* $id: client=[^ ]*, \(.*\)/\1/p" "$lab/postfix/log/maillog"
}
sendmail_has() {
	local id; id=$(sed -n 's/.* \([^ ]*\) Message accepted.*/\1/p' "$lab/said")
	sed -n 's/^A/A=/p; s/^H??X-Author: */ /p' "$lab/sendmail/queue/qf$id" | tr -d '\n'
}
want() { # NAME MTA-SAYS HAS
	[[ "$(cat "$lab/said")" == $2* ]] || lab_fail "$1: $(cat "$lab/said")"
	case $1 in sm*) has=$(sendmail_has) ;; *) has=$(postfix_has) ;; esac
	case $1 in sm*) set -- "$1" "$2" "A=<> $3" ;; esac
	[ "$has" = "$3" ] || lab_fail "$1: the MTA has '$has', not '$3'"
	tracked+=" $1@h.test"
}
tracked=
C=VheLhqV/rCKJmplkGFwsyW59pYk
mark="MTRK=$C:86400" carrier="MTRK+3D$C:86400"
long=$(printf 'x%.0s' $(seq 480))
far=friend@far.test
# each way to say both; EXTRA is in front in the log.  Sendmail's milters see it
# all as ${auth_author}; it trusts nobody unauthenticated, others in their own
# name and here in any, but not, by contrib/sendmail, in one with a mark, which
# the next hop would hear
tries() { # NAME PORT LOGIN EXTRA
	said "$2" "$1-first@h.test" "$3" $far "AUTH=e+3Dmc2@ex.test $mark" >/dev/null
	want "$1-first" 250 "$4$carrier;e+3Dmc2@ex.test"
	said "$2" "$1-last@h.test" "$3" $far "$mark RET=HDRS auth=joe@ex.test" >/dev/null
	want "$1-last" 250 "$4$carrier;joe@ex.test"
	# says nothing, no xtext, no room behind the mark: the mark alone
	for value in "<>" "a+zz" "$long"; do
		n=$((n + 1))
		said "$2" "$1-none$n@h.test" "$3" $far "$mark AUTH=$value" >/dev/null
		want "$1-none$n" 250 "$4$carrier"
	done
}
n=0
tries pf "$gate_port" nobody "sasl_sender="
tries pfjoe "$gate_port" joe "sasl_method=PLAIN, sasl_username=joe, sasl_sender="
tries sm "$sm_gate_port" nobody ""
tries smjoe "$sm_gate_port" joe ""
said "$sm_gate_port" smjoe-own@h.test joe $far "AUTH=joe $mark" >/dev/null
want smjoe-own 250 "$carrier;joe"
said "$sm_gate_port" smjoe-alone@h.test joe $far "$mark" >/dev/null
want smjoe-alone 250 "$carrier"
# without MTRK it is what it was, and so is the MTA's own answer to a bad one
for port in "$smtp_port" "$gate_port"; do
	said "$port" plain$((n += 1))@h.test nobody $far "AUTH=e+3Dmc2@ex.test" >/dev/null
	[ "$(postfix_has)" = "sasl_sender=e+3Dmc2@ex.test" ] || lab_fail "Postfix: $(postfix_has)"
	said "$port" twice$((n += 1))@h.test nobody $far "AUTH=a@x AUTH=b@x" >"$lab/twice.$port"
done
cmp "$lab/twice.$smtp_port" "$lab/twice.$gate_port" || lab_fail "two AUTH=: $(cat "$lab"/twice.*)"
for port in "$sm_port" "$sm_gate_port"; do
	said "$port" smplain$((n += 1))@h.test nobody $far "AUTH=e+3Dmc2@ex.test" >/dev/null
	[ "$(sendmail_has)" = "A=<> e+3Dmc2@ex.test" ] || lab_fail "Sendmail: $(sendmail_has)"
	for name in joe other; do
		said "$port" smown$((n += 1))@h.test joe $far "AUTH=$name" >/dev/null
		[ "$(sendmail_has)" = "A=$name $name" ] || lab_fail "Sendmail: $(sendmail_has)"
	done
	said "$port" smbad$((n += 1))@h.test nobody $far "AUTH=a+zz" >"$lab/bad.$port"
done
cmp "$lab/bad.$sm_port" "$lab/bad.$sm_gate_port" || lab_fail "bad AUTH=: $(cat "$lab"/bad.*)"
# AUTH itself, octet by octet, of EHLO its own word; a third try costs 3 seconds
cat >"$lab/talks.py" <<'P'
import base64, socket, sys
def b(text): return base64.b64encode(text).decode()
right, wrong = b(b"\0joe\0right"), b(b"\0joe\0wrong")
mail = ("MAIL FROM:<a@h.test> AUTH=joe", 250), ("RSET", 250), ("QUIT", 221)
for talk in (
        (("AUTH LOGIN", 334), ("*", 501), ("AUTH PLAIN " + right, 235), ("AUTH PLAIN " + right, 503)),
        (("AUTH PLAIN " + wrong, 535), ("auth login", 334), (b(b"joe"), 334), (b(b"right"), 235)),
        (("AUTH LOGIN " + b(b"joe"), 334), (b(b"wrong"), 535), *mail[:2], ("AUTH PLAIN", 334), (right, 235)),
        (("AUTH PLAIN", 334), ("*", 501), ("AUTH GSSAPI", 504)),
        (("AUTH PLAIN", 334), ("MAIL FROM:<a@h.test>", 501), ("AUTH", 501))):
    f = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30).makefile("rwb", 0)
    for line, want in ((None, 220), ("EHLO c.test", 250), *talk, *mail):
        if line:
            f.write(line.encode() + b"\r\n")
        said = b"250-"
        while said[3:4] == b"-":
            said = f.readline()
            if line != "EHLO c.test" or b"AUTH" in said:
                sys.stdout.buffer.write(said)
        assert int(said[:3]) == want, (line, want, said)
    assert f.read() == b""
P
for port in "$sm_port" "$sm_gate_port"; do
	python3 "$lab/talks.py" "$port" >"$lab/talks.$port" || lab_fail "AUTH at $port"
done
cmp "$lab/talks.$sm_port" "$lab/talks.$sm_gate_port" || lab_fail "AUTH: $(diff "$lab"/talks.*[0-9])"
# by hand, and a carrier of the client's own: twice
said "$gate_port" two@h.test nobody $far "$mark AUTH=$carrier" >/dev/null
[[ "$(cat "$lab/said")" == "501 5.5.4 "*twice* ]] || lab_fail "twice: $(cat "$lab/said")"
# Postfix without the gate
for value in "AUTH=e+3Dmc2@ex.test $mark" "$mark AUTH=e+3Dmc2@ex.test" "RET=HDRS $mark auth=e+3Dmc2@ex.test BODY=7BIT"; do
	n=$((n + 1))
	said "$filter_port" filter$n@h.test nobody $far "$value" >/dev/null
	want "filter$n" 250 "sasl_sender=MTRK=$C:86400;e+3Dmc2@ex.test"
done
said "$filter_port" filter@h.test nobody $far "$mark" >/dev/null
want filter 250 "sasl_sender=MTRK=$C:86400"

lab_dump --json | jq -r 'select(.requested_timeout == 86400) | .envid' | sort >"$lab/have"
tr ' ' '\n' <<<"${tracked# }" | sort >"$lab/wanted"
diff "$lab/wanted" "$lab/have" || lab_fail "not tracked, or too much is"
lab_sm -q >/dev/null 2>&1 || true
all_there() { [ "$(grep -c friend "$lab/taken")" -ge "$(($(wc -w <<<"$tracked") + 8))" ]; }
lab_wait 40 all_there || lab_fail "$(cat "$lab/taken")"
! grep -E 'MTRK|ex.test|VheL' "$lab/heard" || lab_fail "the next hop heard of it"
echo "gate auth: ok"
