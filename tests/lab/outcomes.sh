# tests/lab/outcomes.sh -- marked messages and what is told of them, for the
# tests of outcomes.  To be sourced after lab.sh; $log is the MTA's log.
# shellcheck shell=bash disable=SC2154
secret=AAECAwQFBgcICQoLDA0ODw==

# mark_at PORT ENVID SENDER RECIPIENT...: one marked message; its queue id, the
# last word of the reply or what stands before "Message accepted", to $qid
mark_at() {
	local reply
	reply=$(python3 "$lab_root/tests/lab/marked.py" "$@") || true
	reply=${reply% Message accepted*}
	qid=${reply##* }
}

rows() {
	lab_dump --json --envid "$1" 2>/dev/null | jq -ce '[.recipients[] |
	    [.original_recipient, .final_recipient, .action, .status, .remote_mta]]'
}
is() { [ "$(rows "$1")" = "$2" ]; }
logged() { grep -q "$1" "$log"; }

# want ENVID ROW...: original, final, action, status, remote MTA of each; the
# same from MTQP, which shows no member of an expansion
want() {
	local envid=$1 rows asked; shift
	rows=$(printf '%s\n' "$@" | jq -cR 'split(" ") | map(if . == "-" then null else . end)' | jq -cs .)
	lab_wait 20 is "$envid" "$rows" ||
	    lab_fail "$envid: $(rows "$envid"), not $rows; $(lab_dump --envid "$envid")
$(grep "$qid" "$log")"
	asked=$(lab_track query --server "127.0.0.1:$mtqp_port" --json "$envid" $secret |
	    jq -c '[.parts[0].recipients[] | [.original_recipient, .action, .status]]') || true
	[ "$asked" = "$(echo "$rows" | jq -c 'map([.[0], .[2], .[3]])')" ] ||
	    lab_fail "MTQP on $envid: $asked, not $rows"
}

# Lines about tracked messages that no row of the table fits, and recipients
# that nobody knows, would be counted.
want_nothing_left() {
	local left
	left=$(lab_dump --statistics | grep -E 'not-understood|recipient-unknown') || true
	[ -z "$left" ] || lab_fail "left over: $left"
}
