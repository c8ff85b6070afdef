# tests/bench/gate.sh -- mtrk-gate in front of Postfix against Postfix alone
# and against two peers in the same place: nginx's mail proxy, and a program
# that does nothing but copy.  Sourced by run.
#
# Everything on tmpfs: a disk's noise is larger than what is measured.  The
# ways of running take turns within each round, a few hundred messages each, so
# that a machine with other work does the same to all.  A message counts once
# Postfix is done with it, not when it is answered: what the queue manager has
# put off is work of that message too.  in_flow_delay is 0, or Postfix pauses by
# the second whenever mail comes faster than it goes, now and then.
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

# Other work on this machine waits while Postfix and this shell have work.
# sched(7): with autogroups the nice value of a session is what counts.
gate_first() {
	local pid
	for pid in $$ $(<"$lab/postfix/queue/pid/master.pid"); do
		[ ! -w "/proc/$pid/autogroup" ] || echo -19 >"/proc/$pid/autogroup"
	done
}

gate_queue_is_empty() {
	! compgen -G "$lab/postfix/queue/incoming/*" >/dev/null &&
	    ! compgen -G "$lab/postfix/queue/active/*" >/dev/null
}

gate_took() { # PORT MESSAGES OCTETS|FILE SESSIONS: nanoseconds
	local from to what=-l
	[[ $3 != */* ]] || what=-F
	from=$(date +%s%N)
	lab_pf smtp-source -d -s "$4" -m "$2" $what "$3" -f s@load.test \
	    -t r@far.test "127.0.0.1:$1"
	until gate_queue_is_empty; do sleep 0.01; done
	to=$(date +%s%N)
	echo $((to - from))
}

# Five rounds of so many turns each; messages in 1000 s, a line a round, into
# $lab/NAME.KIND.  Each turn begins with another NAME, so that none always comes
# behind the same one, whose leavings it would pay for.  Before NAME's turn,
# gate_before_NAME is called, if there is one.
gate_rounds() { # KIND TURNS MESSAGES OCTETS|FILE SESSIONS NAME=PORT...
	local kind=$1 turns=$2 messages=$3 octets=$4 sessions=$5 one round turn; shift 5
	local -A took
	for round in warm-up 1 2 3 4 5; do
		for one; do took[$one]=0; done
		for ((turn = 0; turn < turns; turn++)); do
			for one; do
				! declare -F "gate_before_${one%=*}" >/dev/null ||
				    "gate_before_${one%=*}"
				took[$one]=$((took[$one] + $(gate_took "${one#*=}" \
				    "$messages" "$octets" "$sessions")))
			done
			set -- "${@:2}" "$1"
			[ "$round" != warm-up ] || break
		done
		[ "$round" != warm-up ] || continue
		for one; do
			echo $((turns * messages * 1000000000000 / took[$one])) \
			    >>"$lab/${one%=*}.$kind"
		done
	done
}
gate_before_beside() { kill -STOP "$slow_pid"; kill -CONT "$beside_pid"; }
gate_before_slow() { kill -STOP "$beside_pid"; kill -CONT "$slow_pid"; }

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
	gate_first
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
	gate_rounds small "$turns" "$n" 2048 10 alone="$smtp_port" gate="$gate_port" \
	    port="$by_port" nginx="$nginx_port" relay="$relay_port"
	gate_rounds large 5 8 10000000 4 alone="$smtp_port" gate="$gate_port" \
	    port="$by_port" nginx="$nginx_port"
	before=$(gate_memory)
	lab_run crowd python3 tests/bench/idle.py idle "$idle_gate_port" 5000
	lab_wait 60 grep -q ready "$lab/crowd.log" || lab_fail "the crowd"
	after=$(gate_memory)
	gate_rounds crowded "$turns" "$n" 2048 10 alone="$smtp_port" gate="$gate_port"
	kill "$crowd_pid"
	# the same clients at the gate and elsewhere: what they cost as
	# programs of this machine is not the gate's
	lab_run slow python3 tests/bench/idle.py slow "$idle_gate_port" 1000
	lab_run beside python3 tests/bench/idle.py slow "$deaf_port" 1000
	lab_wait 60 grep -q ready "$lab/slow.log" || lab_fail "the slow ones"
	lab_wait 60 grep -q ready "$lab/beside.log" || lab_fail "the slow ones"
	gate_rounds slowed "$turns" "$n" 2048 10 beside="$gate_port" slow="$gate_port"
	kill -CONT "$slow_pid" "$beside_pid"
	python3 - "$lab" $((after - before)) <<-'P'
	import statistics, sys
	lab, kb = sys.argv[1], float(sys.argv[2])
	def rounds(name): return [float(x) for x in open("%s/%s" % (lab, name))]
	def rate(name): return statistics.median(rounds(name))
	def ratio(*names): return statistics.median(
	    a / b for a, b in zip(*map(rounds, names)))
	for words, name in (("Postfix alone, 2 KB, 10 kept sessions", "alone"),
	    ("mtrk-gate and Postfix at a socket", "gate"),
	    ("mtrk-gate and Postfix at a port", "port"),
	    ("nginx and Postfix at a port", "nginx"),
	    ("copying alone and Postfix at a socket", "relay")):
	    print("%-52s %9.0f/s" % (words, rate(name + ".small") / 1000))
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
