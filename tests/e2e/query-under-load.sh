#!/bin/bash
# mtqpd is asked all the time while 10,000 tracked messages arrive: every
# answer is whole and true, and in the end all of them are relayed.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
count=10000
. "$(dirname "$0")/../lab/lab.sh"
lab_start
lab_conf "MTQPFailures 0" "MTQPCommandRate 0" # one address asks all of it
lab_start_sink
lab_start_milter
lab_start_postfix
lab_start_collect
lab_start_mtqpd

python3 "$lab_root/tests/lab/load.py" "$smtp_port" $count 10 "$lab/answered" &
load=$!
python3 - "$mtqp_port" "$lab/answered" $load <<'P'
import os, random, socket, sys, time
port, path, load = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
s = socket.create_connection(("127.0.0.1", port)); f = s.makefile("rwb")
def greet():
    line = f.readline()
    while line.startswith(b"+OK+") or line.strip() != b".":
        line = f.readline()
greet()
def track(envid, secret):
    f.write(b"TRACK %s %s\r\n" % (envid, secret)); f.flush()
    lines = [f.readline()]
    while lines[0].startswith(b"+OK+") and lines[-1] != b".\r\n":
        lines.append(f.readline())
        assert lines[-1].endswith(b"\r\n"), "the server went away"
    return lines
def alive():
    try:
        os.kill(load, 0)
        with open("/proc/%d/stat" % load) as stat:
            return stat.read().split(")")[1].split()[0] != "Z"
    except OSError:
        return False
asked = {b"relayed": 0, b"delayed": 0}
while alive() or sum(asked.values()) < 1000:
    try:
        known = open(path, "rb").read().splitlines()
    except OSError:
        continue
    for _ in range(200 if known else 0):
        number, envid, secret = random.choice(known).split()
        got = track(envid, secret)
        assert got[0].startswith(b"+OK+"), (envid, got)
        text = b"".join(got)
        assert b"Original-Envelope-Id: " + envid + b"\r\n" in text, text
        assert b"Final-Recipient: rfc822; r%s@far.test\r\n" % number in text, text
        assert text.count(b"Action: ") == 1, text
        action = text.split(b"Action: ")[1].split(b"\r\n")[0]
        asked[action] += 1
        wrong = (b"B" if secret[:1] == b"A" else b"A") + secret[1:]
        assert track(envid, wrong)[0].startswith(b"-ERR/noinfo"), envid
        time.sleep(0.01)  # or the mail hardly gets on
print("asked while they arrived:", dict((k.decode(), v) for k, v in asked.items()))
P
wait $load
[ "$(wc -l <"$lab/answered")" = $count ] || lab_fail "not all were answered 250"
all_relayed() { [ "$(lab_dump --json | grep -c '"action":"relayed","status":"2.1.9","remote_mta"')" -ge $count ]; }
lab_wait 60 all_relayed || lab_fail "not all are relayed: $(lab_dump --statistics)"
[ "$(lab_dump --json | jq -r .envid | sort -u | wc -l)" = $count ] || lab_fail "not $count envids"

# who reads them screen by screen keeps none of the store's pages from being
# written again, and so does not fill it up
mkfifo "$lab/less"; exec 7<>"$lab/less"
"$bin/mtrk-dump" -c "$lab/mtrk.conf" --json >"$lab/less" & dump=$!
lab_pids+=("$dump")
sleeps() { [ "$(cut -d' ' -f3 "/proc/$dump/stat")" = S ]; }
lab_wait 20 sleeps || lab_fail "mtrk-dump does not wait for its reader"
mdb_stat -r "$lab/store" >"$lab/readers" || true # no main table
grep -q "^ *$dump " "$lab/readers" || lab_fail "no reader: $(cat "$lab/readers")"
! grep "^ *$dump .*[0-9]\$" "$lab/readers" || lab_fail "mtrk-dump waits, and holds the store"
echo "query under load: ok"
