#!/bin/bash
# mtrk-milter is killed -9 and started again, many times, under load: mail
# loses nothing, doubles nothing, and what the milter had recorded stays.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
count=2000
. "$(dirname "$0")/../lab/lab.sh"
lab_start_all

python3 "$lab_root/tests/lab/load.py" "$smtp_port" $count 10 "$lab/answered" &
load=$!
kills=0
seen=0
loaded() { kill -0 $load 2>/dev/null; }
# between two kills some messages are tracked, on a slow machine too
busy() {
	! loaded ||
	    [ "$(grep -c event=tracked "$lab/mtrk-milter.log")" -ge $((seen + 20)) ]
}
while loaded; do
	lab_wait 60 busy || lab_fail "mtrk-milter tracks nothing"
	kill -9 "$mtrk_milter_pid" 2>/dev/null || true
	wait "$mtrk_milter_pid" 2>/dev/null || true
	seen=$(grep -c event=tracked "$lab/mtrk-milter.log") || true
	kills=$((kills + 1))
	sleep 0.1
	lab_start_milter
done
wait $load
answered=$(wc -l <"$lab/answered")
[ "$answered" = $count ] || lab_fail "$answered of $count were answered 250"
empty() { lab_pf postqueue -p | grep -q 'queue is empty'; }
lab_wait 60 empty || lab_fail "the queue does not empty"
cut -d' ' -f1 "$lab/answered" | sort >"$lab/a"
cut -d' ' -f1 "$lab/taken" | sort >"$lab/t"
cmp "$lab/a" "$lab/t" || lab_fail "answered and arrived differ"
tracked=$(lab_dump --json | wc -l)
[ "$tracked" -gt $((count / 10)) ] || lab_fail "only $tracked tracked"
[ $kills -ge 10 ] || lab_fail "killed $kills times only"
echo "milter killed $kills times: $count answered, $count arrived once each, $tracked tracked"
