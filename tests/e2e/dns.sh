#!/bin/bash
# Discovery against a real authoritative DNS (nsd): RFC 2782's order and
# weights, target ".", A and AAAA, CNAMEs, an answer too large for UDP, names
# that are not there, a DNS that fails.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/net.sh"
# not installed: its package would start it on this machine
lab_fetch nsd usr/sbin/nsd nsd libfstrm0 libprotobuf-c1
net_start dns 198.51.100.1/32 198.51.100.2/32 2001:db8::2/128
mkdir "$lab/zones"
cat >"$lab/nsd.conf" <<-E2
	server:
	    ip-address: 127.0.0.1@53
	    ip-address: 127.0.0.1@54
	    username: ""
	    zonesdir: "$lab/zones"
	    database: ""
	    pidfile: ""
	    zonelistfile: "$lab/zones/list"
	    xfrdfile: "$lab/zones/xfrd"
	    statistics: 0
	remote-control:
	    control-enable: no
	zone:
	    name: test
	    zonefile: test
	zone:
	    name: broken.example
	    zonefile: none
E2
srv() { printf '_mtqp._tcp.%s IN SRV %s\n' "$@"; }
{
	printf '$ORIGIN test.\n$TTL 60\n@ IN SOA ns.test. root.test. 1 60 60 60 60\n@ IN NS ns.test.\nns IN A 127.0.0.1\n'
	printf 'one IN A 198.51.100.1\ntwo IN A 198.51.100.2\nsix IN AAAA 2001:db8::2\n'
	printf 'both IN A 198.51.100.1\nboth IN AAAA 2001:db8::2\nalias IN CNAME two\n'
	# the lower priority first, whatever its weight; then the other
	srv order '20 60000 2038 one.test.'; srv order '10 0 2038 two.test.'
	srv next '10 0 9 one.test.'; srv next '10 5 9 nowhere.test.'; srv next '20 0 2038 two.test.'
	srv no '0 0 0 .'; printf 'no IN A 198.51.100.1\n'
	srv weights '5 90 2038 one.test.'; srv weights '5 10 2038 two.test.'; srv weights '6 60000 9 one.test.'
	srv six '0 0 2038 six.test.'; srv both '0 0 2038 both.test.'
	srv alias '0 0 2038 alias.test.' # RFC 2782 forbids it, and people do it
	printf '_mtqp._tcp.moved IN CNAME _mtqp._tcp.order\n'
	printf 'plain IN A 198.51.100.1\nplainalias IN CNAME plain\n'
	# far more than 512 octets; the one that is there is the last to be tried
	for i in {1..45}; do srv large "$i 0 9 a-target-of-quite-some-length-$i.test."; done; srv large '60 0 2038 two.test.'
} >"$lab/zones/test"
lab_run nsd ip netns exec "$net" \
    env LD_LIBRARY_PATH="$lab_cache/nsd/usr/lib/x86_64-linux-gnu" \
    "$lab_cache/nsd/usr/sbin/nsd" -d -c "$lab/nsd.conf"
declare -A address=([one]=198.51.100.1 [two]=198.51.100.2 [six]=2001:db8::2)
for who in one two six; do
	sed "s/REPORTER/$who/" >"$lab/$who.mime" <<-'E2'
		Content-Type: multipart/related; boundary="b"; type="message/tracking-status"

		--b
		Content-Type: message/tracking-status

		Original-Envelope-Id: q@h
		Reporting-MTA: dns; REPORTER

		Final-Recipient: rfc822; bob@x.test
		Action: delivered
		Status: 2.0.0

		--b--
	E2
	for port in 2038 1038; do
		lab_run "$who-$port" ip netns exec "$net" python3 "$lab_root/tests/lab/answers.py" \
		    "${address[$who]}:$port" "$lab/$who.mime"
	done
done
for port in 2038 1038; do for who in one two six; do
	net_listens "${address[$who]}:$port" || lab_fail "no server: $who"
done; done
net_listens 127.0.0.1:53 || lab_fail "no nsd: $(cat "$lab/nsd.log")"

what() { echo "mtqp://$1/track/q@h/AAECAwQFBgcICQoLDA0ODw"; }
# asks NAME WHO-ANSWERS PORT
asks() {
	local before after
	before=$(grep -c asked "$lab/$2-$3.log" || true)
	ask --json "$(what "$1")" >"$lab/out" 2>"$lab/says" || lab_fail "$1: $(cat "$lab/says")"
	jq -e ".parts[0].reporting_mta == \"$2\"" "$lab/out" >/dev/null || lab_fail "$1: not $2: $(cat "$lab/out")"
	after=$(grep -c asked "$lab/$2-$3.log")
	[ "$after" = $((before + 1)) ] || lab_fail "$1: not at port $3, or not once"
}
# fails NAME STATUS TEXT [option...]: and it asks nobody
fails() {
	local status=0 before
	before=$(cat "$lab"/*-*38.log | wc -l)
	ask "${@:4}" "$(what "$1")" >"$lab/out" 2>"$lab/says" || status=$?
	{ [ $status = "$2" ] && grep -Fq "$3" "$lab/says"; } || lab_fail "$1: $status $(cat "$lab/says")"
	[ "$(cat "$lab"/*-*38.log | wc -l)" = "$before" ] || lab_fail "$1: a server was asked"
}
for i in 1 2 3; do asks order.test two 2038; asks next.test two 2038; done
asks six.test six 2038
# both families: the one that RFC 6724 puts first answers; without it the other
ask --json "$(what both.test)" | jq -e '.parts[0].reporting_mta | . == "six" or . == "one"' >/dev/null ||
    lab_fail "both.test"
asks alias.test two 2038
asks moved.test two 2038
asks plain.test one 1038      # no SRV: its own address, port 1038
asks plainalias.test one 1038
asks large.test two 2038      # TC, so TCP
within python3 - <<-'P' || lab_fail "the large answer fits: the test is none"
	import socket
	q = b"\0\1\1\0\0\1\0\0\0\0\0\0\5_mtqp\4_tcp\5large\4test\0\0\x21\0\1"
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
	s.sendto(q, ("127.0.0.1", 53)); raise SystemExit(not s.recv(4096)[2] & 2)
P
fails no.test 69 'has no tracking server (SRV target ".")'
fails nothere.test 69 'no such name in the DNS'
fails six.no.test 69 'no such name in the DNS'
# a DNS that fails is not one that says no: nobody else is asked instead
fails mx.broken.example 75 'or it failed'
fails mx.elsewhere.example 75 'or it failed'
fails order.test 75 'no DNS server to be reached' --resolver 127.0.0.1:9
# two resolvers, the first of them dead
ask --json --resolver 127.0.0.1:9,127.0.0.1:54 "$(what order.test)" | jq -e '.parts | length == 1' >/dev/null ||
    lab_fail "two resolvers"

# weights 90 and 10, 120 times: RFC 2782's rule (0 to 100, and 0 counts for the
# first record) makes it 90 or 91 of 101; less than 91 times, or each time, is
# one chance in 100,000
before=$(grep -c asked "$lab/one-2038.log" || true)
within bash -c "for ((i = 0; i < 120; i++)); do '$bin/mtrk-track' query --json --resolver 127.0.0.1 '$(what weights.test)' || exit 1; done" \
    >"$lab/out" || lab_fail "weights"
first=$(($(grep -c asked "$lab/one-2038.log") - before))
{ [ $first -ge 91 ] && [ $first -le 119 ]; } || lab_fail "weights: $first of 120"
echo "dns: ok, weight 90 of 100 was first $first times of 120"
