#!/bin/bash
# Started as root, each program becomes its user for good; mtqpd's user can
# read the store and not write its data; each tells the service manager that it
# is ready, alive and ending; -n says what would not start.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab_start
mkdir "$lab/run"; chown news "$lab/run"; chmod 755 "$lab/run"
lab_conf "User news" "MTQPUser games" "MilterSocketGroup uucp" \
    "MilterSocket local:$lab/run/milter.sock" "MailLog $lab/log"
: >"$lab/log"
"$bin/mtrk-milter" -c "$lab/mtrk.conf" -n >"$lab/n" || lab_fail "-n"
grep -Fxq "smtpd_milters = { unix:$lab/run/milter.sock, default_action=accept }" "$lab/n" || lab_fail "$(cat "$lab/n")"
grep -q '^# a chrooted smtpd' "$lab/n" || lab_fail "$(cat "$lab/n")"
grep -q 'mode 0660, group uucp' "$lab/n" || lab_fail "$(cat "$lab/n")"
install -d -o news -g mail -m 2750 "$lab/handed" # its group on
{ grep -v ^MilterSocket "$lab/mtrk.conf"
echo "MilterSocket local:$lab/handed/milter.sock"; } >"$lab/handed.conf"
"$bin/mtrk-milter" -c "$lab/handed.conf" -n >"$lab/n" || lab_fail "-n"
grep -q 'mode 0660, group mail' "$lab/n" || lab_fail "$(cat "$lab/n")"

manager() { # FOLDER: what each program tells its service manager, at its own socket
	exec python3 -u - "$1" <<-'P'
	import os, selectors, socket, sys
	ready = selectors.DefaultSelector()
	for name in "mtrk-milter", "mtrk-collect", "mtrk-gate":
	    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	    s.bind(os.path.join(sys.argv[1], name))
	    os.chmod(s.getsockname(), 0o777)
	    ready.register(s, selectors.EVENT_READ, name)
	while True:
	    for key, _ in ready.select():
	        print(key.data, key.fileobj.recv(100).decode())
	P
}
mkdir "$lab/notify"; lab_run manager manager "$lab/notify"
lab_wait 20 test -S "$lab/notify/mtrk-gate" || lab_fail "no manager"
read -r gate_port <<<"$(lab_ports 1)"
echo "GateRoute 127.0.0.1:$gate_port [127.0.0.1]:9" >>"$lab/mtrk.conf"
managed() { # NAME: started as systemd starts it
	lab_run "$1" env NOTIFY_SOCKET="$lab/notify/$1" WATCHDOG_USEC=2000000 \
	    "$bin/$1" -c "$lab/mtrk.conf" -f
	lab_wait 20 grep -Fxq "$1 READY=1" "$lab/manager.log" || lab_fail "$1 is not ready"
}
# in any order: mtqpd waits for the store
"$bin/mtqpd" -c "$lab/mtrk.conf" -n 2>"$lab/n" && grep -q "no store yet" "$lab/n" || lab_fail "$(cat "$lab/n")"
lab_serve mtqpd "$mtqp_port" "$bin/mtqpd" -c "$lab/mtrk.conf" -f
! lab_answers || lab_fail "it answers from no store"
grep -q "event=wait" "$lab/mtqpd.log" || lab_fail "it doesn't say so"
managed mtrk-milter
lab_wait 20 lab_answers || lab_fail "no mtqpd"
uid_of() { awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$1/status"; }
is() { local u; u=$(id -u "$1"); [ "$(uid_of "$2")" = "$u $u $u" ]; }
is news "$mtrk_milter_pid" || lab_fail "mtrk-milter is $(uid_of "$mtrk_milter_pid")"
is games "$mtqpd_pid" || lab_fail "mtqpd is $(uid_of "$mtqpd_pid")"
[ "$(stat -c '%U %G %a' "$lab/run/milter.sock")" = "news uucp 660" ] || lab_fail "the socket"
[ "$(stat -c '%U %a' "$lab/store/data.mdb")" = "news 640" ] || lab_fail "data.mdb"
[ "$(stat -c '%U %a' "$lab/store/lock.mdb")" = "news 660" ] || lab_fail "lock.mdb"
[ "$(stat -c '%U %a' "$lab/store")" = "news 750" ] || lab_fail "the folder"
# any mode, whatever the umask; none is set through a link
for mode in 600 666 777; do
	sed "s,run/milter,run/m$mode,; \$a MilterSocketMode 0$mode" "$lab/mtrk.conf" >"$lab/mode.conf"
	(umask 077; exec timeout 60 "$bin/mtrk-milter" -c "$lab/mode.conf" -f 2>"$lab/m$mode.log") & other=$!
	lab_pids+=("$other")
	lab_wait 20 grep -q 'event=start version' "$lab/m$mode.log" || lab_fail "mode $mode: $(cat "$lab/m$mode.log")"
	[ "$(stat -c '%U %G %a' "$lab/run/m$mode.sock")" = "news uucp $mode" ] || lab_fail "the socket of mode $mode"
	began=${EPOCHREALTIME/./}
	kill "$other"; wait "$other" || true
	took=$((${EPOCHREALTIME/./} - began)) quickest=$((took < ${quickest:-took + 1} ? took : quickest))
done
[ "$quickest" -lt 3000000 ] || lab_fail "mtrk-milter takes $quickest us to end"
# what mtqpd has open of the data is for reading (Linux: the mode of the link)
for fd in "/proc/$mtqpd_pid"/fd/*; do
	case $(readlink "$fd") in */data.mdb)
		[ "$(stat -c %A "$fd" | cut -c2-4)" = r-x ] || lab_fail "mtqpd can write data.mdb" ;;
	esac
done

for name in mtrk-collect mtrk-gate; do
	managed $name
	lab_wait 20 grep -Fxq "$name WATCHDOG=1" "$lab/manager.log" || lab_fail "$name is not alive"
done
is news "$mtrk_collect_pid" && is news "$mtrk_gate_pid" || lab_fail "mtrk-collect is $(uid_of "$mtrk_collect_pid"), mtrk-gate $(uid_of "$mtrk_gate_pid")"
kill "$mtrk_milter_pid" "$mtrk_collect_pid" "$mtrk_gate_pid"
for name in mtrk-milter mtrk-collect mtrk-gate; do
	lab_wait 20 grep -Fxq "$name STOPPING=1" "$lab/manager.log" || lab_fail "$name does not say that it stops"
done

# -n says what would not start, and who would not: User, not root
: >"$lab/file"
mkdir "$lab/roots"
ln -s "$lab/nowhere" "$lab/dangling"
cp -r "$lab/store" "$lab/taken"; chown root "$lab/taken"/*
install -m 600 /dev/null "$lab/private"
refused() { # refused PROGRAM LINE
	{ grep -v "^${2%% *} " "$lab/mtrk.conf"; echo "$2"; } >"$lab/bad.conf"
	if "$bin/$1" -c "$lab/bad.conf" -n >"$lab/n" 2>&1; then lab_fail "$1 -n takes $2"; fi
	grep -q "${2#* }\|${2%% *}" "$lab/n" || lab_fail "-n does not say why: $(cat "$lab/n")"
}
for line in "User nosuchuser" "MilterSocketGroup nosuchgroup" "Store /nonexistent/deep/store" \
	"Store $lab/roots" "Store $lab/dangling" "Store $lab/taken" "Store $lab/file" \
	"MilterSocket local:$lab/file" "MilterSocket local:$lab/roots" "MilterSocket inet:8891@nosuch.invalid"; do
	refused mtrk-milter "$line"
	case $line in Milter*) continue ;; esac
	refused mtrk-collect "$line"
done
refused mtrk-collect "MailLog $lab/private"
refused mtrk-collect "MailLog journal:$lab/nowhere"
# but waits for a log that nothing has been written to yet, as the start does
sed "s,^MailLog .*,MailLog $lab/later," "$lab/mtrk.conf" >"$lab/later.conf"
"$bin/mtrk-collect" -c "$lab/later.conf" -n 2>"$lab/n" && grep -q "later is not there yet" "$lab/n" || lab_fail "-n: $(cat "$lab/n")"
lab_run later "$bin/mtrk-collect" -c "$lab/later.conf" -f
lab_wait 20 grep -q 'event=start version' "$lab/later.log" || lab_fail "$(cat "$lab/later.log")"
lab_wait 20 grep -q 'event=log ' "$lab/later.log" || lab_fail "$(cat "$lab/later.log")"
# or where what is read is a folder: it would end, and be started again, for ever
refused mtrk-collect "MailLog $lab/roots"
refused mtrk-milter "Bogus 1"
# what was closed when it was started stays so: the store's files are not standard error
"$bin/mtrk-collect" -c "$lab/later.conf" -f <&- >&- 2>&- &
closed=$!; lab_pids+=("$closed")
has_store() { readlink "/proc/$closed/fd"/* | grep -q '/data.mdb$'; }
lab_wait 20 has_store || lab_fail "mtrk-collect, all closed"
for fd in 0 1 2; do [ "$(readlink /proc/$closed/fd/$fd)" = /dev/null ] || lab_fail "$fd is $(readlink /proc/$closed/fd/$fd)"; done
status=0; timeout 60 "$bin/mtrk-collect" -c "$lab/mtrk.conf" --once - <&- 2>"$lab/n" || status=$?
[ $status != 124 ] || lab_fail "--once - of nothing does not end"
# each names the libraries that it is linked with
library() {
	case $1 in
	liblmdb*) echo LMDB ;; libcrypto*) echo OpenSSL ;; libevent*) echo libevent ;;
	libcares*) echo c-ares ;; libz.*) echo zlib ;; libjansson*) echo jansson ;; libidn2*) echo libidn2 ;;
	libmilter*) echo libmilter ;; libsystemd*) echo libsystemd ;; libseccomp*) echo libseccomp ;;
	esac
}
for p in mtrk-milter mtrk-collect mtrk-gate mtqpd mtrk-track mtrk-dump; do
	"$bin/$p" -V >"$lab/version"
	grep -q "^$p [0-9.]* (" "$lab/version" || lab_fail "$p -V"
	for so in $(ldd "$bin/$p" | awk '{ print $1 }'); do
		grep -q "$(library "$so") [0-9v]" "$lab/version" || lab_fail "$p -V: no $so: $(cat "$lab/version")"
	done
	"$bin/$p" --help | grep -q "^usage: $p " || lab_fail "$p --help"
	"$bin/$p" -c "$lab/mtrk.conf" -nn 2>&1 | grep -q '^User news' || lab_fail "$p -nn"
	status=0; "$bin/$p" --nonsense >/dev/null 2>&1 || status=$?
	[ $status = 64 ] || lab_fail "$p --nonsense: $status"
	status=0; "$bin/$p" -c "$lab/mtrk.conf" nonsense >/dev/null 2>"$lab/n" || status=$?
	[ $status = 64 ] && [ -s "$lab/n" ] || lab_fail "$p nonsense: $status $(cat "$lab/n")"
	status=0; "$bin/$p" -c "$lab/bad.conf" -n >/dev/null 2>"$lab/n" || status=$?
	[ $status = 78 ] && grep -q 'bad.conf:[0-9]*: unknown setting' "$lab/n" || lab_fail "$p: $status $(cat "$lab/n")"
done
echo "users: ok"
