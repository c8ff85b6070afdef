#!/bin/bash
# Many sessions at once; what a sanitizer says, in any program, fails it.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
count=600
. "$(dirname "$0")/../lab/lab.sh"
lab_start_all
python3 "$lab_root/tests/lab/load.py" "$smtp_port" $count 20 "$lab/answered"
[ "$(wc -l <"$lab/answered")" = $count ] || lab_fail "not all were answered 250"
all_relayed() { [ "$(lab_dump --json 2>/dev/null | grep -c '"action":"relayed","status":"2.1.9","remote_mta"')" -ge $count ]; }
lab_wait 60 all_relayed || lab_fail "not all are relayed"
read -r _ envid secret <"$lab/answered"
lab_track query --server "127.0.0.1:$mtqp_port" "$envid" "$secret" >/dev/null || lab_fail "not answered"
for p in mtqpd mtrk_collect mtrk_milter; do
	pid=${p}_pid
	kill "${!pid}"
	status=0; wait "${!pid}" || status=$?
	[ $status = 0 ] || lab_fail "$p ended with $status"
done
grep -lE 'Sanitizer|runtime error' "$lab"/*.log && lab_fail "a sanitizer spoke"
echo "threads: ok"
