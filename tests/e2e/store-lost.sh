#!/bin/bash
# The store's files are deleted under the eyes of all: nobody goes on with what
# nobody else sees.  lock.mdb alone: nothing is lost; all: mail flows on, and
# what comes when there is a folder again is tracked, and told of.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
count=300
. "$(dirname "$0")/../lab/lab.sh"
lab_start_all
load() {
	: >"$lab/answered"
	python3 "$lab_root/tests/lab/load.py" "$smtp_port" "$1" 10 "$lab/answered"
	[ "$(wc -l <"$lab/answered")" = "$1" ] || lab_fail "not all were answered 250"
}
relayed() { [ "$(lab_dump --json | grep -c '"action":"relayed","status":"2.1.9","remote_mta"')" = "$1" ]; }
mtqpd_ended() { ! kill -0 "$mtqpd_pid"; }

load $count & loaded=$!
some() { [ "$(wc -l <"$lab/answered")" -gt $((count / 4)) ]; }
lab_wait 60 some || lab_fail "no load"
rm "$lab/store/lock.mdb"
wait $loaded
lab_wait 60 relayed $count || lab_fail "without lock.mdb not all are relayed"
lab_wait 20 mtqpd_ended || lab_fail "mtqpd answers from a store that others write"

rm -r "$lab/store"
load 1
grep -q 'event=untracked reason="not found"' "$lab/mtrk-milter.log" || lab_fail "tracked into nowhere"
mkdir "$lab/store"
load 20
lab_start_mtqpd
lab_wait 60 relayed 20 || lab_fail "in the new folder not all are relayed"
read -r _ envid secret <"$lab/answered"
lab_track query --server "127.0.0.1:$mtqp_port" "$envid" "$secret" >/dev/null || lab_fail "not answered"
echo "store lost: ok"
