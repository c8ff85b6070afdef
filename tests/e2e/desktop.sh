#!/bin/bash
# A click on an mtqp: URI: our .desktop file, installed and registered as a
# desktop does it, opens mtrk-track in a terminal (tmux stands in for the
# window) by "gio open" and xdg-open; and no URI becomes a command or an option.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
for program in gio xdg-open xdg-mime desktop-file-validate update-desktop-database cmake tmux; do
	command -v $program >/dev/null || lab_fail "$program is missing"
done
lab=$(mktemp -d /tmp/mtrk-lab-XXXXXX)
screen=mtrk-$$-desktop
stop() { local status=$?; set +e; tmux -L $screen kill-server 2>/dev/null
	kill "${lab_pids[@]}" 2>/dev/null; rm -rf "$lab"; exit $status; }
trap stop EXIT
cmake --install "$bin/.." --prefix "$lab/usr" >"$lab/install.log" 2>&1 || lab_fail "$(tail -3 "$lab/install.log")"
desktop=$lab/usr/share/applications/mtrk-track.desktop
said=$(desktop-file-validate "$desktop") && [ -z "$said" ] || lab_fail "not valid: $said"

# a session of its own; the terminals that gio and xdg-open look for
export HOME="$lab/home" XDG_DATA_HOME="$lab/home/data" XDG_CONFIG_HOME="$lab/home/config" \
    XDG_DATA_DIRS="$lab/usr/share" XDG_CONFIG_DIRS="$lab/none" XDG_RUNTIME_DIR="$lab/home" \
    DISPLAY=:99 BROWSER=false PATH="$lab/terminals:$lab/usr/bin:$PATH" LC_ALL=C.UTF-8
unset XDG_CURRENT_DESKTOP DESKTOP_SESSION DBUS_SESSION_BUS_ADDRESS TERMINAL
mkdir -p "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" "$lab/terminals"
cat >"$lab/terminals/x-terminal-emulator" <<-E2
	#!/bin/sh
	[ "\$1" = -e ] || [ "\$1" = -x ] || [ "\$1" = -- ] && shift
	printf '%s\\n' "\$#" "\$@" >'$lab/arguments.new'
	mv '$lab/arguments.new' '$lab/arguments'
	# the server of the terminal before may be about to end still
	until tmux -u -L $screen -f /dev/null new-session -d -x 100 -y 30 "\$@"; do sleep 0.1; done
E2
chmod +x "$lab/terminals/x-terminal-emulator"
for name in gnome-terminal xterm xdg-terminal-exec; do ln -s x-terminal-emulator "$lab/terminals/$name"; done
update-desktop-database "$lab/usr/share/applications"
xdg-mime default mtrk-track.desktop x-scheme-handler/mtqp
[ "$(xdg-mime query default x-scheme-handler/mtqp)" = mtrk-track.desktop ] || lab_fail "xdg-mime does not know it"
gio mime x-scheme-handler/mtqp | grep -q 'Default.*mtrk-track.desktop' || lab_fail "gio does not know it"

read -r port <<<"$(lab_ports 1)"
cat >"$lab/answer" <<-'E2'
	Content-Type: multipart/related; boundary="b"; type="message/tracking-status"

	--b
	Content-Type: message/tracking-status

	Original-Envelope-Id: q@h
	Reporting-MTA: dns; mx.test

	Final-Recipient: rfc822; bob@x.test
	Action: delivered
	Status: 2.0.0

	--b--
E2
lab_serve answers "$port" python3 "$lab_root/tests/lab/answers.py" "$port" "$lab/answer"

shows() { tmux -L $screen capture-pane -p >"$lab/screen" && grep -Eq "$1" "$lab/screen"; }
until_shows() { lab_wait 20 shows "$1" || lab_fail "$2: never showed $1: $(cat "$lab/screen" "$lab/arguments")"; }
closed() { ! tmux -L $screen has-session; }
# opened HOW URI WHAT-IT-SHOWS: one argument behind "--", and it waits to be read
opened() {
	rm -f "$lab/arguments"
	timeout 60 $1 "$2" >"$lab/opener.log" 2>&1 </dev/null || true
	lab_wait 20 test -e "$lab/arguments" || lab_fail "$1 opens nothing: $(cat "$lab/opener.log")"
	until_shows "$3" "$1 $2"
	until_shows 'Press Enter to close\.' "$1 $2"
	[ "$(sed -n '2s:.*/::; 1,6p' "$lab/arguments" | tr '\n' ' ')" = '6 mtrk-track query --watch --hold -- ' ] ||
	    lab_fail "$1 $2: $(cat "$lab/arguments")"
	tmux -L $screen send-keys Enter
	lab_wait 20 closed || lab_fail "it does not close"
}
uri=mtqp://127.0.0.1:$port/track/q@h/AAECAwQFBgcICQoLDA0ODw==
for how in 'gio open' 'setsid -w xdg-open'; do
	opened "$how" "$uri" '^bob@x.test: Delivered'
	for bad in "mtqp://h/track/q@h/\$(touch $lab/pwned)" "mtqp://h/track/q@h/';touch $lab/pwned;'" \
	    "mtqp://h/track/q@h/\"&touch $lab/pwned&\"" "mtqp://h/track/\`touch $lab/pwned\`/x" \
	    "mtqp:--svg=$lab/pwned" 'mtqp://h/track/%u%U%f/x' "mtqp://h/track/|touch $lab/pwned"; do
		opened "$how" "$bad" 'this is not a whole URI'
		[ ! -e "$lab/pwned" ] || lab_fail "$how: a URI became a command: $bad"
	done
done
echo "desktop: ok"
