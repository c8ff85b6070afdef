#!/bin/bash
# The first minute of somebody who has never used mtrk-track: whatever is wrong
# is told in words, names the option or the file, and never tells a secret.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab=$(mktemp -d /tmp/mtrk-lab-XXXXXX)
stop() { local status=$?; set +e; kill "${lab_pids[@]}" 2>/dev/null; rm -rf "$lab"; exit $status; }
trap stop EXIT
export XDG_DATA_HOME="$lab/data" XDG_CONFIG_HOME="$lab/config"
conf=$lab/config/mtrk/track.conf
read -r port nobody mtqp <<<"$(lab_ports 3)"
secret=AAECAwQFBgcICQoLDA0ODw

# says STATUS TEXT ARGUMENT...: on standard error, and nothing on standard output
says() {
	local want=$1 text=$2 status=0; shift 2
	lab_track "$@" </dev/null >"$lab/out" 2>"$lab/says" || status=$?
	[ $status = "$want" ] || lab_fail "mtrk-track $*: exit status $status, not $want: $(cat "$lab/says")"
	grep -Fq -- "$text" "$lab/says" || lab_fail "mtrk-track $*: not \"$text\": $(cat "$lab/says")"
	[ ! -s "$lab/out" ] || lab_fail "mtrk-track $*: on standard output: $(cat "$lab/out")"
	grep -Eq "$secret|$(printf '\033')" "$lab/says" && lab_fail "mtrk-track $*: $(cat "$lab/says")"
	return 0
}
lab_track --help >"$lab/help" 2>"$lab/says" && [ ! -s "$lab/says" ] || lab_fail "--help"
says 64 'Send mail that can be tracked'
for command in send list query share forget sendmail new; do
	grep -Eq "^  $command +[a-z]" "$lab/help" || lab_fail "--help does not tell of $command"
	grep -Eq "^  $command +[a-z]" "$lab/says" || lab_fail "usage does not tell of $command"
done
[ "$(wc -L <"$lab/help")" -le 80 ] || lab_fail "--help is wider than 80 columns"
says 64 "unrecognized option '--no'" --no
says 64 'no command "qurey"' qurey
says 64 'no command "?[2J"' $'\033[2J'
# each command's own options and words
for command in send list query forget new; do
	says 64 "mtrk-track $command: unrecognized option '--no'" $command --no
	says 64 'Try "mtrk-track --help"' $command --no
done
says 64 "mtrk-track query: option '--depth' requires an argument" query --depth
says 64 '--depth cannot be this: "1000"' query --depth 1000 1
says 64 '--server cannot be this: ":x"' query --server :x a@b
says 64 '--timeout cannot be this: "soon"' send --timeout soon x@y.test
says 64 '--older cannot be this: "old"' forget --older old
says 64 '--host cannot be this: "a"b"' new --json --host 'a"b'
says 64 '--host cannot be this: ""' send --host '' x@y.test
says 64 'unexpected: "all"' list all
says 64 'unexpected: "all"' new all
says 64 'to whom?' send
says 64 'one number' share
says 64 'one number of "mtrk-track list" is wanted: "x"' share x
says 64 'numbers of "mtrk-track list"' forget
# which message?
says 64 'which message?' query
says 64 'one message at a time' query 1 2
says 64 'need --server HOST before them' query q1@h.test $secret
says 64 'no secret: it is empty, or has blanks or letters beyond ASCII in it' query --server mx.test q1@h.test "$secret ="
says 64 'no secret: it is empty' query --server mx.test q1@h.test ''
says 64 'no envelope id: it is empty' query --server mx.test '' $secret
says 64 'neither an mtqp: URI' query mqtp://mx.test/track/q1@h.test/$secret
says 64 'neither an mtqp: URI nor a number of "mtrk-track list": "http://x"' query http://x
says 64 '--server wants an envelope id and a secret' query --server mx.test q@h
says 64 '--message reads the message from standard input' query --message 1
says 66 'standard input: no Message-ID there' query --message
whole=mtqp://mx.test/track/q1@h.test/$secret==
for ((n = 5; n < ${#whole} - 24; n++)); do
	says 64 'not a whole URI, mtqp://SERVER/track/ID/SECRET: ' query "${whole:0:$n}"
done
says 64 'its end is missing: the secret' query mtqp://mx.test/track/q1@h.test
says 64 'its end is missing, from "/track/" on' query mtqp://mx.test/tra
says 64 'damaged or cut off' query "${whole}x"
says 69 'is the URI whole?' query "mtqp://127.0.0.1:$nobody/track/q1@h.test/${secret:0:18}"
says 69 refused query "mtqp://127.0.0.1:$nobody/track/q1@h.test/$secret"
grep -q whole "$lab/says" && lab_fail "a whole URI: $(cat "$lab/says")"
# nothing was sent from here yet, or its place cannot be had
says 66 "there is no message 1 in $lab/data/mtrk/sent.json" query 1
says 66 "there is no message 1 in $lab/data/mtrk/sent.json" share 1
says 0 'nothing was sent from here yet' list
XDG_DATA_HOME=/proc/nowhere says 66 '/proc/nowhere: ' forget 1
[ ! -e "$lab/data/mtrk" ] || lab_fail "a look at what was sent made a folder"
env -u HOME -u XDG_DATA_HOME -u XDG_CONFIG_HOME "$bin/mtrk-track" list 2>/dev/null || lab_fail "without HOME"
HOME=x XDG_DATA_HOME='' says 0 '' list --json
XDG_DATA_HOME=/$(printf 'x%.0s' {1..5000}) says 66 '$XDG_DATA_HOME: File name too long' list
mkdir -p "$lab/data/mtrk"; echo nonsense >"$lab/data/mtrk/sent.json"
says 66 "$lab/data/mtrk/sent.json:1: not an entry" list
rm "$lab/data/mtrk/sent.json"
# no configuration, and a wrong one
for command in send 'sendmail --'; do
	says 64 "\"Server HOST\" is missing in $conf, or --server" $command x@y.test
done
mkdir -p "$lab/config/mtrk"
for bad in 'Servre x:unknown setting' 'Server x y:HOST or HOST:PORT expected' 'Keep forever:a time such as 36h, 9d expected' \
    'AssumeMTRK maybe:yes or no expected' 'From:a value is missing'; do
	printf '# mine\n%s\n' "${bad%%:*}" >"$conf"
	for command in 'query 1' 'send x@y.test' 'sendmail -- x@y.test' new -n; do says 78 "$conf:2: ${bad#*:}" $command; done
done
echo 'Server x' >"$conf"; chmod 666 "$conf"
says 78 "$conf: others may write it: chmod go-w" new
chmod 600 "$conf"; chown 65534 "$conf"; says 78 "$conf: it belongs to somebody else" new; chown 0 "$conf"
says 66 'no message there' sendmail --
says 64 'no such use of "SUCCESS,' sendmail -N "SUCCESS,$(printf 'DELAY,%.0s' {1..900})" -- x@y.test
rm "$conf"; mkdir "$conf"; says 78 "$conf: " new; rmdir "$conf"
# both forms, and no room for either
says 64 '--raw or --json, not both' query --raw --json 1
for command in new 'list --json'; do
	echo '{"number":1}' >"$lab/data/mtrk/sent.json"
	status=0; lab_track $command 2>"$lab/says" >/dev/full || status=$?
	{ [ $status = 74 ] && grep -q 'standard output: No space left' "$lab/says"; } || lab_fail "$command, full: $status $(cat "$lab/says")"
done
rm "$lab/data/mtrk/sent.json"
# a server that is not there, is none, or cannot be found
says 69 "127.0.0.1 port $nobody: Connection refused" query --server "127.0.0.1:$nobody" q@h $secret
grep -q '127.0.0.1: 127.0.0.1' "$lab/says" && lab_fail "said twice: $(cat "$lab/says")"
says 69 'not a DNS server'"'"'s address (Resolver, --resolver): "my router"' query --resolver 'my router' "$whole"
says 75 'no DNS server to be reached' query --resolver 127.0.0.1:$nobody "$whole"
lab_run other python3 -c "
import socket
s = socket.create_server(('127.0.0.1', $port))
while True:
    c, _ = s.accept(); c.sendall(b'220 mx ESMTP \033[2J\r\n'); c.close()"
lab_wait 20 lab_listens "$port" || lab_fail "no server"
says 69 'this is not an MTQP server: "220 mx ESMTP' query --server "127.0.0.1:$port" q@h $secret
lab_run mtqp python3 -c "
import socket
s = socket.create_server(('127.0.0.1', $mtqp))
while True:
    c, _ = s.accept(); c.sendall(b'+OK+/MTQP mx\r\nSTARTTLS\r\n.\r\n'); c.close()"
lab_wait 20 lab_listens "$mtqp" || lab_fail "no server"
says 69 'TLS is for a server'"'"'s full name, and this is none' query --require-tls --server "127.0.0.1:$mtqp" q@h $secret
status=0; echo hi | lab_track send --server "127.0.0.1:$nobody" x@y.test 2>"$lab/says" || status=$?
{ [ $status = 69 ] && grep -q "not sent: 127.0.0.1 port $nobody: Connection refused" "$lab/says"; } ||
    lab_fail "send: $status $(cat "$lab/says")"
status=0; echo hi | lab_track send --server "127.0.0.1:$mtqp" x@y.test 2>"$lab/says" || status=$?
{ [ $status = 69 ] && grep -Fq 'this is no answer of SMTP: "+OK+/MTQP mx"' "$lab/says"; } || lab_fail "send to MTQP: $status $(cat "$lab/says")"
# a login without a password, and a password that cannot be had
status=0; echo hi | lab_track send --server "127.0.0.1:$port" --user me x@y.test 2>"$lab/says" || status=$?
{ [ $status = 64 ] && grep -q 'PasswordCommand, --password-file or MTRK_PASSWORD' "$lab/says"; } || lab_fail "$(cat "$lab/says")"
status=0; echo hi | lab_track send --server "127.0.0.1:$port" --user me --password-file "$lab/none" x@y.test 2>"$lab/says" || status=$?
{ [ $status = 64 ] && grep -q "no password from $lab/none: No such file" "$lab/says"; } || lab_fail "$(cat "$lab/says")"
# a password manager says more than the password
echo 'PasswordCommand echo secret; sleep 0.3; echo "user: me"' >"$conf"
status=0; echo hi | lab_track send --server "127.0.0.1:$port" --user me x@y.test 2>"$lab/says" || status=$?
{ [ $status = 69 ] && ! grep -q password "$lab/says"; } || lab_fail "PasswordCommand: $status $(cat "$lab/says")"
echo "first minute: ok"
