#!/bin/bash
# A message followed across three organisations: Postfix, Sendmail, Postfix,
# each with the gate, the milter, the collector and mtqpd, in network
# namespaces of their own; RFC 3885 3.3, RFC 3887 2, S27-S32, A25, A48.
bin=$(realpath "${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}")
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
. "$(dirname "$0")/../lab/chain.sh"
ip netns list >/dev/null 2>&1 || { echo "no network namespaces here"; exit 77; }
chain_start

# send RECIPIENT...: its URI
send() {
	printf 'Subject: where is it?\nMessage-ID: <m-%s@a.test>\n\nHello.\n' "$RANDOM" |
	    chain_track send --server mx.a.test --host a.test \
	    --from games@a.test "$@"
}
# ends URI: where each recipient's way ends, as the person at A sees it
ends() {
	chain_track query --json "$1" 2>/dev/null | jq -r '.ways[] | .steps as $s |
	    "\(.original_recipient) \($s[-1].action) \($s[-1].status)" +
	    " \($s[-1].reporting_mta) after \($s | length)"' | sort
}
# shellcheck disable=SC2053 # TEXT is a pattern
ends_as() { [[ $(ends "$1") == $2 ]]; }
# want WHAT URI TEXT: the query comes to say so
want() {
	lab_wait 8 ends_as "$2" "$3" || lab_fail "$1: wanted
$3
got
$(ends "$2")
$(chain_track query "$2" 2>&1)"
}

# 1. one message: to a mailbox, to aliases at C and at B (S29), to a host
# without MTRK (S28), to one without the TLS that A wants, to one that C rejects
uri=$(send games@c.test one@c.test many@c.test friend@d.test solo@b.test \
    someone@clear.test nobody@c.test)
want "one message" "$uri" "friend@d.test relayed 2.1.9 mx.b.test after 2
games@c.test delivered 2.0.0 mx.c.test after 3
many@c.test expanded 2.0.0 mx.c.test after 3
nobody@c.test failed 5.1.1 mx.b.test after 2
one@c.test delivered 2.0.0 mx.c.test after 3
solo@b.test delivered 2.0.0 mx.c.test after 3
someone@clear.test delayed 4.7.0 mx.a.test after 1"
chain_track query "$uri" >"$lab/timeline" 2>&1 || [ $? = 2 ] || lab_fail "exit status"
grep -q 'handed to mx.b.test' "$lab/timeline" || lab_fail "no timeline: $(cat "$lab/timeline")"
# ENVID, ORCPT and the certifier are the client's own at every hop (S29); the
# time is what is left (S21b)
envid=$(echo "$uri" | cut -d/ -f5)
for org in a b c; do
	chain_dump "$org" --json --envid "$envid" |
	    jq -c '[.certifier, ([.recipients[].original_recipient |
	    select(. == "games@c.test")])]' >"$lab/$org.same"
done
cmp "$lab/a.same" "$lab/b.same" && cmp "$lab/b.same" "$lab/c.same" || lab_fail "S29"
chain_dump c --json --envid "$envid" |
    jq -e '.requested_timeout <= 777600 and .requested_timeout > 777000' >/dev/null ||
    lab_fail "S21b: $(chain_dump c --json)"
grep -q "tls=yes marked=1" "$lab/b-mtrk-gate.log" || lab_fail "A did not use TLS"
! grep -q MTRK "$lab/taken" || lab_fail "S28"

# an alias at B to several, and a list: C gets nothing to track (S30-S32, T25)
uri=$(send duo@b.test list@b.test)
want "several" "$uri" "duo@b.test expanded 2.* mx.b.test after 2
list@b.test expanded 2.* mx.b.test after 2"
! chain_dump c --json --envid "$(echo "$uri" | cut -d/ -f5)" 2>/dev/null | grep -q . ||
    lab_fail "S30, S31"

# 2. C is down: delayed at B; and up again: delivered at C
kill "$c_mtrk_gate_pid"; wait "$c_mtrk_gate_pid" 2>/dev/null || true
uri=$(send games@c.test)
want "C down" "$uri" "games@c.test delayed 4.* mx.b.test after 2"
chain_run c mtrk-gate "$bin/mtrk-gate" -c "$lab/c/mtrk.conf" -f
want "C up again" "$uri" "games@c.test delivered 2.0.0 mx.c.test after 3"

# B's queue is stopped: delayed there, without an attempt; and runs again
chain_stop_sm
chain_start_sm -odq
uri=$(send games@c.test)
want "B's queue stopped" "$uri" "games@c.test delayed 4.0.0 mx.b.test after 2"
chain_sm -bp | grep -q '<games@c.test>' || lab_fail "not in B's queue: $(chain_sm -bp)"
chain_stop_sm
chain_start_sm -q1s
want "B's queue runs again" "$uri" "games@c.test delivered 2.0.0 mx.c.test after 3"

# 3. the time runs out while A cannot reach B: B gets no MTRK, C gets the mail
boxes() { ls "$lab/c/postfix/mail/games/new" | wc -l; }
before=$(boxes)
more() { [ "$(boxes)" -gt "$before" ]; }
kill "$b_mtrk_gate_pid"; wait "$b_mtrk_gate_pid" 2>/dev/null || true
uri=$(send --timeout 2s games@c.test)
envid=$(echo "$uri" | cut -d/ -f5)
want "B down" "$uri" "games@c.test delayed 4.4.1 mx.a.test after 1"
over() { [ "$(date +%s)" -gt $((sent + 3)) ]; }
sent=$(date +%s); lab_wait 10 over
chain_run b mtrk-gate "$bin/mtrk-gate" -c "$lab/b/mtrk.conf" -f
chain_pf a postqueue -f
lab_wait 90 more || lab_fail "the mail did not come"
! chain_dump b --json --envid "$envid" 2>/dev/null | grep -q . || lab_fail "S21c"

# 4. as a mailer, without a store, and for a domain that is not there
sed "s,^Store .*,Store $lab/taken/no," "$lab/b/mtrk.conf" >"$lab/b/lost.conf"
dialogue() { # HOST LINE...
	local host=$1; shift
	printf '%s\r\n' "$@" | chain_at b "$bin/mtrk-gate" -c "$lab/b/lost.conf" \
	    --pipe "$host" Q1 2>>"$lab/pipe.log"
}
dialogue d.test 'EHLO b.test' "MAIL FROM:<a@b.test> ENVID=x@b.test" \
    'RCPT TO:<friend@d.test>' DATA 'X-Number: 42' '' . QUIT >"$lab/said" ||
    lab_fail "pipe: $(cat "$lab/pipe.log")"
grep -q '^42 friend@d.test' "$lab/taken" || lab_fail "pipe: $(cat "$lab/said")"
grep -q 'event=store .*goes on, untracked' "$lab/pipe.log" || lab_fail "not said"
dialogue nowhere.test QUIT >"$lab/said"
grep -q '^554 5.1.2 nowhere.test' "$lab/said" || lab_fail "no 554: $(cat "$lab/said")"
# 5. the store belongs to User, and checking makes none
mkdir "$lab/user"; chown games "$lab/user"
printf '%s\n' "Store $lab/user" 'GateRoute 127.0.0.1:10099 d.test' 'User games' \
    'LogTo stderr' >"$lab/user.conf"
chain_at a "$bin/mtrk-gate" -n -c "$lab/user.conf" || lab_fail "-n"
[ ! -e "$lab/user/data.mdb" ] || lab_fail "-n made a store"
chain_run a user-gate "$bin/mtrk-gate" -c "$lab/user.conf" -f
owned() { [ "$(stat -c %U "$lab/user/data.mdb")" = games ]; }
lab_wait 20 owned || lab_fail "the store is not its user's"
echo "chain: ok"
