#!/bin/bash
# systemd's journal, in files that systemd's own tool makes: read by cursor,
# over a new file, it gives what the same lines give in a log.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
remote=/usr/lib/systemd/systemd-journal-remote
[ -x $remote ] || { echo "journal: no $remote"; exit 77; }
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/mtrk-journal-XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/journal"
"$bin/log_maker" "$dir/store" "$dir/log" 60 "$(($(date +%s) - 3600))"
cp -r "$dir/store" "$dir/calm"
for store in store calm; do
	printf 'Store %s\nLogTo stderr\nLogLevel err\n' "$dir/$store" >"$dir/$store.conf"
done

# LOG FIRST LAST FILE: those lines as a journal file, with other programs'
# lines between, one of them too long
import() {
	python3 - "$@" <<-'P' | "$remote" -o "$4" - >/dev/null 2>&1
	import sys, time
	log, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
	year = time.localtime().tm_year
	for n, line in enumerate(open(log)):
	    if not first <= n < last:
	        continue
	    t = time.mktime(time.strptime("%d %s" % (year, line[:15]), "%Y %b %d %H:%M:%S"))
	    if t > time.time() + 86400:
	        t = time.mktime(time.strptime("%d %s" % (year - 1, line[:15]), "%Y %b %d %H:%M:%S"))
	    tag, text = line[16:].rstrip("\n").split(" ", 1)[1].split(": ", 1)
	    name, pid = tag[:-1].split("[")
	    for facility, name, text in ((2, name, text), (3, "cron", text),
	            (2, "postfix/smtp", "x" * 20000 if n % 50 == 0 else "idle")):
	        print("__REALTIME_TIMESTAMP=%d" % (t * 1000000 + n))
	        print("__MONOTONIC_TIMESTAMP=%d" % (n * 1000 + 1))
	        print("_BOOT_ID=0123456789abcdef0123456789abcdef")
	        print("SYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%s" % (facility, name))
	        print("_PID=%s\n_HOSTNAME=mx\nMESSAGE=%s\n" % (pid, text))
	P
}
collect() { "$bin/mtrk-collect" -c "$dir/$1.conf" --once "$2"; }
dump() { "$bin/mtrk-dump" -c "$dir/$1.conf" --json; }

collect calm "$dir/log"
import "$dir/log" 0 100 "$dir/journal/a.journal"
collect store "journal:$dir/journal"
[ "$(dump store)" != "$(dump calm)" ] || { echo "journal: too early" >&2; exit 1; }
before=$(dump store)
collect store "journal:$dir/journal"
[ "$before" = "$(dump store)" ] || { echo "journal: read twice" >&2; exit 1; }
import "$dir/log" 100 1000 "$dir/journal/b.journal"
collect store "journal:$dir/journal"
[ "$(dump store)" = "$(dump calm)" ] || {
	diff <(dump calm) <(dump store) | cut -c1-300 | head -4 >&2
	echo "journal: not what the log says" >&2; exit 1; }
echo "journal: ok"
