# shellcheck shell=bash
# The figures of mtqpd, client and server sharing the machine: what a lookup
# over TCP costs against Redis, a handshake against openssl s_server, and what
# waits against nothing.  Sourced by tests/bench/run.
mtqp_messages_few=10000
mtqp_messages_many=5000000

mtqp_rss() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }
mtqp_ask() { # DEPTH [PORT MESSAGES]: answers a second
	"$bin/bench_mtqp" ask "${2:-20381}" 50 "$1" 2 \
	    "${3:-$mtqp_messages_few}" | cut -d' ' -f1
}
mtqp_redis() { # DEPTH REQUESTS
	redis-benchmark -p 20383 -t get -d 700 -c 50 -n "$2" -P "$1" --csv |
	    sed -n 's/^"GET","\([0-9]*\).*/\1/p'
}
mtqp_handshakes() { # PORT: new TLS connections a second
	openssl s_time -connect "127.0.0.1:$1" -new -time 2 2>/dev/null |
	    sed -n 's/.*; \([0-9.]*\) connections\/user sec.*/\1/p;s/^\([0-9]*\) connections in \([0-9]*\) real.*/\1 \2/p' |
	    awk 'NF == 2 { print int($1 / $2) }'
}
mtqp_start() { # STORE [PORT]: mtqpd on it
	local port=${2:-20381}
	cat >"$dir/conf" <<-C
	Store $1
	ReportingMTA mx.example.org
	LogTo stderr
	LogLevel notice
	Listen 127.0.0.1:$port
	ListenTLS 127.0.0.1:$((port + 1))
	TLSCertificate $dir/cert.pem
	TLSKey $dir/key.pem
	MTQPConnections 25000
	MTQPConnectionsPerClient 0
	MTQPCommandRate 0
	MTQPFailures 0
	MTQPMemory 1G
	C
	"$bin/mtqpd" -f -c "$dir/conf" 2>>"$dir/log" &
	mtqpd=$!
	until grep -q 'event=start ' "$dir/log"; do
		kill -0 $mtqpd || { cat "$dir/log" >&2; return 1; }
		sleep 0.1
	done
	: >"$dir/log"
}
mtqp_stop() { # PID
	kill "$1"
	wait "$1" 2>/dev/null || true
}
mtqp_idle() { # PORT N [tls]: octets that a connection costs
	local before after
	before=$(mtqp_rss $mtqpd)
	coproc idle { exec "$bin/bench_mtqp" idle "$@"; }
	read -r -t 120 _ <&"${idle[0]}" || return 1
	after=$(mtqp_rss $mtqpd)
	echo >&"${idle[1]}"
	wait "$idle_PID" 2>/dev/null || true
	echo $(((after - before) * 1024 / $2))
}

bench_mtqp() {
	dir=$(mktemp -d /dev/shm/mtrk-bench-XXXXXX)
	trap 'kill ${mtqpd:-} ${many:-} ${redis:-} ${s_server:-} 2>/dev/null; rm -rf "$dir"' EXIT
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -keyout "$dir/key.pem" -out "$dir/cert.pem" -days 2 \
	    -subj /CN=test -addext subjectAltName=DNS:mtqp.example.org 2>/dev/null
	"$bin/bench_mtqp" fill "$dir/few" $mtqp_messages_few
	"$bin/bench_mtqp" fill "$dir/many" $mtqp_messages_many
	redis-server --port 20383 --save '' --appendonly no >/dev/null &
	redis=$!
	openssl s_server -accept 20384 -cert "$dir/cert.pem" \
	    -key "$dir/key.pem" -quiet >/dev/null 2>&1 </dev/zero &
	s_server=$!
	mtqp_start "$dir/many" 20385
	many=$mtqpd
	mtqp_start "$dir/few"
	redis-benchmark -p 20383 -t set -d 700 -n 100 -q >/dev/null
	local one=() deep=() get=() get_deep=() ours=() theirs=() busy=() among=()
	mtqp_ask 1 20385 $mtqp_messages_many >/dev/null # its pages are mapped
	for _ in 1 2 3 4 5; do
		one+=("$(mtqp_ask 1)")
		get+=("$(mtqp_redis 1 60000)")
		among+=("$(mtqp_ask 1 20385 $mtqp_messages_many)")
		deep+=("$(mtqp_ask 16)")
		get_deep+=("$(mtqp_redis 16 400000)")
		ours+=("$(mtqp_handshakes 20382)")
		theirs+=("$(mtqp_handshakes 20384)")
		"$bin/bench_mtqp" add "$dir/few" 2000 3 >/dev/null &
		busy+=("$(mtqp_ask 1)")
		wait $!
	done
	mtqp_stop "$many"
	mtqp_stop "$mtqpd"
	mtqp_start "$dir/few"
	local clear tls waiting=20000 room
	room=$(ulimit -H -n)
	[ "$room" = unlimited ] || [ "$room" -ge 20300 ] ||
	    { waiting=$((room - 300)); echo "descriptors allow $waiting idle connections"; }
	clear=$(mtqp_idle 20381 $waiting)
	mtqp_stop "$mtqpd"
	mtqp_start "$dir/few"
	tls=$(mtqp_idle 20382 $waiting tls)
	mtqp_stop "$mtqpd"
	python3 - "$(median "${one[@]}")" "$(median "${get[@]}")" \
	    "$(median "${deep[@]}")" "$(median "${get_deep[@]}")" \
	    "$(median "${among[@]}")" "$(median "${busy[@]}")" \
	    "$(median "${ours[@]}")" "$(median "${theirs[@]}")" \
	    "$clear" "$tls" <<-'P'
	import sys
	one, get, deep, get_deep, many, busy, ours, theirs, clear, tls = map(
	    float, sys.argv[1:])
	for words, value in (("TRACK, 50 connections", one),
	    ("redis GET of 700 octets, the same", get),
	    ("TRACK, pipelined 16 deep", deep),
	    ("redis GET, the same", get_deep),
	    ("TRACK among 5,000,000 messages", many),
	    ("TRACK while 2,000 messages/s are stored", busy),
	    ("new TLS connections", ours),
	    ("openssl s_server's", theirs)):
	    print("%-52s %9.0f/s" % (words, value))
	for words, value, goal in (("ratio to redis", one / get, ">= 0.9"),
	    ("ratio to redis, pipelined", deep / get_deep, ">= 0.35"),
	    ("5,000,000 messages to 10,000", many / one, ">= 0.8"),
	    ("with and without 2,000 messages/s", busy / one, ">= 0.8"),
	    ("ratio to s_server", ours / theirs, ">= 0.8"),
	    ("KB for an idle connection", clear / 1024, "<= 6"),
	    ("KB for an idle connection under TLS", tls / 1024, "<= 40")):
	    print("%-52s %9.2f   (%s)" % (words, value, goal))
	P
}
