#!/bin/bash
# A log whose filesystem is unmounted and mounted under the collector's eyes,
# by a real mount(8): nothing is lost, nothing doubled, and it is told.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
unshare -m true || exit 77
[ "${1-}" = mounted ] || exec unshare -m "$0" mounted
. "$(dirname "$0")/../lab/lab.sh"
lab=$(mktemp -d "${MTRK_LAB_DIR:-/tmp}/mtrk-lab-XXXXXX")
trap lab_stop EXIT
mkdir "$lab/log"
log=$lab/log/mail.log
truncate -s 8M "$lab/disk"
mkfs.ext4 -q "$lab/disk"
mount_once() { mount -o loop "$lab/disk" "$lab/log" 2>/dev/null; }
# what was unmounted lazily may be about to be let go still
mount_log() { lab_wait 20 mount_once || lab_fail "it is not mounted again"; }
mount_once || { echo "mounted: no loop devices here"; exit 77; }
"$bin/log_maker" "$lab/store" "$lab/source" 60 "$(($(date +%s) - 3600))"
cp -r "$lab/store" "$lab/calm"
: >"$lab/read"
for store in store calm; do
	printf 'Store %s\nMailLog %s\nLogTo stderr\n' "$lab/$store" "$log" >"$lab/$store.conf"
done
dump() { "$bin/mtrk-dump" -c "$lab/$1.conf" --json; }
is_read() { [ "$(dump store)" = "$1" ]; }
# more N: the next lines of the source into the log, until they are read
at=0
more() {
	local part
	part=$(sed -n "$((at + 1)),$((at + $1))p" "$lab/source")
	at=$((at + $1))
	echo "$part" >>"$lab/read"
	echo "$part" >>"$log"
	"$bin/mtrk-collect" -c "$lab/calm.conf" --once "$lab/read" 2>/dev/null
	lab_wait 20 is_read "$(dump calm)" || lab_fail "$at lines: not what they say"
}
told() { [ "$(grep -c "event=$1\( \|\$\)" "$lab/collect.log")" -ge "$2" ]; }
collect() { lab_run collect "$bin/mtrk-collect" -c "$lab/store.conf" -f; }
stop() { kill "$collect_pid"; wait "$collect_pid"; }

collect
more 40

# busy while it is open, as for the MTA itself; free once the collector ends
! umount "$lab/log" 2>/dev/null || lab_fail "what is the log read from?"
stop
umount "$lab/log" || lab_fail "the filesystem is busy without a collector"
collect
lab_wait 20 told log 1 || lab_fail "that there is no log is not told"
mount_log
more 40
lab_wait 20 told log-again 1 || lab_fail "that the log is back is not told"

# away lazily, nothing instead; what the MTA has open is still read
exec 9>>"$log"
umount -l "$lab/log"
sed -n "$((at + 1)),$((at + 20))p" "$lab/source" | tee -a "$lab/read" >&9
exec 9>&-
at=$((at + 20))
"$bin/mtrk-collect" -c "$lab/calm.conf" --once "$lab/read" 2>/dev/null
lab_wait 20 is_read "$(dump calm)" || lab_fail "the MTA's last lines are not read"
lab_wait 20 told log 1 || lab_fail "that there is no log is not told"
mount_log
more 40
lab_wait 20 told log-again 1 || lab_fail "that the log is back is not told"

# away lazily, and a log in the folder below it; and back
umount -l "$lab/log"
more 40
mount_log
more 40
stop
umount "$lab/log"
free() { [ -z "$(losetup -j "$lab/disk")" ]; }
lab_wait 20 free || lab_fail "somebody holds what was unmounted lazily"

# both once more, by one that was not there meanwhile
unread() {
	sed -n "$((at + 1)),$((at + 20))p" "$lab/source" | tee -a "$lab/read" >>"$log"
	at=$((at + 20))
	"$bin/mtrk-collect" -c "$lab/calm.conf" --once "$lab/read" 2>/dev/null
	collect
	lab_wait 20 is_read "$(dump calm)" || lab_fail "$at lines: not what they say"
	stop
}
unread
mount_log
unread
umount "$lab/log"
unread
echo "a log that is mounted: ok"
