#!/bin/bash
# The same SMTP dialogues with a real Sendmail alone and through mtrk-gate:
# replies and queue files may differ in MTRK and the carrier only.
# MTRK_DIALOGUES (or 100) and SEED in the environment.  With some seeds (4, with
# 300 dialogues) the gate answers better: Sendmail keeps AUTH= and ENVID= of a
# MAIL that it refused, only RSET lets it forget the AUTH= that was ours, and
# that takes the client's ENVID= with it, which a third MAIL then may have.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
lab_start
read -r gate_port <<<"$(lab_ports 1)"
# it only queues; the greeting has no time; nobody is slowed down or cut off
lab_start_sendmail "define(\`confDELIVERY_MODE', \`queue')dnl" "define(\`confSMTP_LOGIN_MSG', \`\$j')dnl" \
    "define(\`confINPUT_MAIL_FILTERS', \`')dnl" "define(\`confRECEIVED_HEADER', \`from \$s by \$j (\$r)\$?u for \$u\$.')dnl" \
    "LOCAL_DOMAIN(\`lab.test')dnl"
lab_conf "GateListen 127.0.0.1:$gate_port 127.0.0.1:$sm_port plain"
lab_serve mtrk-gate "$gate_port" "$bin/mtrk-gate" -c "$lab/mtrk.conf" -f

# envelope and content; times, sizes on disk and what makes a file unique are
# left out
cat >"$lab/show" <<S
#!/bin/bash
cd "$lab/sendmail/queue"
for id; do
	printf '\n== %s\n' "\$id"
	sed -E '/^[TKNPI]|^d(in|f)|^\\\$_/d; s/; [A-Z][a-z]{2}, [0-9]+ .*//
	    s/^(H\?D\?Date: ).*/\1/; s/^(H\?M\?Message-Id: <)[0-9]+/\1/' "qf\$id"
	cat "df\$id"
done
S
chmod +x "$lab/show"
MTA=sendmail python3 "$lab_root/tests/lab/differ.py" "${MTRK_DIALOGUES:-100}" "$sm_port" "$gate_port" "$lab/show" >"$lab/differ.out" || {
	head -c 6000 "$lab/differ.out"; tail -1 "$lab/differ.out"; lab_fail "gate and Sendmail differ"; }
tail -1 "$lab/differ.out"
echo "gate differs, Sendmail: ok"
