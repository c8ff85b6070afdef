# tests/bench/gate.sh -- mtrk-gate in front of Postfix against Postfix alone
# and against nginx's mail proxy in the same place.  Sourced by run.
# Everything on tmpfs, in rounds that take turns: a disk's noise is larger
# than what is measured.
# shellcheck shell=bash disable=SC2154

gate_nginx() {
	mkdir -p "$lab/nginx"
	cat >"$lab/nginx.conf" <<-EOF
	load_module /usr/lib/nginx/modules/ngx_mail_module.so;
	worker_processes 1;
	daemon off;
	pid $lab/nginx/pid;
	error_log $lab/nginx/error.log;
	events { worker_connections 2000; }
	http {
		access_log off;
		client_body_temp_path $lab/nginx/a; proxy_temp_path $lab/nginx/b;
		fastcgi_temp_path $lab/nginx/c; uwsgi_temp_path $lab/nginx/d;
		scgi_temp_path $lab/nginx/e;
		server {
			listen 127.0.0.1:$auth_port;
			location / {
				add_header Auth-Status OK;
				add_header Auth-Server 127.0.0.1;
				add_header Auth-Port $proxied_port;
				return 200 "";
			}
		}
	}
	mail {
		server_name mx.lab.test;
		auth_http 127.0.0.1:$auth_port/;
		smtp_capabilities PIPELINING "SIZE 50000000" 8BITMIME DSN;
		server {
			listen 127.0.0.1:$nginx_port;
			protocol smtp;
			smtp_auth none;
			xclient off;
			proxy_protocol on;
		}
	}
	EOF
	lab_run nginx nginx -p "$lab/nginx" -c "$lab/nginx.conf" -e "$lab/nginx/error.log"
	lab_wait 20 lab_listens "$nginx_port" || lab_fail "nginx does not start"
}

gate_rate() { # PORT MESSAGES OCTETS SESSIONS: octets or messages a second
	local from to
	from=$(date +%s%N)
	lab_pf smtp-source -d -s "$4" -m "$2" -l "$3" -f s@load.test \
	    -t r@far.test "127.0.0.1:$1"
	to=$(date +%s%N)
	echo $(($2 * 1000000000000 / (to - from)))
	until lab_pf postqueue -p | grep -q 'queue is empty'; do sleep 0.1; done
}

# name=port ...: five rounds, medians into $lab/NAME.KIND
gate_rounds() { # KIND MESSAGES OCTETS SESSIONS NAME=PORT...
	local kind=$1 messages=$2 octets=$3 sessions=$4 one round; shift 4
	for one; do gate_rate "${one#*=}" "$messages" "$octets" "$sessions" >/dev/null; done
	for round in 1 2 3 4 5; do
		for one; do
			gate_rate "${one#*=}" "$messages" "$octets" "$sessions" \
			    >>"$lab/${one%=*}.$kind"
		done
	done
}
gate_median() { sort -n "$lab/$1" | sed -n 3p; }

gate_memory() { awk '/^(Rss|Private).*:/ { n[$1] += $2 } END { print n["Private_Dirty:"] + n["Private_Clean:"] }' "/proc/$mtrk_gate_pid/smaps_rollup"; }

bench_gate() {
	MTRK_LAB_DIR=${MTRK_LAB_DIR:-/dev/shm}
	. tests/lab/lab.sh
	. tests/lab/gate.sh
	ulimit -n "$(ulimit -Hn)"
	lab_start
	read -r nginx_port auth_port idle_port idle_gate_port <<<"$(lab_ports 4)"
	lab_make_gated_postfix "default_transport = discard" \
	    "transport_maps = " "smtpd_milters = " \
	    "message_size_limit = 0" "mailbox_size_limit = 0" \
	    "smtpd_client_connection_count_limit = 0"
	echo "LogLevel warning" >>"$lab/mtrk.conf"
	echo "GateListen 127.0.0.1:$idle_gate_port 127.0.0.1:$idle_port plain" \
	    >>"$lab/mtrk.conf"
	lab_pf postfix start >"$lab/postfix.log" 2>&1
	lab_wait 20 lab_listens "$smtp_port"
	lab_run idle python3 tests/bench/idle.py serve "$idle_port"
	lab_wait 20 lab_listens "$idle_port"
	lab_start_gate
	gate_nginx
	local n=${MTRK_BENCH_MESSAGES:-3000}
	gate_rounds small "$n" 2048 10 alone="$smtp_port" gate="$gate_port" nginx="$nginx_port"
	gate_rounds large 40 10000000 4 alone="$smtp_port" gate="$gate_port" nginx="$nginx_port"
	local before after
	before=$(gate_memory)
	lab_run crowd python3 tests/bench/idle.py idle "$idle_gate_port" 5000
	lab_wait 60 grep -q ready "$lab/crowd.log" || lab_fail "the crowd"
	after=$(gate_memory)
	gate_rounds crowded "$n" 2048 10 alone="$smtp_port" gate="$gate_port"
	kill "$crowd_pid"
	lab_run slow python3 tests/bench/idle.py slow "$idle_gate_port" 1000
	lab_wait 60 grep -q ready "$lab/slow.log" || lab_fail "the slow ones"
	gate_rounds slowed "$n" 2048 10 alone="$smtp_port" gate="$gate_port"
	python3 - "$(gate_median alone.small)" "$(gate_median gate.small)" \
	    "$(gate_median nginx.small)" "$(gate_median alone.large)" \
	    "$(gate_median gate.large)" "$(gate_median nginx.large)" \
	    "$(gate_median alone.crowded)" "$(gate_median gate.crowded)" \
	    "$(gate_median alone.slowed)" "$(gate_median gate.slowed)" \
	    $((after - before)) <<-'P'
	import sys
	(a, g, n, al, gl, nl, ac, gc, as_, gs, kb) = [float(x) for x in sys.argv[1:]]
	for words, value in (("Postfix alone, 2 KB, 10 kept sessions", a),
	    ("mtrk-gate and Postfix", g), ("nginx and Postfix", n)):
	    print("%-52s %9.0f/s" % (words, value / 1000))
	for words, value, want in (("gate: ratio to Postfix alone", g / a, ">= 0.9"),
	    ("gate: ratio to nginx", g / n, ">= 1.0"),
	    ("10 MB messages: ratio to Postfix alone", gl / al, ">= 0.9"),
	    ("10 MB messages: ratio to nginx", gl / nl, ">= 1.0"),
	    ("with 5,000 idle connections: ratio to Postfix alone", gc / ac, ">= 0.85"),
	    ("with 1,000 clients of one octet a second", gs / as_, ">= 0.85")):
	    print("%-52s %9.2f   (%s)" % (words, value, want))
	print("%-52s %9.1f KB (<= 12)" % ("memory for one idle connection", kb / 5000))
	P
}
