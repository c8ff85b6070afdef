#!/bin/bash
# "send" exits 0 only if the server took the message; whatever the server
# does, wherever it dies, the secret was stored before, and the list tells what
# became of it.  No room for the secret: nothing is sent.  Many at once: none
# is lost.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab=$(mktemp -d /tmp/mtrk-lab-XXXXXX)
stop() { local status=$?; set +e; kill "${lab_pids[@]}" 2>/dev/null; umount "$lab/full" 2>/dev/null
	rm -rf "$lab"; exit $status; }
trap stop EXIT
export XDG_DATA_HOME="$lab/data" XDG_CONFIG_HOME="$lab/config"
read -r port nobody <<<"$(lab_ports 2)"
touch "$lab/log"
lab_serve server "$port" python3 "$lab_root/tests/lab/dying.py" "$port" "$lab/data/mtrk/sent.json" "$lab/log"
{ printf 'Subject: large\n\n'; head -c 20000000 /dev/zero | tr '\0' 'x' | fold -w 70; } >"$lab/large"

number=0
# sends FROM STATUS STATE [PORT]
sends() {
	local status=0
	number=$((number + 1))
	case $1 in body*) cat "$lab/large" ;; *) printf 'Subject: %s\nBcc: z@y.test\n\nhi\n' "$1" ;; esac |
	    lab_track send --server "127.0.0.1:${4:-$port}" \
	    --from "$1@h.test" x@y.test >"$lab/out" 2>"$lab/says" || status=$?
	[ $status = "$2" ] || lab_fail "$1: exit status $status, not $2: $(cat "$lab/says")"
	[ "$(lab_track list --json | jq -r "select(.number == $number) | .state")" = "$3" ] ||
	    lab_fail "$1: $(lab_track list)"
	lab_track share $number | grep -q '^mtqp://127.0.0.1/track/' || lab_fail "$1: the secret is lost"
	case $3 in
	sent) ;;
	unsure) grep -q "perhaps not sent.*query $number" "$lab/says" || lab_fail "$1: not told: $(cat "$lab/says")" ;;
	*) grep -q 'not sent: ' "$lab/says" || lab_fail "$1: not told: $(cat "$lab/says")" ;;
	esac
	[ "$3" = sent ] || [ ! -s "$lab/out" ] || lab_fail "$1: a URI though it was not sent"
}
sends take 0 sent; cmp -s "$lab/out" <(lab_track share 1) || lab_fail "the URI"
# a file that somebody has locked is waited for, 10 s, beside all that follows
cp -r "$lab/data" "$lab/locked"
exec 9>"$lab/locked/mtrk/lock"; flock 9
locked() { XDG_DATA_HOME="$lab/locked" lab_track "$@"; }
locked send --server "127.0.0.1:$port" --from take@h.test x@y.test < <(echo hi) 2>"$lab/locked.says" & waiting=$!
locked share 1 >/dev/null || lab_fail "who only reads has to wait"
sends later 75 failed
sends no 2 failed
sends nonsense 69 unsure
for how in '' -reset; do
	for step in mail rcpt data body; do sends $step$how 69 failed; done
	sends dot$how 69 unsure
done
sends take 69 failed "$nobody"
[ "$(grep -c stored "$lab/log")" = 14 ] || lab_fail "not stored before it was sent: $(cat "$lab/log")"
[ "$(grep -c taken "$lab/log")" = 1 ] || lab_fail "$(cat "$lab/log")"
! grep told "$lab/log" || lab_fail "Bcc is for nobody to see"

# all that the server says is told, and whether to try again
status=0; number=$((number + 1))
echo hi | MTRK_PASSWORD=x lab_track send --server "127.0.0.1:$port" --user joe x@y.test 2>"$lab/says" || status=$?
{ [ $status = 75 ] && grep -q 'login failed: "454 4.7.0 not now, see http://x.test"' "$lab/says"; } ||
    lab_fail "no login now: $status $(cat "$lab/says")"

# as a mail program sends: it keeps the message, since the status is not 0
mkdir -p "$lab/config/mtrk"; echo "Server 127.0.0.1:$port" >"$lab/config/mtrk/track.conf"
for case in take:0 later:75 no:69 rcpt:69 body:69 dot:69; do
	status=0; number=$((number + 1))
	{ echo 'To: x@y.test'; cat "$lab/large"; } | lab_track sendmail -t -i -f "${case%:*}@h.test" 2>"$lab/says" || status=$?
	[ $status = "${case#*:}" ] || lab_fail "sendmail $case: $status $(cat "$lab/says")"
	[ $status = 0 ] || grep -q 'not sent: ' "$lab/says" || lab_fail "sendmail $case: not told"
done

# killed while it sends: the secret is there; behind the last dot nobody knows
for case in hang:hangs:unsent deaf:deaf:unsure; do
	IFS=: read -r how says state <<<"$case"
	"$bin/mtrk-track" send --from "$how@h.test" x@y.test < <(printf 'Subject: killed\n\nhi\n') & sender=$!
	lab_wait 20 grep -q "$says" "$lab/log" || lab_fail "it does not send"
	kill -KILL $sender; wait $sender 2>/dev/null || true
	number=$((number + 1))
	[ "$(lab_track list --json | jq -r "select(.number == $number) | .state")" = $state ] || lab_fail "killed: $(lab_track list)"
	lab_track share $number >/dev/null || lab_fail "killed: the secret is lost"
done

# no place for the secret, a full disk, the locked file
nothing_sent() { [ "$(grep -c taken "$lab/log")" = "$1" ] || lab_fail "$2: sent without its secret"; }
taken=$(grep -c taken "$lab/log")
status=0; echo hi | XDG_DATA_HOME=/proc/nowhere lab_track send --from take@h.test x@y.test 2>"$lab/says" || status=$?
{ [ $status = 73 ] && grep -q 'not sent: /proc/nowhere' "$lab/says"; } || lab_fail "no place: $status $(cat "$lab/says")"
nothing_sent "$taken" "no place"
mkdir "$lab/full"
if mount -t tmpfs -o size=16k tmpfs "$lab/full" 2>/dev/null; then
	full() { XDG_DATA_HOME="$lab/full" lab_track "$@"; }
	echo hi | full send --server "127.0.0.1:$nobody" x@y.test 2>/dev/null || true
	head -c 65536 /dev/zero >"$lab/full/filler" 2>/dev/null || true
	before=$(full list --json)
	status=0; echo hi | full send --from take@h.test x@y.test 2>"$lab/says" || status=$?
	{ [ $status = 73 ] && grep -q "not sent: $lab/full/mtrk/sent.json.new: No space left" "$lab/says"; } ||
	    lab_fail "full: $status $(cat "$lab/says")"
	nothing_sent "$taken" "a full disk"
	[ "$(full list --json)" = "$before" ] || lab_fail "a full disk: what was there is lost"
	full share 1 >/dev/null || lab_fail "a full disk: a secret is lost"
	rm "$lab/full/filler"; echo hi | full send --from take@h.test x@y.test >/dev/null || lab_fail "room again"
	taken=$((taken + 1))
fi
status=0; wait $waiting || status=$?
{ [ $status = 75 ] && grep -q "not sent: $lab/locked/mtrk/lock: another program" "$lab/locked.says"; } ||
    lab_fail "locked: $status $(cat "$lab/locked.says")"
nothing_sent "$taken" "a locked file"

# sent, and no room to print the URI: sent it is, and the list has it
status=0; echo hi | lab_track send --from take@h.test x@y.test >/dev/full 2>"$lab/says" || status=$?
{ [ $status = 0 ] && grep -q 'standard output: No space' "$lab/says"; } || lab_fail "no room for the URI: $status $(cat "$lab/says")"
taken=$((taken + 1)); nothing_sent "$taken" "twice"

# forget
lab_track forget 1 3 || lab_fail "forget"
lab_track list --json | jq -e 'select(.number == 1 or .number == 3)' >/dev/null && lab_fail "not forgotten: $(lab_track list)"
status=0; lab_track forget 1 2>/dev/null || status=$?; [ $status = 66 ] || lab_fail "forget twice: $status"
lab_track forget --older 1h && lab_track share 2 >/dev/null || lab_fail "nothing is that old"

# many senders at once: all are sent, all are in the list, each with its own number
many=24 pids=() taken=$(grep -c taken "$lab/log") had=$(lab_track list --json | wc -l)
for ((i = 0; i < many; i++)); do
	printf 'Subject: %s\n\nhi\n' "$i" | lab_track send --from take@h.test x@y.test >"$lab/uri.$i" & pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || lab_fail "one of many senders failed"; done
lab_track list --json | tail -n +$((had + 1)) >"$lab/list"
[ "$(jq -r .number "$lab/list" | sort -u | wc -l)" = $many ] || lab_fail "many: numbers: $(cat "$lab/list")"
[ "$(jq -r 'select(.state == "sent") | .subject' "$lab/list" | sort -n | tr '\n' ' ')" = "$(seq -s ' ' 0 $((many - 1))) " ] ||
    lab_fail "many: one is lost: $(cat "$lab/list")"
[ "$(jq -r .envid "$lab/list" | sort)" = "$(tail -n +$((taken + 1)) <(grep taken "$lab/log") | cut -d' ' -f2 | sort)" ] ||
    lab_fail "many: other envids than the server's"
diff <(cat "$lab"/uri.* | sort) <(for n in $(jq -r .number "$lab/list"); do lab_track share "$n"; done | sort) || lab_fail "many: URIs"
echo "send fails: ok"
