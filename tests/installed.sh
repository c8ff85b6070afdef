#!/bin/bash
# What "cmake --install" puts where: every program with its man page, units that
# systemd takes and that start what is installed, users, and an mtrk.conf that
# is right as it stands and with every line that it has in reserve.
#
#	tests/installed.sh BUILD
set -eu
build=$1
dest=$(mktemp -d /tmp/mtrk-lab-XXXXXX)
trap 'rm -rf "$dest"' EXIT
fail() { echo "installed: $*" >&2; exit 1; }
DESTDIR=$dest cmake --install "$build" >/dev/null
prefix=$dest$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")
sbin=$prefix/sbin

for program in bin/mtrk-track sbin/{mtrk-milter,mtrk-collect,mtrk-gate,mtqpd,mtrk-dump}; do
	"$prefix/$program" -V | grep -q "^${program##*/} " || fail "$program does not run"
	for option in -V --help; do
		status=0; "$prefix/$program" $option >/dev/full 2>"$dest/said" || status=$?
		{ [ $status = 74 ] && grep -q ': standard output: No space left' "$dest/said"; } || fail "$program $option: $status"
	done
	ls "$prefix/share/man"/man[18]/"${program##*/}".[18] >/dev/null || fail "$program has no man page"
done
for file in share/man/man5/mtrk.conf.5 share/mtrk/{mtrk.conf,postfix/mtrk-auth-carrier.regexp,sendmail/mtrk.m4,mua/muttrc} \
    share/applications/mtrk-track.desktop lib/{sysusers,tmpfiles}.d/mtrk.conf; do
	[ -f "$prefix/$file" ] || fail "no $file"
done
grep -Fq "\`${sbin#"$dest"}/mtrk-gate'" "$prefix/share/mtrk/sendmail/mtrk.m4" || fail "mtrk.m4 starts another mtrk-gate"

mkdir "$dest/units"
for unit in "$prefix"/lib/systemd/system/*.service; do
	sed "s,=${sbin#"$dest"}/,=$sbin/," "$unit" >"$dest/units/${unit##*/}"
	! grep -q '^ExecStart=/' "$unit" || grep -q "^ExecStart=${sbin#"$dest"}/" "$unit" || fail "$unit starts another program"
done
# one that can't start yet, its port being taken, is not given up after five tries
for unit in $(grep -l '^Restart=always' "$dest"/units/*.service); do
	grep -q '^StartLimitIntervalSec=0' "$unit" || fail "$unit gives up"
done
[ "$(ls "$dest/units" | wc -l)" = 5 ] || fail "units: $(ls "$dest/units")"
systemd-analyze verify --man=no "$dest"/units/*.service >"$dest/said" 2>&1 && ! grep -q 'units/' "$dest/said" ||
    fail "$(cat "$dest/said")"
systemd-sysusers --root="$dest" --dry-run "$prefix/lib/sysusers.d/mtrk.conf" >"$dest/said" 2>&1 &&
    grep -q "user 'mtqpd'" "$dest/said" || fail "$(cat "$dest/said")"

conf=$prefix/share/mtrk/mtrk.conf
"$prefix/bin/mtrk-track" -c "$conf" -nn >"$dest/said" 2>&1 && grep -qx 'User mtrk' "$dest/said" || fail "$(cat "$dest/said")"
status=0; "$prefix/bin/mtrk-track" -c "$conf" -nn >/dev/full 2>&1 || status=$?; [ $status = 74 ] || fail "-nn: $status"
grep -E '^#[A-Z]' "$conf" | sed 's/^#//' >"$dest/reserve"
[ "$(wc -l <"$dest/reserve")" -ge 10 ] || fail "mtrk.conf has nothing in reserve"
{ grep -vwFf <(awk '{ print $1 }' "$dest/reserve") "$conf"; cat "$dest/reserve"; } >"$dest/all.conf"
"$prefix/bin/mtrk-track" -c "$dest/all.conf" -nn >"$dest/said" 2>&1 || fail "$(cat "$dest/said")"
grep -q '^GateRoute 127.0.0.1:10027' "$dest/said" || fail "$(cat "$dest/said")"
