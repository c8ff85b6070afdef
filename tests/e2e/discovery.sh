#!/bin/bash
# mtrk-track finds servers by real DNS (SRV, target ".", AAAA, a dead first
# choice) and follows a message from server to server; each failure shows.
# Real mtqpds and a real dnsmasq, with public addresses, in a network of
# their own.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/net.sh"
net_start discovery 198.51.100.1/32 198.51.100.2/32 2001:db8::3/128 203.0.113.{1..9}/32

eight=(); for i in {1..8}; do eight+=("--host-record=m$i.t.test,203.0.113.$i"); done
net_dns \
    --srv-host=_mtqp._tcp.mx1.a.test,dead.a.test,2038,1,0 \
    --srv-host=_mtqp._tcp.mx1.a.test,track.a.test,2038,5,0 \
    --srv-host=_mtqp._tcp.mx9.none.test --host-record=mx9.none.test,198.51.100.1 \
    --host-record=dead.a.test,198.51.100.1 --host-record=track.a.test,198.51.100.2 \
    --host-record=mx1.a.test,198.51.100.1 --host-record=mx2.b.test,198.51.100.1 \
    --host-record=mx3.c.test,2001:db8::3 --cname=mx3b.c.test,mx3.c.test \
    --host-record=six.test,198.51.100.1,2001:db8:5::1 --host-record=six.test,2001:db8:5::2 --host-record=six.test,2001:db8:5::3 \
    --host-record=mx.private.test,127.0.0.1 --host-record=mx4.dead.test,198.51.100.2 \
    --server=/slow.test/127.0.0.1#5353 "${eight[@]}"
lab_run slow ip netns exec "$net" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --pid-file= \
    --listen-address=127.0.0.1 --bind-interfaces --port=5353 --local=/slow.test/ --host-record=s1.slow.test,198.51.100.2 \
    --host-record=s2.slow.test,203.0.113.9
slow=${lab_pids[-1]}

put() { net_put "$1" q1@h.test "${@:2}"; }
put mx1.a.test bob@x.test bob@x.test transferred 2.4.0 mx2.b.test
put mx1.a.test carol@x.test carol@x.test transferred 2.4.0 mx9.none.test
put mx1.a.test dave@x.test dave@x.test transferred 2.4.0 mx.private.test
put mx1.a.test erin@x.test erin@x.test transferred 2.4.0 mx1.a.test
put mx1.a.test fay@x.test fay@x.test transferred 2.4.0 mx4.dead.test
put mx1.a.test gina@x.test gina@x.test transferred 2.4.0 mx3b.c.test
put mx1.a.test hal@x.test hal@x.test transferred 2.4.0 mx2.b.test
put mx2.b.test bob@x.test bob@y.test transferred 2.4.0 mx3.c.test
put mx3.c.test bob@x.test bob@z.test delivered 2.0.0 -
put mx3.c.test gina@x.test gina@z.test relayed 2.1.9 far.test
net_server mx1.a.test 198.51.100.2:2038
net_server mx2.b.test 198.51.100.1:1038
net_server mx3.c.test '[2001:db8::3]:1038'
secret=AAECAwQFBgcICQoLDA0ODw
uri=mtqp://mx1.a.test/track/q1@h.test/$secret==
answered() { [ "$(ask --json $uri | jq '[.hops[] | select(.state == "answered")] | length')" = 3 ]; }
lab_wait 20 answered ||
    lab_fail "not all answer: $(ask --json $uri)"

# IPv6 that leads nowhere: one short wait, and not for each address
within ip link add d0 type veth peer name d1 # at whose other end nobody is
for d in d0 d1; do within ip link set $d up; done
within ip addr add 2001:db8:5::9/64 dev d0 nodad
for i in 1 2 3; do within ip neigh add 2001:db8:5::$i lladdr 02:00:00:00:00:01 dev d0 nud permanent; done
within timeout 10 "$bin/mtrk-track" query --resolver 127.0.0.1 --depth 0 --json --server six.test:1038 q1@h.test $secret 2>/dev/null |
    jq -e '.hops[0].state == "answered"' >/dev/null || lab_fail "who has no IPv6 waits for it"

tracks() { grep -c event=track "$lab/mx3_c_test.log"; }
lab_wait 10 tracks || lab_fail "no line in its log"
before=$(tracks)
status=0; ask --json $uri >"$lab/answer" 2>"$lab/says" || status=$?
more() { [ "$(tracks)" -gt "$before" ]; }
lab_wait 10 more || lab_fail "not asked"
[ "$(tracks)" = $((before + 1)) ] || lab_fail "one server was asked twice"
[ $status = 1 ] || lab_fail "exit status $status: some under way, so 1"
way() { jq -c ".ways[] | select(.original_recipient == \"$1@x.test\") | $2" "$lab/answer"; }
[ "$(way bob '[.outcome, .word] + [.steps[] | .reporting_mta, .final_recipient, .end]')" = \
    '["well","Delivered","mx1.a.test","bob@x.test","goes-on","mx2.b.test","bob@y.test","goes-on","mx3.c.test","bob@z.test","ends"]' ] ||
    lab_fail "bob: $(way bob .)"
[ "$(way gina '[.outcome, .steps[1].action, .steps[1].server]')" = '["well","relayed","mx3b.c.test"]' ] ||
    lab_fail "gina: $(way gina .)"
for who in carol dave erin fay hal; do
	[ "$(way $who .outcome)" = '"under-way"' ] || lab_fail "$who: $(way $who .)"
done
[[ "$(way carol '.steps[0].missing')" == *'SRV target'* ]] || lab_fail "Q2a: $(way carol .)"
[[ "$(way dave '.steps[0].missing')" == *'--allow-private'* ]] || lab_fail "A45: $(way dave .)"
[ "$(way erin '.steps[0].end')" = '"loop"' ] || lab_fail "a loop: $(way erin .)"
[[ "$(way fay '.steps[0].missing')" == *refused* ]] || lab_fail "fay: $(way fay .)"
[ "$(way hal '.steps[0].end')" = '"not-there"' ] || lab_fail "hal: $(way hal .)"
[ "$(jq -c '[.hops[] | select(.state == "same") | [.server, .same_as] | sort]' "$lab/answer")" = \
    '[["mx3.c.test","mx3b.c.test"]]' ] || lab_fail "one server was asked twice: $(jq .hops "$lab/answer")"
[ "$(jq '[.parts[].recipients[]] | length' "$lab/answer")" = 7 ] || lab_fail "the first answer has changed"
for said in mx9.none.test 'mx.private.test: not asked' mx4.dead.test; do
	grep -q "$said" "$lab/says" || lab_fail "not said: $said"
done

# for people; the depth's bound; no SRV when a port is given (A33)
ask $uri >"$lab/text" 2>/dev/null || true
for failure in 'mx9.none.test .*SRV target' 'mx.private.test .*--allow-private' 'mx4.dead.test .*refused' \
    'where it has been before' 'mx2.b.test .*knows nothing of this recipient'; do
	grep -Eq "$failure" "$lab/text" || lab_fail "hidden: $failure: $(cat "$lab/text")"
done
ask --json --allow-private $uri 2>/dev/null | jq -e '.hops[] | select(.server == "mx.private.test") |
    .state == "failed" and (.error | contains("refused"))' >/dev/null || lab_fail "--allow-private does not ask"
[ "$(grep -c 'mx3.c.test  .*delivered' "$lab/text")" = 1 ] || lab_fail "text: $(cat "$lab/text")"
grep -q 'far.test.*beyond this point nobody keeps track' "$lab/text" || lab_fail "no honest end"
ask --json --depth 1 $uri 2>/dev/null | jq -e '[.hops[] | select(.error == "further than --depth 1")] | length == 1' >/dev/null ||
    lab_fail "--depth"
ask --json --depth 0 --server mx2.b.test:1038 q1@h.test $secret 2>/dev/null |
    jq -e '.ways[0].steps[0] | .reporting_mta == "mx2.b.test" and .end == "no-server"' >/dev/null || lab_fail "A33"
ask --json --depth 0 --server mx1.a.test:1038 q1@h.test $secret 2>/dev/null |
    jq -e '.parts[0].reporting_mta == "mx2.b.test"' >/dev/null || lab_fail "A33: SRV though a port was given"
# the system's resolver, and none
mkdir -p /etc/netns/$net; echo nameserver 127.0.0.1 >/etc/netns/$net/resolv.conf
within "$bin/mtrk-track" query --json $uri 2>/dev/null | jq -e '.hops[0].state == "answered"' >/dev/null ||
    { rm -r "/etc/netns/$net"; lab_fail "resolv.conf"; }
rm -r "/etc/netns/$net"; rmdir /etc/netns 2>/dev/null || true
status=0; ask --resolver 127.0.0.1:9 $uri >/dev/null 2>"$lab/says" || status=$?
{ [ $status = 75 ] && grep -q DNS "$lab/says"; } || lab_fail "a dead resolver: $status $(cat "$lab/says")"
# the picture: XML, a box a step and one a server that did not tell
ask --svg "$lab/way.svg" $uri >/dev/null 2>&1 || true
boxes=$(python3 -c '
import sys, xml.etree.ElementTree as t
r = t.parse(sys.argv[1]).getroot(); s = "{http://www.w3.org/2000/svg}"
print(len(r.findall(s + "rect")) - 1, len([x for x in r.iter(s + "text") if "mx3.c.test" in (x.text or "")]) > 0)
' "$lab/way.svg") || lab_fail "not XML: $(cat "$lab/way.svg")"
steps=$(jq '[.ways[].steps[] | 1 + (if .missing then 1 else 0 end)] | add' "$lab/answer")
[ "$boxes" = "$steps True" ] || lab_fail "boxes: $boxes, not $steps"

# side by side: eight servers, none of which answers before all are asked, and
# in front of them two whose names are told only when those have answered
mkdir "$lab/meet"; echo 8 >"$lab/meet/wanted"
for i in 1 2; do net_put mx1.a.test q8@h.test "s$i@x.test" "s$i@x.test" transferred 2.4.0 "s$i.slow.test"; done
for i in {1..8}; do
	net_put mx1.a.test q8@h.test "u$i@x.test" "u$i@x.test" transferred 2.4.0 "m$i.t.test"
	printf '%s\n' 'Content-Type: multipart/related; boundary="b"; type="message/tracking-status"' '' --b \
	    'Content-Type: message/tracking-status' '' 'Original-Envelope-Id: q8@h.test' "Reporting-MTA: dns; m$i.t.test" '' \
	    "Original-Recipient: rfc822; u$i@x.test" "Final-Recipient: rfc822; u$i@x.test" 'Action: delivered' \
	    'Status: 2.0.0' '' --b-- >"$lab/m$i.mime"
	lab_run "m$i" ip netns exec "$net" python3 "$lab_root/tests/lab/answers.py" "203.0.113.$i:1038" "$lab/m$i.mime" "$lab/meet"
done
for i in {1..8}; do net_listens "203.0.113.$i:1038" || lab_fail "no m$i"; done
kill -STOP "$slow"
ask --json mtqp://mx1.a.test/track/q8@h.test/$secret >"$lab/eight" 2>/dev/null & asking=$!
met() { [ "$(cat "$lab"/m?.log | grep -c asked)" = 8 ]; }
lab_wait 15 met || { kill -CONT "$slow"; lab_fail "held up: $(cat "$lab"/m?.log)"; }
kill -CONT "$slow"; wait $asking || true
jq -e '[.ways[].word] == ["Under way", "Under way", (range(8) | "Delivered")] and
    ([.hops[1, 2] | select(.error | contains("refused"))] | length == 2)' "$lab/eight" >/dev/null ||
    lab_fail "not asked side by side: $(jq -c '.hops[] | [.server, .error]' "$lab/eight")"
[ "$(cat "$lab"/m?.log | grep -c asked)" = 8 ] || lab_fail "not once each"

# --watch: what is new, until the end is reached
again() { net_put mx2.b.test q2@h.test bob@x.test bob@x.test "$@"; }
again delayed 4.4.1 mx8.test
ask --watch --json --server mx2.b.test:1038 q2@h.test $secret >"$lab/watched" & watching=$!
lab_wait 10 grep -q . "$lab/watched"; again delivered 2.0.0 mx8.test
status=0; wait $watching || status=$?
[ "$status $(jq -r '.ways[0].word' "$lab/watched" | tr '\n' ' ')" = '0 Waiting Delivered ' ] ||
    lab_fail "--watch: $status $(cat "$lab/watched")"
status=0; ask mtqp://nowhere.test/track/q1@h.test/$secret 2>"$lab/says" || status=$?
[ $status = 69 ] || lab_fail "no such host: $status $(cat "$lab/says")"
[ -z "${SHOW-}" ] || cp "$lab/text" "$lab/way.svg" "$SHOW"
echo "discovery: ok"
