#!/bin/bash
# gate-killed.sh with Sendmail: gate, milter, Sendmail's children and all of it
# at once are killed at random under load; the next hop counts what arrives.
# In the environment MTRK_STORM_S, MTRK_STORM_SEED, MTRK_STORM_KINDS and
# MTRK_STORM_ALONE as there.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
lab_start
lab_fetch_sendmail
read -r gate_port gate_tls_port sm_port <<<"$(lab_ports 3)"
lab_make_certificate gate mx.lab.test
lab_conf "GateListen 127.0.0.1:$gate_port 127.0.0.1:$sm_port plain" \
    "GateListen 127.0.0.1:$gate_tls_port 127.0.0.1:$sm_port plain tls" \
    "GateTLS $lab/gate.crt $lab/gate.key"
lab_make_sendmail "define(\`confCONNECTION_THROTTLE', \`0')dnl" \
    "define(\`confREFUSE_LA', \`1000')define(\`confQUEUE_LA', \`1000')define(\`confDELAY_LA', \`0')dnl"
kinds=${MTRK_STORM_KINDS:-gate stop milter crash sendmail sendmail sendmail}
set -- --ours "milter:$milter_port:$bin/mtrk-milter"
if [ "${MTRK_STORM_ALONE:-}" ]; then
	set -- "$@" --to "$sm_port:plain"
	kinds=${kinds/gate stop/}
else
	set -- "$@" --ours "gate:$gate_port:$bin/mtrk-gate" --to "$gate_port" --to "$gate_tls_port:tls"
fi
# sendmail.sh once more, in a shell of its own
again="bin=$bin lab_cache=$lab_cache; . $lab_root/tests/lab/lab.sh; . $lab_root/tests/lab/sendmail.sh; lab=$lab"
export MTRK_LAB_CACHE="$lab_cache"
"$lab_root/tests/lab/account.py" || lab_fail "the account is wrong"
# shellcheck disable=SC2086
"$lab_root/tests/lab/mayhem.py" --lab "$lab" --seconds "${MTRK_STORM_S:-6}" \
    --seed "${MTRK_STORM_SEED:-$(date +%s)}" --mta sendmail --mta-port "$sm_port" --sink "$sink_port" \
    --start "$again; lab_sm_exec -bD" --flush "$again; lab_sm -q" \
    "$@" $kinds || lab_fail "the account, or the storm"
echo "gate killed, sendmail: ok"
