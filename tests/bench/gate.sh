# tests/bench/gate.sh -- mtrk-gate in front of Postfix against Postfix alone
# and against two peers in the same place: nginx's mail proxy, and a program
# that does nothing but copy.  Sourced by run, after turns.sh.
#
# Everything on tmpfs: a disk's noise is larger than what is measured.
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

turns_before_beside() { kill -STOP "$slow_pid"; kill -CONT "$beside_pid"; }
turns_before_slow() { kill -STOP "$beside_pid"; kill -CONT "$slow_pid"; }

gate_memory() { awk '/^(Rss|Private).*:/ { n[$1] += $2 } END { print n["Private_Dirty:"] + n["Private_Clean:"] }' "/proc/$mtrk_gate_pid/smaps_rollup"; }

bench_gate() {
	MTRK_LAB_DIR=${MTRK_LAB_DIR:-/dev/shm}
	. tests/lab/lab.sh
	. tests/lab/gate.sh
	ulimit -n "$(ulimit -Hn)"
	lab_start
	read -r nginx_port auth_port idle_port deaf_port idle_gate_port by_port \
	    relay_port <<<"$(lab_ports 7)"
	lab_make_gated_postfix "default_transport = discard" \
	    "transport_maps = " "smtpd_milters = " \
	    "message_size_limit = 0" "mailbox_size_limit = 0" \
	    "smtpd_client_connection_count_limit = 0" "in_flow_delay = 0"
	cat >>"$lab/mtrk.conf" <<-C
	LogLevel warning
	GateListen 127.0.0.1:$idle_gate_port 127.0.0.1:$idle_port plain
	GateListen 127.0.0.1:$by_port 127.0.0.1:$proxied_port proxy
	C
	lab_pf postfix start >"$lab/postfix.log" 2>&1
	lab_wait 20 lab_listens "$smtp_port"
	turns_first
	lab_run idle python3 tests/bench/idle.py serve "$idle_port"
	lab_run deaf python3 tests/bench/idle.py deaf "$deaf_port"
	lab_wait 20 lab_listens "$idle_port"
	lab_wait 20 lab_listens "$deaf_port"
	lab_start_gate
	gate_nginx
	lab_run relay "$bin/bench_relay" "$relay_port" "$proxied_path"
	lab_wait 20 lab_listens "$relay_port"
	local turns=10
	local n=$((${MTRK_BENCH_MESSAGES:-3000} / turns)) before after
	turns_rounds small "$turns" "$n" 2048 10 alone="$smtp_port" gate="$gate_port" \
	    port="$by_port" nginx="$nginx_port" relay="$relay_port"
	turns_rounds large 5 8 10000000 4 alone="$smtp_port" gate="$gate_port" \
	    port="$by_port" nginx="$nginx_port"
	before=$(gate_memory)
	lab_run crowd python3 tests/bench/idle.py idle "$idle_gate_port" 5000
	lab_wait 60 grep -q ready "$lab/crowd.log" || lab_fail "the crowd"
	after=$(gate_memory)
	turns_rounds crowded "$turns" "$n" 2048 10 alone="$smtp_port" gate="$gate_port"
	kill "$crowd_pid"
	# the same clients at the gate and elsewhere: what they cost as
	# programs of this machine is not the gate's
	lab_run slow python3 tests/bench/idle.py slow "$idle_gate_port" 1000
	lab_run beside python3 tests/bench/idle.py slow "$deaf_port" 1000
	lab_wait 60 grep -q ready "$lab/slow.log" || lab_fail "the slow ones"
	lab_wait 60 grep -q ready "$lab/beside.log" || lab_fail "the slow ones"
	turns_rounds slowed "$turns" "$n" 2048 10 beside="$gate_port" slow="$gate_port"
	kill -CONT "$slow_pid" "$beside_pid"
	PYTHONPATH=tests/bench python3 - "$lab" $((after - before)) <<-'P'
	import sys
	from rounds import rate, ratio
	kb = float(sys.argv[2])
	for words, name in (("Postfix alone, 2 KB, 10 kept sessions", "alone"),
	    ("mtrk-gate and Postfix at a socket", "gate"),
	    ("mtrk-gate and Postfix at a port", "port"),
	    ("nginx and Postfix at a port", "nginx"),
	    ("copying alone and Postfix at a socket", "relay")):
	    print("%-52s %9.0f/s" % (words, rate(name + ".small")))
	for words, a, b, want in (
	    ("2 KB: gate, ratio to Postfix alone", "gate.small", "alone.small", 0.9),
	    ("2 KB: gate, ratio to nginx", "gate.small", "nginx.small", 1.0),
	    ("2 KB: copying alone, ratio to Postfix alone", "relay.small", "alone.small", None),
	    ("2 KB: gate, ratio to copying alone", "gate.small", "relay.small", None),
	    ("2 KB: gate with a port, ratio to Postfix alone", "port.small", "alone.small", None),
	    ("2 KB: gate with a port, ratio to nginx", "port.small", "nginx.small", 1.0),
	    ("10 MB: gate, ratio to Postfix alone", "gate.large", "alone.large", 0.9),
	    ("10 MB: gate, ratio to nginx", "gate.large", "nginx.large", 1.0),
	    ("10 MB: gate with a port, ratio to nginx", "port.large", "nginx.large", 1.0),
	    ("5,000 idle connections: gate, ratio to Postfix alone", "gate.crowded", "alone.crowded", 0.85),
	    ("1,000 clients of one octet a second: ratio to without", "slow.slowed", "beside.slowed", 0.95)):
	    print("%-53s %8.2f%s" % (words, ratio(a, b), "   (>= %s)" % want if want else ""))
	print("%-53s %8.1f KB (<= 12)" % ("memory for one idle connection", kb / 5000))
	P
}
