#!/bin/bash
# The disk with the store hangs, as while a snapshot is taken: one message waits
# five seconds, those behind it not at all; who is stopped or started meanwhile
# holds up no MTA; and all is well again when the disk is.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
unshare -m true || exit 77
[ "${1-}" = mounted ] || exec unshare -m "$0" mounted
. "$(dirname "$0")/../lab/lab.sh"
lab_start
mkdir "$lab/store"
truncate -s 16M "$lab/disk"
mkfs.ext4 -q "$lab/disk"
mount -o loop "$lab/disk" "$lab/store" 2>/dev/null || { echo "store-hangs: no loop devices here"; exit 77; }
thaw() { ! fsfreeze -u "$lab/store" 2>/dev/null || true; }
trap 'thaw; lab_stop' EXIT
lab_conf
lab_start_sink
lab_start_milter
lab_start_postfix
# one SECONDS: a message is answered 250 within that time
one() {
	local began=$SECONDS
	: >"$lab/answered"
	python3 "$lab_root/tests/lab/load.py" "$smtp_port" 1 1 "$lab/answered"
	read -r _ envid _ <"$lab/answered" || lab_fail "not answered 250"
	[ $((SECONDS - began)) -le "$1" ] || lab_fail "it took $((SECONDS - began)) s"
}
tracked() { lab_dump --json | grep -q "\"envid\":\"$1\""; }
deaf() { ! lab_listens "$milter_port"; }

one 20
first=$envid
fsfreeze -f "$lab/store"
one 20
one 20
hung=$envid
kill "$mtrk_milter_pid"
lab_wait 20 deaf || lab_fail "what was stopped still listens"
one 20
lab_run late "$bin/mtrk-milter" -c "$lab/mtrk.conf" -f
lab_wait 20 lab_listens "$milter_port" || lab_fail "the port is not free"
lab_wait 20 deaf || lab_fail "what can't start still listens"
one 20
thaw
wait "$mtrk_milter_pid" || lab_fail "it ended with $?"
status=0; wait "$late_pid" || status=$?
[ $status = 69 ] || lab_fail "what could not start ended with $status"
lab_start_milter
one 20
for one in "$first" "$envid"; do
	tracked "$one" || lab_fail "not tracked: $one in $(lab_dump --json)"
done
tracked "$hung" && lab_fail "tracked on a disk that hung"
echo "store hangs: ok"
