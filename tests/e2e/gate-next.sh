#!/bin/bash
# Next hops that can't be had, behind mtrk-gate and a real Postfix: a TLS
# handshake that fails in any way or never goes on, where TLS may be and where
# it must be; no such domain, a null MX (RFC 7505), a connection refused.  The MTA keeps what
# it can't hand on, the reason stands in both logs, and nothing is lost.
if [ -z "${GATE_BOX:-}" ]; then
	[ "$(id -u)" = 0 ] && unshare -nm true 2>/dev/null || { echo "needs namespaces"; exit 77; }
	GATE_BOX=yes exec unshare -nm "$0" "$@"
fi
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
ip link set lo up
lab_start
net=198.51.100
for n in 1 2 3 4 5 6 7 8 9; do ip addr add $net.$n/32 dev lo; done

# certificate NAME AUTHORITY DAYS HOST...
certificate() {
	local name=$1 authority=$2 days=$3 names; shift 3
	names=$(printf ',DNS:%s' "$@")
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
	    -addext "subjectAltName=${names:1}" -keyout "$lab/$name.key" -out "$lab/$name.csr" 2>/dev/null &&
	    openssl x509 -req -in "$lab/$name.csr" -CA "$lab/$authority.crt" -CAkey "$lab/$authority.key" \
	    -copy_extensions copy -days "$days" -out "$lab/$name.crt" 2>/dev/null || lab_fail "openssl"
}
for name in ours theirs; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	    -subj "/CN=$name" -keyout "$lab/$name.key" -out "$lab/$name.crt" 2>/dev/null
done
certificate good ours 2 good.test
certificate expired ours -1 expired.test
certificate stranger theirs 2 stranger.test
certificate all ours 2 {good,wrong,expired,stranger,cut,clear,refused,busy,silent}.test

# DNS that says what is in $1, and the gates' resolver
echo 'nameserver 127.0.0.1' >"$lab/resolv.conf"
mount --bind "$lab/resolv.conf" /etc/resolv.conf
dns() {
	local n=0 names=()
	for host in good wrong expired stranger cut clear refused busy silent; do
		names+=("--host-record=$host.test,$net.$((n += 1))")
	done
	lab_run dns dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
	    --pid-file= --user=root --listen-address=127.0.0.1 --bind-interfaces --local=/test/ \
	    --mx-host=two.test,busy.test,10 --mx-host=two.test,good.test,20 \
	    --mx-host=last.test,refused.test,10 --mx-host=last.test,busy.test,20 "${names[@]}" "$@"
	lab_wait 20 lab_listens 53 || lab_fail "no DNS"
}
dns --dns-rr=null.test,15,000000 --mx-host=loop.test,mx.lab.test,5 --mx-host=bare.test,nowhere.test,5
dns_bad=$dns_pid
hop() { # HOST NUMBER OPTION...
	local host=$1 n=$2; shift 2
	lab_run "$host" python3 "$lab_root/tests/lab/sink.py" --mtrk --heard "$lab/heard.$host" "$@" \
	    "$net.$n:25" "$lab/taken"
	hops+=("${!#}")
}
listens() { (exec 3<>"/dev/tcp/$net.$1/25") 2>/dev/null; }
hop good 1 --tls "$lab/good.crt" "$lab/good.key"
hop wrong 2 --tls "$lab/good.crt" "$lab/good.key"
hop expired 3 --tls "$lab/expired.crt" "$lab/expired.key"
hop stranger 4 --tls "$lab/stranger.crt" "$lab/stranger.key"
hop cut 5 --cut hello
hop clear 6
hop busy 8 --greet "421 4.3.2 too busy"
hop silent 9 --cut never
for n in 1 2 3 4 5 6 8 9; do lab_wait 20 listens $n || lab_fail "no next hop $n"; done

# a route for each domain, at a gate that verifies; and for some where TLS may be
must=(silent good wrong expired stranger cut clear refused two last null loop bare gone busy)
may=(silent wrong expired stranger cut clear)
map=
read -ra ports <<<"$(lab_ports $((${#must[@]} + ${#may[@]})))"
for domain in "${must[@]}" "${may[@]/#/may-}"; do
	port=${ports[0]} ports=("${ports[@]:1}")
	case ${domain#may-} in
	two | last | null | loop | bare | gone) to=${domain#may-}.test ;;
	*) to=[${domain#may-}.test] ;;
	esac
	echo "GateRoute 127.0.0.1:$port $to" >>"$lab/${domain%%-*}.routes"
	map+=" {$domain.test=smtp:[127.0.0.1]:$port}"
done
lab_conf "GateNextHopCA $lab/ours.crt"
{ cat "$lab/mtrk.conf" "$lab"/may.routes; } >"$lab/may.conf"
rm "$lab/may.routes"
{ cat "$lab/mtrk.conf" "$lab"/*.routes; echo "GateNextHopTLS verify"; } >"$lab/must.conf"
lab_start_milter
lab_start_postfix "transport_maps = inline:{$map }" "minimal_backoff_time = 300s"
lab_start_collect
cc -shared -fPIC -o "$lab/faster.so" "$lab_root/tests/lab/faster.c" || lab_fail "cc"
export FASTER="$lab/faster" ASAN_OPTIONS=verify_asan_link_order=0
lab_run must-gate env LD_PRELOAD="$lab/faster.so" "$bin/mtrk-gate" -c "$lab/must.conf" -f
lab_run may-gate env LD_PRELOAD="$lab/faster.so" "$bin/mtrk-gate" -c "$lab/may.conf" -f
for port in $(echo "$map" | grep -o '[0-9]*}' | tr -d '}'); do
	lab_wait 20 lab_listens "$port" || lab_fail "no gate at $port"
done

python3 - "$smtp_port" "${must[@]}" "${may[@]/#/may-}" <<'P'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1])); s.ehlo("h.test")
for d in sys.argv[2:]:
    for command in ("MAIL FROM:<a@h.test> ENVID=%s@h.test AUTH=MTRK+3DVheLhqV/rCKJmplkGFwsyW59pYk:86400" % d,
                    "RCPT TO:<u@%s.test>" % d):
        assert s.docmd(command)[0] == 250
    assert s.data("X-Number: %s\r\nSubject: x\r\n\r\nhi\r\n" % d)[0] == 250
P

# what Postfix's log and the store say in the end
ends() { # DOMAIN STATUS=... TEXT
	grep "to=<u@$1.test>, .*status=$2" "$lab/postfix/log/maillog" | grep -qF "$3"
}
state() { lab_dump --json --envid "$1@h.test" | jq -r '.recipients[0] | "\(.action) \(.status) \(.remote_mta)"'; }
state_is() { [ "$(state "$1")" = "$2" ]; }
want() { # DOMAIN STATUS STATE TEXT
	lab_wait 30 ends "$1" "$2" "$4" ||
	    lab_fail "$1: $(grep "to=<u@$1.test>" "$lab/postfix/log/maillog")"
	lab_wait 20 state_is "$1" "$3" || lab_fail "$1: $(state "$1")"
}
want good sent "transferred 2.4.0 good.test" "queued as SINK01"
want two sent "transferred 2.4.0 good.test" "queued as SINK01"
tls="TLS is required, and"
want wrong deferred "delayed 4.7.5 [127.0.0.1]" "421 4.7.5 the next hop's certificate: hostname mismatch"
want expired deferred "delayed 4.7.5 [127.0.0.1]" "421 4.7.5 the next hop's certificate: certificate has expired"
want stranger deferred "delayed 4.7.5 [127.0.0.1]" "421 4.7.5 the next hop's certificate: unable to get local issuer certificate"
want cut deferred "delayed 4.7.5 [127.0.0.1]" "421 4.7.5 $tls failed: "
want clear deferred "delayed 4.7.0 [127.0.0.1]" "421 4.7.0 $tls the next hop has none"
want refused deferred "delayed 4.4.1 [127.0.0.1]" "421 4.4.1 refused.test: Connection refused"
want busy deferred "delayed 4.3.2 [127.0.0.1]" "421 4.3.2 too busy"
want last deferred "delayed 4.3.2 [127.0.0.1]" "421 4.3.2 too busy"
want null deferred "delayed 4.1.10 [127.0.0.1]" "421 4.1.10 null.test: it takes no mail (null MX)"
want loop deferred "delayed 4.4.6 [127.0.0.1]" "421 4.4.6 loop.test: its mail would come back to us"
want bare deferred "delayed 4.1.2 [127.0.0.1]" "421 4.1.2 bare.test: "
want gone deferred "delayed 4.1.2 [127.0.0.1]" "421 4.1.2 gone.test: "
# where TLS may be, it is done with whom it can, and else goes in clear
for domain in "${may[@]:1}"; do
	want "may-$domain" sent "transferred 2.4.0 $domain.test" "queued as SINK01"
done
# nobody waited for whom is silent; that has an end, too, before the MTA's
# patience of 300 s has
! ends silent "" "" && ! ends may-silent "" "" || lab_fail "silent: $(grep silent "$lab/postfix/log/maillog")"
both_begun() { [ "$(grep -c STARTTLS "$lab/heard.silent")" = 2 ]; }
lab_wait 20 both_begun || lab_fail "silent: $(cat "$lab/heard.silent")"
touch "$FASTER"
given_up() { [ "$(cat "$lab"/must-gate.log "$lab"/may-gate.log | grep -c '"silent.test".*too slow')" = 2 ]; }
lab_wait 60 given_up || lab_fail "silent: $(cat "$lab/must-gate.log" "$lab/may-gate.log")"
rm "$FASTER"
want silent deferred "delayed 4.7.5 [127.0.0.1]" "421 4.7.5 $tls failed: too slow"
want may-silent sent "transferred 2.4.0 silent.test" "queued as SINK01"
grep -q 'event=tls host="silent.test" text="too slow" mail="goes in clear"' "$lab/may-gate.log" || lab_fail "not said"
[ "$(grep -c 'event=tls host="cut.test" text=.* mail="goes in clear"' "$lab/may-gate.log")" = 1 ] ||
    lab_fail "not said: $(cat "$lab/may-gate.log")"
[ "$(grep -c event=tls "$lab/may-gate.log")" = 2 ] || lab_fail "said too often"
for host in wrong expired stranger; do
	grep -A1 STARTTLS "$lab/heard.$host" | grep -q '^[0-9]* EHLO' || lab_fail "$host: not under TLS"
done
# nothing but EHLO and STARTTLS was said to hosts that were not to be trusted
for host in wrong expired stranger cut clear silent; do
	! grep -q 'u@'"$host" "$lab/heard.$host" || lab_fail "$host: $(cat "$lab/heard.$host")"
done
for host in wrong expired stranger cut silent; do
	grep -q "event=gave-up host=\"$host.test\" reply=\"421 4.7.5 " "$lab/must-gate.log" ||
	    lab_fail "$host is not in the log: $(cat "$lab/must-gate.log")"
done
for host in refused null loop bare gone; do
	grep -q "event=no-connection next_hop=\"$host.test\" .*text=\".*\" reply=\"421 4" "$lab/must-gate.log" ||
	    lab_fail "$host is not in the log: $(cat "$lab/must-gate.log")"
done
# as a mailer, which has nobody else to tell it, the same are for good
pipe() {
	echo QUIT | "$bin/mtrk-gate" -c "$lab/must.conf" --pipe "$1" Q1 2>>"$lab/pipe.log"
}
for case in "null.test=556 5.1.10 null.test: it takes no mail (null MX)" \
    "loop.test=554 5.4.6 loop.test: its mail would come back to us" \
    "gone.test=554 5.1.2 gone.test: " "a\"b.test=554 5.1.2 a\"b.test: " "refused.test=421 4.4.1 refused.test: Connection refused"; do
	[[ "$(pipe "${case%%=*}")" == "${case#*=}"* ]] || lab_fail "pipe: $(pipe "${case%%=*}"), not ${case#*=}"
done
grep -qF 'next_hop="a\x22b.test" port=25' "$lab/pipe.log" || lab_fail "a stranger's words: $(grep a.b.test "$lab/pipe.log")"

# all is mended: every message comes, once
for host in wrong expired stranger cut clear busy silent; do
	pid=${host}_pid; kill "${!pid}"; wait "${!pid}" 2>/dev/null || true
done
kill "$dns_bad"; wait "$dns_bad" 2>/dev/null || true
dns --mx-host=null.test,good.test,5 --mx-host=loop.test,good.test,5 --mx-host=bare.test,good.test,5 \
    --mx-host=gone.test,good.test,5
n=1
for host in wrong expired stranger cut clear refused busy silent; do
	hop $host $((n += 1)) --tls "$lab/all.crt" "$lab/all.key"
done
for n in 2 3 4 5 6 7 8 9; do lab_wait 20 listens $n || lab_fail "no next hop $n"; done
lab_pf postqueue -f
empty() { lab_pf postqueue -p | grep -q 'queue is empty'; }
lab_wait 60 empty || lab_fail "still queued: $(lab_pf postqueue -p)"
want=$(printf '%s u\n' "${must[@]}" "${may[@]/#/may-}" | sort)
got=$(sed 's/@.*//' "$lab/taken" | sort)
[ "$got" = "$want" ] || lab_fail "taken: $got"
echo "gate next: ok"
