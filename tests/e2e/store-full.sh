#!/bin/bash
# The store's limit is reached under load: mail flows on, untracked, counted
# and logged once; what was tracked stays readable.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
count=6000
. "$(dirname "$0")/../lab/lab.sh"
lab_start

# A disk without room when the store is made: said, not died of, and no hindrance
# when there is room again; one that gets full keeps what is there.
small_disk() {
	local disk=$1 free status
	mount -t tmpfs -o size=256k tmpfs "$disk" || return 77
	printf 'Store %s/store\nLogTo stderr\n' "$disk" >"$disk.conf"
	for free in 0 4 8 12 16 20 24 32; do
		rm -rf "${disk:?}"/*
		mkdir "$disk/store"
		head -c 1M /dev/zero >"$disk/fill" 2>/dev/null
		[ $free = 0 ] || truncate -s "$((252 - free))k" "$disk/fill"
		status=0
		"$bin/mtrk-collect" -c "$disk.conf" --once - </dev/null 2>"$disk.says" || status=$?
		{ [ $status = 0 ] && [ $free -gt 16 ]; } ||
		    { [ $status = 69 ] && grep -q 'No space left' "$disk.says"; } ||
		    { echo "$free KB: $status"; cat "$disk.says"; return 1; }
		rm "$disk/fill"
		"$bin/mtrk-collect" -c "$disk.conf" --once - </dev/null 2>"$disk.says" ||
		    { echo "no start after $free KB"; cat "$disk.says"; return 1; }
	done
	local n=0
	while "$bin/../tests/put" "$disk/store" "e$n@h" o@x.test f@x.test delayed 4.4.1 - 2>"$disk.says"; do
		n=$((n + 1))
		[ $n -lt 500 ] || { echo "256 KB are never full"; return 1; }
	done
	[ $n -gt 0 ] && [ "$("$bin/mtrk-dump" -c "$disk.conf" --json | wc -l)" -ge $n ] ||
	    { echo "what was there is gone: $n"; return 1; }
	umount "$disk"
}
mkdir "$lab/disk"
status=0
export -f small_disk; export bin
unshare -m bash -c "small_disk $lab/disk" >"$lab/small" 2>&1 || status=$?
[ $status = 0 ] || [ $status = 77 ] || lab_fail "a small disk: $(cat "$lab/small")"

lab_conf "StoreLimit 1M"
lab_start_sink
lab_start_milter
lab_start_postfix
lab_start_collect
lab_start_mtqpd
began=$SECONDS
python3 "$lab_root/tests/lab/load.py" "$smtp_port" $count 10 "$lab/answered"
[ "$(wc -l <"$lab/answered")" = $count ] || lab_fail "not all were answered 250"
empty() { lab_pf postqueue -p | grep -q 'queue is empty'; }
lab_wait 60 empty || lab_fail "the queue does not empty"
[ "$(wc -l <"$lab/taken")" = $count ] || lab_fail "mail was lost"
lines=$(grep -c 'event=untracked' "$lab/mtrk-milter.log")
# once a minute
[ "$lines" -ge 1 ] && [ "$lines" -le $(((SECONDS - began) / 60 + 1)) ] || lab_fail "event=untracked $lines times"
grep -q 'reason="store or disk full"' "$lab/mtrk-milter.log" || lab_fail "no reason"
tracked=$(lab_dump --json | wc -l)
[ "$tracked" -gt 1000 ] && [ "$tracked" -lt $count ] || lab_fail "$tracked tracked"
read -r _ envid secret <"$lab/answered"
lab_track query --server "127.0.0.1:$mtqp_port" "$envid" "$secret" >/dev/null || [ $? = 1 ] ||
    lab_fail "what was tracked is not answered"
kill "$mtrk_milter_pid"; wait "$mtrk_milter_pid" || true
untracked=$(sed -n 's/.*event=stop untracked=//p' "$lab/mtrk-milter.log")
[ $((tracked + untracked)) = $count ] || lab_fail "$tracked and $untracked are not $count"
echo "store full: $count sent and arrived, $tracked tracked, $untracked counted as untracked"
