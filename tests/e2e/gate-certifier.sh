#!/bin/bash
# Who gets the certifier behind mtrk-gate (S30, S35): of two recipients that
# were one, and that Postfix delivers at once, at most one, however the two
# conversations meet; and with HideForwarding nobody to whom an alias leads.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab_start
read -r r1 r2 r3 r4 r5 r6 hop1 hop2 hop3 <<<"$(lab_ports 9)"
hop() { # NUMBER OPTION...: each waits with DATA until it has two to answer
	local port=hop$1
	lab_serve "hop$1" "${!port}" python3 "$lab_root/tests/lab/sink.py" --mtrk --heard "$lab/heard$1" "${@:2}" "${!port}" "$lab/taken"
}
hop 1 --meet 2; hop 2 --meet 2; hop 3
lab_conf
gate() { # NAME LINE...
	local name=$1; shift
	{ cat "$lab/mtrk.conf"; printf '%s\n' "$@"; } >"$lab/$name.conf"
	lab_run "$name" "$bin/mtrk-gate" -c "$lab/$name.conf" -f
}
# one.test and two.test by one process, three.test and four.test by two
gate gate-a "GateRoute 127.0.0.1:$r1 [127.0.0.1]:$hop1" "GateRoute 127.0.0.1:$r2 [127.0.0.1]:$hop1" \
    "GateRoute 127.0.0.1:$r3 [127.0.0.1]:$hop2"
gate gate-b "GateRoute 127.0.0.1:$r4 [127.0.0.1]:$hop2"
gate gate-c "GateRoute 127.0.0.1:$r5 [127.0.0.1]:$hop3" "GateRoute 127.0.0.1:$r6 [127.0.0.1]:$hop3" "HideForwarding yes"
lab_start_milter
lab_start_postfix "transport_maps = inline:{ {one.test=smtp:[127.0.0.1]:$r1} {two.test=smtp:[127.0.0.1]:$r2}
    {three.test=smtp:[127.0.0.1]:$r3} {four.test=smtp:[127.0.0.1]:$r4}
    {five.test=smtp:[127.0.0.1]:$r5} {six.test=smtp:[127.0.0.1]:$r6} }" \
    "virtual_alias_maps = inline:{ {both@lab.test=a@one.test b@two.test} {far@lab.test=a@three.test b@four.test}
    {boss@lab.test=secret@five.test} }"
lab_start_collect
for port in $r1 $r4 $r6; do lab_wait 20 lab_listens "$port" || lab_fail "no gate"; done
marked() { python3 "$lab_root/tests/lab/marked.py" "$smtp_port" "$@" >"$lab/said" || lab_fail "refused: $(cat "$lab/said")"; }
# of the transactions that a hop took, those with the certifier
with() { awk '/ MAIL FROM/ { m[$1] = / MTRK=/ } / \.$/ { n++; k += m[$1] } END { print n + 0, k + 0 }' "$1"; }
all_of() { [ "$(with "$1" | cut -d' ' -f1)" = "$2" ]; }
state() { lab_dump --json --envid "$1" | jq -r '.recipients[] | "\(.original_recipient) \(.action)"' | sort | tr '\n' ' '; }
state_is() { [ "$(state "$1")" = "$2" ]; }

# 1. S30: both are in their transactions before either's message is taken
marked s1@h.test a@h.test both@lab.test
marked s2@h.test a@h.test far@lab.test
for n in 1 2; do
	lab_wait 40 all_of "$lab/heard$n" 2 || lab_fail "not both: $(cat "$lab/heard$n")"
	awk '/ DATA$/ { d++ } / \.$/ && d < 2 { exit 1 }' "$lab/heard$n" || lab_fail "not at once: $(cat "$lab/heard$n")"
	[ "$(with "$lab/heard$n")" = "2 1" ] || lab_fail "S30: $(with "$lab/heard$n"): $(cat "$lab/heard$n")"
	# who has none was begun again, and RSET came before any content
	grep -q RSET "$lab/heard$n" || lab_fail "not begun again"
done
lab_wait 20 state_is s1@h.test "both@lab.test expanded " || lab_fail "s1: $(state s1@h.test)"
lab_wait 20 state_is s2@h.test "far@lab.test expanded " || lab_fail "s2: $(state s2@h.test)"

# 2. S35: an alias leads to secret@; x@six.test is who it was
marked h1@h.test a@h.test boss@lab.test x@six.test
lab_wait 20 all_of "$lab/heard3" 2 || lab_fail "hidden: $(cat "$lab/heard3")"
grep -q "MAIL FROM:<a@h.test> .*ENVID=h1@h.test MTRK=" "$lab/heard3" || lab_fail "x@six.test has no MTRK"
[ "$(with "$lab/heard3")" = "2 1" ] || lab_fail "S35: $(cat "$lab/heard3")"
n=$(grep 'RCPT TO:<secret@five.test>' "$lab/heard3" | tail -1 | cut -d' ' -f1)
grep "^$n MAIL" "$lab/heard3" | tail -1 | grep -q 'ENVID=h1@h.test$' || lab_fail "S35: $(cat "$lab/heard3")"
# who asks hears of a delivery; who keeps the host sees it all
lab_wait 20 state_is h1@h.test "boss@lab.test relayed x@six.test transferred " || lab_fail "h1: $(state h1@h.test)"
{ cat "$lab/mtrk.conf"; echo "HideForwarding yes"; } >"$lab/hide.conf"
cp "$lab/hide.conf" "$lab/mtrk.conf"
lab_start_mtqpd
lab_track query --json --depth 0 --server "127.0.0.1:$mtqp_port" h1@h.test AAECAwQFBgcICQoLDA0ODw== >"$lab/answer" || [ $? = 1 ]
jq -e '[.parts[0].recipients[] | [.original_recipient, .final_recipient, .action, .status, .remote_mta]] | sort ==
    [["boss@lab.test", "boss@lab.test", "delivered", "2.0.0", null],
    ["x@six.test", "x@six.test", "transferred", "2.4.0", "sink.test"]]' "$lab/answer" >/dev/null ||
    lab_fail "S35: $(jq -c .parts[0].recipients "$lab/answer")"
! grep -q secret "$lab/answer" || lab_fail "S35, T24: $(cat "$lab/answer")"
echo "gate certifier: ok"
