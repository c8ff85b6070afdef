#!/bin/bash
# README's first command shows all four states, leaves nothing behind, and
# with --keep leaves what can be played with and stopped.
cd "$(dirname "$0")/../.." || exit 2
out=$(./contrib/quickstart 2>&1) || { echo "$out"; exit 1; }
for words in 'games@lab.test: Delivered' 'friend@far.test: Handed on' \
    'defer@far.test: Waiting' 'bounce@far.test: Returned' 'Action: delivered'; do
	case $out in *"$words"*) ;; *) echo "$out"; echo "missing: $words"; exit 1 ;; esac
done
folder=$(echo "$out" | sed -n 's/^folder \([^,]*\),.*/\1/p')
[ -n "$folder" ] && [ ! -e "$folder" ] || { echo "left behind: $folder"; exit 1; }

out=$(./contrib/quickstart --keep 2>&1) || { echo "$out"; exit 1; }
folder=$(echo "$out" | sed -n 's/^folder \([^,]*\),.*/\1/p')
XDG_DATA_HOME=$folder/data build/bin/mtrk-track query 1 | grep -q Delivered ||
    { echo "--keep does not keep"; "$folder/stop"; exit 1; }
"$folder/stop"
[ ! -e "$folder" ] || { echo "stop leaves $folder"; exit 1; }
./contrib/quickstart --nonsense 2>/dev/null && exit 1
echo "quickstart: ok"
