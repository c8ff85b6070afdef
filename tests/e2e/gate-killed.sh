#!/bin/bash
# Gate, MTA and milter are killed at random under load: what was answered 250
# arrives exactly once, what was answered otherwise never does.  A message
# whose answer was lost arrives once or not at all.  SECONDS_KILLING in the
# environment.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
lab_start
lab_start_gated_postfix "in_flow_delay = 0" "smtpd_client_connection_count_limit = 0" \
    "milter_default_action = accept" "smtpd_milters = { inet:127.0.0.1:$milter_port, connect_timeout=2s, default_action=accept }"
lab_start_milter

seconds=${SECONDS_KILLING:-12}
lab_run kill python3 "$lab_root/tests/lab/kill.py" "$gate_port" "$seconds" 8
senders=$kill_pid
RANDOM=${SEED:-4}
kills=0
end=$(($(date +%s) + seconds - 2))
while [ "$(date +%s)" -lt $end ]; do
	sleep "0.$((RANDOM % 6 + 2))"
	case $((RANDOM % 3)) in
	0)
		kill -9 "$mtrk_gate_pid"; wait "$mtrk_gate_pid" 2>/dev/null || true
		lab_start_gate
		;;
	1)
		kill -9 "$mtrk_milter_pid"; wait "$mtrk_milter_pid" 2>/dev/null || true
		lab_start_milter
		;;
	2)
		master=$(tr -d ' ' <"$lab/postfix/queue/pid/master.pid")
		# not local(8): killed between mailbox and queue file, it
		# delivers again, with or without us
		# shellcheck disable=SC2046
		kill -9 "$master" $(pgrep -P "$master" 'smtpd|cleanup')
		lab_wait 20 lab_pf postfix start || lab_fail "postfix does not start again"
		;;
	esac
	kills=$((kills + 1))
done
wait "$senders" || lab_fail "the senders"
empty() { lab_pf postqueue -p | grep -q 'queue is empty'; }
lab_wait 60 empty || { lab_pf postqueue -f; lab_wait 60 empty || lab_fail "the queue: $(lab_pf postqueue -p | tail -3)"; }

cat "$lab"/postfix/mail/games/new/* | tr -d '\r' | sed -n 's/^X-Number: //p' | sort -n >"$lab/arrived"
python3 - "$lab/kill.log" "$lab/arrived" $kills <<'P' || lab_fail "lost, doubled or invented"
import collections, sys
fates = dict((int(n), fate) for fate, n in (line.split() for line in open(sys.argv[1])))
arrived = collections.Counter(int(line) for line in open(sys.argv[2]))
lost = [n for n, fate in fates.items() if fate == "yes" and arrived[n] != 1]
invented = [n for n in arrived if fates.get(n) == "no"]
doubled = [n for n, times in arrived.items() if times > 1]
count = collections.Counter(fates.values())
print("kills %s; %d answered 250, %d otherwise or not sent, %d answers lost; %d arrived; lost %d, doubled %d, invented %d" %
      (sys.argv[3], count["yes"], count["no"], count["maybe"], sum(arrived.values()), len(lost), len(doubled), len(invented)))
sys.exit(bool(lost or invented or doubled) or count["yes"] < 20)
P
echo "gate killed: ok"
