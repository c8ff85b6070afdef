#!/bin/bash
# Sends a message in a real NeoMutt through "mtrk-track sendmail" and tracks it
# there with the macro of contrib/mua/muttrc; what the screen shows counts.
# MUTT=mutt does the same with mutt (mutt.sh).
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
mutt=${MUTT:-neomutt}
command -v "$mutt" tmux >/dev/null || lab_fail "$mutt or tmux is missing"
lab_start_all 'smtpd_recipient_restrictions = check_recipient_access inline:{no@elsewhere.test=REJECT}'
export HOME="$lab/home" XDG_CONFIG_HOME="$lab/home/.config" PATH="$bin:$PATH"
mkdir -p "$HOME/.config/mtrk" "$HOME/Mail"
cat >"$HOME/.config/mtrk/track.conf" <<-E2
	# the lab's server; a Postfix with contrib/postfix's command filter
	Server 127.0.0.1:$smtp_port
	MTQP 127.0.0.1:$mtqp_port
	AssumeMTRK yes
	Host lab.test
	Timeout 2d
E2
cat >"$HOME/muttrc" <<-E2
	set from = "sender@lab.test" realname = "A Sender" hostname = lab.test
	set folder = "$HOME/Mail" spoolfile = "$HOME/Mail/inbox" record = "$HOME/Mail/sent"
	set editor = "$HOME/editor" header_cache = "" sleep_time = 0 charset = utf-8
	set mbox_type = Maildir fast_reply abort_nosubject = no autoedit
	source $lab_root/contrib/mua/muttrc
E2
printf '#!/bin/sh\necho "Where will this go?" >>"$1"\n' >"$HOME/editor"
chmod +x "$HOME/editor"
mkdir -p "$HOME/Mail/inbox/"{cur,new,tmp}

screen=mtrk-$$-neomutt
tm() { tmux -L $screen -f /dev/null "$@"; }
stop() { local status=$?; set +e; [ $status = 0 ] || { cat "$lab/screen" >&2; }; tm kill-server 2>/dev/null
	(exit $status); lab_stop; }
trap stop EXIT
shows() { tm capture-pane -p >"$lab/screen"; grep -Eq "$1" "$lab/screen"; }
until_shows() { lab_wait 30 shows "$1" || lab_fail "the screen never showed: $1"; }
tm new-session -d -x 130 -y 40 "$mutt -n -F '$HOME/muttrc' -s 'A tracked letter' -b quiet@far.test games@lab.test"
# mutt asks for what it was given already, NeoMutt does not
answered=
composed() { # each question is answered once
	local asked
	shows 'y:Send' && return
	asked=$(grep -Eo '^(To|Subject|Cc|Bcc): ' "$lab/screen" | tail -1)
	[ "$asked" = "$answered" ] || { answered=$asked; tm send-keys Enter; }
	false
}
lab_wait 30 composed || lab_fail "no compose menu"
tm send-keys y
sent() { mtrk-track list --json | jq '.state == "sent" and .message_id != "" and
    .subject == "A tracked letter" and .recipients == ["games@lab.test", "quiet@far.test"]' | grep -qx true; }
lab_wait 30 sent || lab_fail "not sent: $(mtrk-track list --json)"
done_all() { mtrk-track query --json 1 | jq -c '[.ways[].word]' | grep -qx '\["Delivered","Handed on"\]'; }
lab_wait 30 done_all || lab_fail "not delivered: $(mtrk-track query 1 2>&1)"
grep -rqi '^Bcc:' "$lab/postfix/mail" "$lab/taken" 2>/dev/null && lab_fail "Bcc went along"

ended() { ! tm has-session 2>/dev/null; }
lab_wait 20 ended || lab_fail "mutt does not end"
# tmux's server may be about to end still
lab_wait 20 tm new-session -d -x 130 -y 40 "$mutt -n -F '$HOME/muttrc' -f =sent"
until_shows 'A tracked letter'
# told TEXT: by a program that mutt has run to its end, below what others said before
run=0
has_run() { shows 'Press any key' && [ "$(grep -c 'Press any key' "$lab/screen")" = $run ]; }
told() { run=$((run + 1)); lab_wait 30 has_run && grep -Eq "$1" "$lab/screen" || lab_fail "the screen never showed: $1"; }
tm send-keys Escape t
told 'games@lab.test: Delivered'
grep -Eq '(●|\*) mx.lab.test +Accepted .*, delivered' "$lab/screen" || lab_fail "no line of the server's"
grep -Eq 'quiet@far.test: Handed on' "$lab/screen" || lab_fail "no second recipient"
[ -z "${SHOW-}" ] || cat "$lab/screen"
tm send-keys Enter
until_shows 'A tracked letter'
# the same from the pager, and the list of what was sent
tm send-keys Enter; until_shows 'Where will this go'
tm send-keys Escape t; told 'games@lab.test: Delivered'
tm send-keys Enter; until_shows 'Where will this go'
tm send-keys Escape T; told '^ +1 .* sent +games@lab.test and 1 more +A tracked letter'
tm send-keys Enter; until_shows 'Where will this go'

# a refused recipient: nothing is sent, and mutt's exit status says so
status=0; printf 'To: <games@lab.test>, no@elsewhere.test\nSubject: y\n\nhi\n' |
    mtrk-track sendmail -t -i 2>"$lab/says" || status=$?
{ [ $status = 69 ] && grep -q 'not sent' "$lab/says"; } || lab_fail "sendmail: $status $(cat "$lab/says")"
[ "$(mtrk-track list --json | jq -r 'select(.number == 2) | .state')" = failed ] || lab_fail "its state"
echo "$mutt: ok"
