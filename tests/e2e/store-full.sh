#!/bin/bash
# The store's limit is reached under load: mail flows on, untracked, counted
# and logged once; what was tracked stays readable.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
count=6000
. "$(dirname "$0")/../lab/lab.sh"
lab_start
export XDG_DATA_HOME="$lab/data"
lab_conf "StoreLimit 1M"
lab_start_sink
lab_start_milter
lab_start_postfix
lab_start_collect
lab_start_mtqpd
python3 "$lab_root/tests/lab/load.py" "$smtp_port" $count 10 "$lab/answered"
[ "$(wc -l <"$lab/answered")" = $count ] || lab_fail "not all were answered 250"
empty() { lab_pf postqueue -p | grep -q 'queue is empty'; }
lab_wait 60 empty || lab_fail "the queue does not empty"
[ "$(wc -l <"$lab/taken")" = $count ] || lab_fail "mail was lost"
lines=$(grep -c 'event=untracked' "$lab/mtrk-milter.log")
[ "$lines" -ge 1 ] && [ "$lines" -le 2 ] || lab_fail "event=untracked $lines times"
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
