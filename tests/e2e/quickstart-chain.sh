#!/bin/bash
# README's picture of three organisations is what --chain shows, and nothing
# of it stays, also when it is interrupted.
cd "$(dirname "$0")/../.." || exit 2
ip netns list >/dev/null 2>&1 || { echo "no network namespaces here"; exit 77; }
coproc ./contrib/quickstart --chain 2>&1
pid=$COPROC_PID
out=$(cat <&"${COPROC[0]}")
wait "$pid" || { echo "$out"; exit 1; }
for words in 'games@c.test: Delivered' 'mx.c.test  Accepted' 'handed to mx.c.test' \
    'one@c.test (now games@c.test): Delivered' 'many@c.test: Delivered to a list' \
    'friend@d.test: Handed on' 'nobody@c.test: Returned' \
    'mx.b.test 203.0.113.12: .* mtrk'; do
	echo "$out" | grep -q "$words" || { echo "$out"; echo "missing: $words"; exit 1; }
done
! ip netns list | grep "mtrk-$pid-" || { echo "left behind"; exit 1; }

dir=$(mktemp -d /tmp/mtrk-lab-XXXXXX); chmod 711 "$dir"
MTRK_LAB_DIR=$dir ./contrib/quickstart --chain >/dev/null 2>&1 &
pid=$!
until compgen -G "$dir/*/b/sendmail" >/dev/null; do
	kill -0 "$pid" 2>/dev/null || { echo "ended by itself"; exit 1; }
	sleep 0.02
done
kill "$pid"; wait "$pid" && { echo "not interrupted"; exit 1; }
! pgrep -af "$dir/" || { echo "still running"; exit 1; }
rmdir "$dir" || { ls "$dir"/*; exit 1; }
! ip netns list | grep "mtrk-$pid-" || { echo "left behind"; exit 1; }
echo "quickstart --chain: ok"
