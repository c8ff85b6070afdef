#!/bin/bash
# LMTP next hops behind mtrk-gate, several recipients in one transaction, each
# with an answer of its own behind the dot (RFC 2033 4.2, T23): a real Dovecot,
# which does not track and so delivers, and one that lists MTRK, which is a hop.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/dovecot.sh"
lab_start
read -r to_lda to_box lda_port <<<"$(lab_ports 3)"
unshare -m true 2>/dev/null || { echo "needs a mount namespace"; exit 77; }
lab_start_dovecot ok@box.test full@box.test=10
lab_serve lda "$lda_port" python3 "$lab_root/tests/lab/sink.py" --mtrk --heard "$lab/heard" "$lda_port" "$lab/taken"
lab_conf "GateRoute 127.0.0.1:$to_lda [127.0.0.1]:$lda_port" \
    "GateRoute 127.0.0.1:$to_box [127.0.0.1]:$dovecot_port"
lab_start_milter
lab_start_postfix "transport_maps = inline:{ {lda.test=lmtp:inet:127.0.0.1:$to_lda} {box.test=lmtp:inet:127.0.0.1:$to_box} }" \
    "virtual_alias_maps = inline:{ {alias@lab.test=new@lda.test} }"
lab_start_collect
lab_serve mtrk-gate "$to_lda" "$bin/mtrk-gate" -c "$lab/mtrk.conf" -f

# what the store says of each recipient of a message, in the end
ends() {
	lab_dump --json --envid "$1" | jq -r '.recipients[] |
	    "\(.original_recipient) \(.action) \(.status) \(.remote_mta // "-")"' | sort
}
ends_as() { [ "$(ends "$1")" = "$2" ]; }
want() { # ENVID TEXT
	lab_wait 20 ends_as "$1" "$2" || lab_fail "$1: wanted
$2
got
$(ends "$1")"
}
marked() { python3 "$lab_root/tests/lab/marked.py" "$smtp_port" "$@" >"$lab/said" || lab_fail "refused: $(cat "$lab/said")"; }

# 1. one that tracks: ENVID and the certifier go there, once, and each
# recipient has its own end; refused ones stay here
marked l1@h.test a@h.test {ok,late,full,bounce,defer,other}@lda.test alias@lab.test
want l1@h.test "alias@lab.test transferred 2.4.0 sink.test
bounce@lda.test failed 5.1.1 [127.0.0.1]
defer@lda.test delayed 4.7.1 [127.0.0.1]
full@lda.test delayed 4.2.2 [127.0.0.1]
late@lda.test failed 5.6.0 [127.0.0.1]
ok@lda.test transferred 2.4.0 sink.test
other@lda.test transferred 2.4.0 sink.test"
grep -q '^[0-9]* MAIL FROM:<a@h.test> .*ENVID=l1@h.test.* MTRK=VheLhqV/rCKJmplkGFwsyW59pYk:172[78][0-9]*$' "$lab/heard" ||
    lab_fail "no MTRK: $(cat "$lab/heard")"
# 2. Dovecot: each recipient's own answer is the MTA's to know
marked b1@h.test a@h.test {ok,full,nobody}@box.test
want b1@h.test "full@box.test failed 5.2.2 [127.0.0.1]
nobody@box.test failed 5.1.1 [127.0.0.1]
ok@box.test delivered 2.0.0 [127.0.0.1]"
boxes() { ls "$lab/dovecot/$1/mail/new" | wc -l; }
[ "$(boxes ok@box.test) $(boxes full@box.test)" = "1 0" ] || lab_fail "Dovecot has $(boxes ok@box.test) $(boxes full@box.test)"
echo "gate lmtp: ok"
