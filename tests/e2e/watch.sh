#!/bin/bash
# "query --watch" on a real terminal (tmux): the picture stays in its place,
# follows the window's size, keeps what was there when a server is away, and
# ends with the way.  On a pipe: what has changed, and nothing else.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/net.sh"
command -v tmux >/dev/null || lab_fail "tmux is missing"
net_start watch 198.51.100.1/32 198.51.100.2/32
net_dns --host-record=mx1.a.test,198.51.100.1 --host-record=mx2.b.test,198.51.100.2
long=a-person-with-quite-a-long-name+and-an-extension@a-department.of-a-long.example.test
put() { net_put "$1" q1@h.test "$2" "$2" "${@:3}"; }
put mx1.a.test bob@x.test transferred 2.4.0 mx2.b.test
put mx1.a.test $long delivered 2.0.0 -
put mx2.b.test bob@x.test delayed 4.4.1 mx8.test
net_server mx1.a.test 198.51.100.1:1038
net_server mx2.b.test 198.51.100.2:1038
uri=mtqp://mx1.a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
lab_wait 20 eval "ask $uri >/dev/null || [ \$? = 1 ]" || lab_fail "no servers"

tm() { tmux -u -L "$net" -f /dev/null "$@"; }
ended() { local status=$?; [ $status = 0 ] || cat "$lab/screen" >&2; tm kill-server 2>/dev/null
	(exit $status); net_stop; }
trap ended EXIT
screen() { tm capture-pane -p "$@" >"$lab/screen"; }
shows() { screen; grep -Eq "$1" "$lab/screen"; }
until_shows() { lab_wait 30 shows "$1" || lab_fail "the screen never showed: $1"; }
export TERM=screen
cat >"$lab/shell" <<-E2
	printf 'written before\\n'
	'$bin/mtrk-track' query --resolver 127.0.0.1 --watch $uri; echo "status \$?"; exec cat
E2
LC_ALL=C.UTF-8 within tmux -u -L "$net" -f /dev/null new-session -d -x 100 -y 30 sh "$lab/shell"
until_shows 'bob@x.test: Waiting'
until_shows '^Asked at .*, again in [0-9]+ s\.  Ctrl-C ends\.$'
[ "$(head -1 "$lab/screen")" = 'Message q1@h.test' ] || lab_fail "not from the top on"
[ "$(grep -c 'Message q1' "$lab/screen")" = 1 ] || lab_fail "drawn twice"
# progress: the seconds go by, and it asks again
until_shows 'again in 1 s'; until_shows 'again in [4-9] s'
# colours, unless NO_COLOR says no (below)
screen -e; grep -q $'\033\[3[23]m' "$lab/screen" || lab_fail "no colours"

# 40 columns: no line is longer, nothing is lost
narrow() { shows 'bob@x.test: Waiting' && [ "$(wc -L <"$lab/screen")" -le 40 ] &&
    tr -d ' \n' <"$lab/screen" | grep -q "$long:Delivered" && grep -q '└─● mx2.b.test$' "$lab/screen"; }
tm resize-window -x 40 -y 30
lab_wait 30 narrow || lab_fail "40 columns"
# four rows: what fits, and how much does not
tm resize-window -x 40 -y 4; until_shows '^\([0-9]+ more lines\)$'
until_shows '^Message q1@h.test$' # not scrolled away
# 160: a line a server
wide() { screen; grep -Fq "$long: Delivered" "$lab/screen" && grep -Eq '└─● mx2.b.test +Accepted .*waiting.*tried at mx8.test .*' "$lab/screen"; }
tm resize-window -x 160 -y 30
lab_wait 30 wide || lab_fail "160 columns"

# a server that is away: what it had said stays, and the reason is shown
kill "$mx1_a_test_pid"; wait "$mx1_a_test_pid" || true
until_shows '^mtrk-track: mx1.a.test: .*refused'
until_shows 'bob@x.test: Waiting' # the picture is not lost
net_server mx1.a.test 198.51.100.1:1038
gone() { ! shows refused; }
lab_wait 60 gone || lab_fail "the reason stays though the server is back"

put mx2.b.test bob@x.test delivered 2.0.0 mx8.test
lab_wait 60 shows '^status 0$' || lab_fail "no end"
until_shows 'bob@x.test: Delivered' # the last picture
shows 'Asked at' && lab_fail "the line of progress stays"
screen -S -
{ grep -q '^written before$' "$lab/screen" && [ "$(grep -c 'Message q1' "$lab/screen")" = 1 ]; } ||
    lab_fail "above: $(cat "$lab/screen")"

# NO_COLOR, and a terminal that cannot be drawn on anew: as on a pipe
tm kill-server; again() { net_put mx2.b.test q2@h.test bob@x.test bob@x.test "$@"; }
again delayed 4.4.1 mx8.test
q2="--server mx2.b.test:1038 q2@h.test AAECAwQFBgcICQoLDA0ODw"
run() { LC_ALL=C lab_wait 20 within tmux -L "$net" -f /dev/null new-session -d -x 100 -y 30 \
    "env $1 '$bin/mtrk-track' query --resolver 127.0.0.1 --watch $q2; exec cat"; }
run NO_COLOR=1; until_shows Waiting; until_shows 'again in'
screen -e; grep -q $'\033' "$lab/screen" && lab_fail "NO_COLOR"
grep -q '^  \* mx2' "$lab/screen" || lab_fail "not ASCII in the C locale"
tm kill-server; run 'TERM=dumb'; until_shows Waiting
shows 'Asked at' && lab_fail "drawn anew on a dumb terminal"

# on a pipe
ask --watch $q2 >"$lab/out" 2>"$lab/says" & watching=$!
lab_wait 30 grep -q Waiting "$lab/out" || lab_fail "nothing on a pipe"
asks() { [ "$(grep -c event=track "$lab/mx2_b_test.log")" -ge "$1" ]; }
now=$(grep -c event=track "$lab/mx2_b_test.log")
lab_wait 20 asks $((now + 1)) || lab_fail "it does not ask again"
[ "$(grep -c Message "$lab/out")" = 1 ] || lab_fail "printed again though nothing is new: $(cat "$lab/out")"
kill "$mx2_b_test_pid"; wait "$mx2_b_test_pid" || true
lab_wait 60 grep -q refused "$lab/says" || lab_fail "its absence is not said"
again delivered 2.0.0 mx8.test
net_server mx2.b.test 198.51.100.2:1038
status=0; wait $watching || status=$?
[ "$status $(grep -c Message "$lab/out") $(grep -c Delivered "$lab/out")" = '0 2 1' ] ||
    lab_fail "pipe: $status $(cat "$lab/out" "$lab/says")"
[ "$(grep -c refused "$lab/says")" = 1 ] || lab_fail "said more than once: $(cat "$lab/says")"
grep -q $'\033' "$lab/out" "$lab/says" && lab_fail "a control sequence on a pipe"
echo "watch: ok"
