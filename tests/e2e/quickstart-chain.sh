#!/bin/bash
# README's picture of three organisations is what --chain shows, and nothing
# of it stays.
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
echo "quickstart --chain: ok"
