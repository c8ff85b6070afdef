# tests/bench/collect.sh -- mtrk-collect's figures; sourced by tests/bench/run.
# shellcheck shell=bash disable=SC2154

# A log of a million lines, warm: read by grep, by us, by pflogsumm; then all
# of it about 195,000 tracked messages; then how long an answer takes.
seconds() { # COMMAND...: how long it takes
	local from to
	from=$(date +%s%N)
	# grep stops at the first line if it writes to /dev/null
	"$@" 2>/dev/null | cat >/dev/null || true
	to=$(date +%s%N)
	echo $(((to - from) / 1000))
}
bench_collect() {
	local dir base
	dir=$(mktemp -d "${TMPDIR:-/tmp}/mtrk-bench-XXXXXX")
	base=$(($(date +%s) - 30000))
	"$bin/log_maker" "$dir/tracked" "$dir/log" 195000 "$base"
	printf 'Store %s/store\nLogTo stderr\nLogLevel info\n' "$dir" >"$dir/conf"
	cat "$dir/log" >/dev/null
	local grep=() ours=() sums=() full=() events=()
	for _ in 1 2 3 4 5; do
		rm -rf "$dir/store"
		"$bin/log_maker" "$dir/store" /dev/null 10 1700000000
		grep+=("$(seconds grep -c status= "$dir/log")")
		ours+=("$(seconds "$bin/mtrk-collect" -c "$dir/conf" --once "$dir/log")")
		sums+=("$(seconds pflogsumm "$dir/log")")
		rm -rf "$dir/store"
		cp -r "$dir/tracked" "$dir/store"
		full+=("$(seconds sh -c "/usr/bin/time -f 'kB %M' -o $dir/time \
		    $bin/mtrk-collect -c $dir/conf --once $dir/log 2>$dir/said")")
		events+=("$(sed -n 's/.*event=stop.* events=\([0-9]*\).*/\1/p' "$dir/said")")
	done
	python3 - "$(median "${grep[@]}")" "$(median "${ours[@]}")" \
	    "$(median "${sums[@]}")" "$(median "${full[@]}")" \
	    "$(median "${events[@]}")" "$(sed -n 's/kB //p' "$dir/time")" <<-'P'
	import sys
	grep, ours, sums, full, events, kb = map(float, sys.argv[1:])
	row = "%-52s %9.2f %s"
	print(row % ("grep -c status=, a million lines", grep / 1e6, "s"))
	print(row % ("mtrk-collect --once, none of them tracked", ours / 1e6, "s"))
	print(row % ("pflogsumm", sums / 1e6, "s"))
	print(row % ("ratio to grep", ours / grep, "  (<= 4)"))
	print(row % ("pflogsumm's ratio to ours", sums / ours, "  (>= 20)"))
	print(row % ("all of them tracked", full / 1e6, "s"))
	print(row % ("events committed", events / full * 1e3, "thousand/s   (>= 150)"))
	print(row % ("memory, the store's mapped pages included", kb / 1024, "MB"))
	P
	tests/bench/latency.py "$bin" "$dir"
	rm -rf "$dir"
}
