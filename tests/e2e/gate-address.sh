#!/bin/bash
# The client's address behind mtrk-gate, from a network of its own, IPv4 and
# IPv6: to Postfix by PROXY protocol, at a port and at a socket of its queue
# folder, to Sendmail by IP_TRANSPARENT; the gate is not root then.
if [ -z "${GATE_BOX:-}" ]; then
	[ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null || { echo "needs a network namespace"; exit 77; }
	GATE_BOX=yes exec unshare -n "$0" "$@"
fi
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
ip link set lo up
lab_start
far=mtrk-$$-client
ip netns add "$far"
trap 'status=$?; ip netns del "$far"; (exit $status); lab_stop' EXIT
ip link add box type veth peer name far netns "$far"
ip link set box up
ip addr add 198.51.100.1/24 dev box
ip addr add 2001:db8::1/64 dev box nodad
ip -n "$far" link set lo up
ip -n "$far" link set far up
ip -n "$far" addr add 198.51.100.7/24 dev far
ip -n "$far" addr add 2001:db8::7/64 dev far nodad

sm_port=$(lab_ports 1)
lab_start_sink
lab_start_sendmail
# beside lab.sh's, one for IPv6
kill "$sendmail_pid"; wait "$sendmail_pid" || true
grep -q "^O DaemonPortOptions=.*Name=MTA" "$lab/sendmail/sm.cf" || lab_fail "no daemon options"
sed -i "s/^O DaemonPortOptions=.*/&\nO DaemonPortOptions=Name=MTA6, Family=inet6, Addr=::1, Port=$sm_port/" "$lab/sendmail/sm.cf"
lab_serve sendmail "$sm_port" lab_sm_exec -bD
# the routes back to the gate, as mtrk-gate(8) has them
ip rule add from 127.0.0.1 ipproto tcp sport "$sm_port" lookup 100
ip route add local 0.0.0.0/0 dev lo table 100
ip -6 rule add from ::1 ipproto tcp sport "$sm_port" lookup 100
ip -6 route add local ::/0 dev lo table 100

lab_make_gated_postfix "inet_protocols = all" "smtpd_relay_restrictions = reject_unauth_destination" \
    "mynetworks = 127.0.0.0/8"
cat >>"$lab/mtrk.conf" <<C
GateListen 198.51.100.1:25 127.0.0.1:$proxied_port proxy
GateListen [2001:db8::1]:25 127.0.0.1:$proxied_port proxy
GateListen 198.51.100.1:26 unix:$proxied_path proxy
GateListen [2001:db8::1]:26 unix:$proxied_path proxy
GateListen 198.51.100.1:2525 127.0.0.1:$sm_port transparent
GateListen [2001:db8::1]:2525 [::1]:$sm_port transparent
C
lab_boot_postfix
lab_start_milter
# in the group of Postfix's setgid_group, which may enter public/
sed 's/^MailLog.*/User news/' "$lab/mtrk.conf" >"$lab/gate.conf"
lab_serve mtrk-gate "$gate_port" "$bin/mtrk-gate" -c "$lab/gate.conf" -f
became_news() { [ "$(stat -c %U "/proc/$mtrk_gate_pid")" = news ]; } # it listens before
lab_wait 20 became_news || lab_fail "the gate is still root"

cat >"$lab/client.py" <<'P'
import smtplib, sys
for n, (host, port, to) in enumerate([(h, p, t) for h in ("198.51.100.1", "2001:db8::1")
        for p, t in ((25, "games@lab.test"), (26, "games@lab.test"), (2525, "games@sm.lab.test"))]):
    s = smtplib.SMTP(host, port, "client.test", timeout=30); s.ehlo()
    assert s.has_extn("mtrk"), (host, port, s.esmtp_features)
    for command in ("MAIL FROM:<a@h.test> ENVID=n%d@h.test MTRK=VheLhqV/rCKJmplkGFwsyW59pYk:86400" % n,
                    "RCPT TO:<%s>" % to):
        code, text = s.docmd(command); assert code == 250, (command, code, text)
    assert s.data("Subject: x\r\n\r\nhi\r\n")[0] == 250
    s.quit()
P
ip netns exec "$far" python3 "$lab/client.py" || lab_fail "the client"
clients() { lab_dump --json | jq -r '[.envid, .client] | join(" ")' | sort | tr '\n' ' '; }
want='n0@h.test 198.51.100.7 n1@h.test 198.51.100.7 n2@h.test 198.51.100.7 '
want+='n3@h.test 2001:db8::7 n4@h.test 2001:db8::7 n5@h.test 2001:db8::7 '
[ "$(clients)" = "$want" ] || lab_fail "the milters saw: $(clients)"
for address in '198\.51\.100\.7' '2001:db8:[0:]*7'; do
	lab_wait 20 grep -q "client=unknown\[$address\]" "$lab/postfix/log/maillog" || lab_fail "Postfix's log: no $address"
	lab_wait 20 grep -Eq "relay=.*\[(IPv6:)?$address\]" "$lab/sendmail/mail.log" || lab_fail "Sendmail's log: no $address"
	delivered() {
		cat "$lab"/postfix/mail/games/new/* "$lab/sendmail/mbox.games" |
		    grep -Ec "^Received: from client.test \(.*\[(IPv6:)?$address\]" | grep -qx 3
	}
	lab_wait 20 delivered || lab_fail "Received: $(grep -h -A2 ^Received "$lab"/postfix/mail/games/new/* "$lab/sendmail/mbox.games")"
done
echo "gate address: ok"
