#!/bin/bash
# All that stands in the mail's way is killed at random under load: gate,
# milter, collector, every kind of Postfix's processes, all of it at once.  What
# was answered 250 arrives exactly once, what was answered otherwise never
# does; tests/lab/account.py says what nobody can promise, and holds each such
# case against the kill that made it.  In the environment:
#
#	MTRK_STORM_S	for so many seconds
#	MTRK_STORM_SEED	the order in which they are killed
#	MTRK_STORM_KINDS	what is killed; a kind given twice, twice as often
#	MTRK_STORM_ALONE	not empty: the same with Postfix alone
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
lab_start
lab_make_gated_postfix "in_flow_delay = 0" "smtpd_client_connection_count_limit = 0" \
    "enable_long_queue_ids = yes" "mail_spool_directory = $lab/postfix/mail/" \
    "transport_retry_time = 1s" "minimal_backoff_time = 1s" "service_throttle_time = 1s" \
    "smtpd_milters = { inet:127.0.0.1:$milter_port, connect_timeout=2s, default_action=accept }"
kinds=${MTRK_STORM_KINDS:-gate stop milter collect crash master smtpd cleanup qmgr pickup local}
export LD_LIBRARY_PATH="$lab_cache/pfx/usr/lib/postfix" MAIL_CONFIG="$lab/postfix/etc"
pf=$lab_cache/pfx/usr/sbin
set -- --ours "milter:$milter_port:$bin/mtrk-milter" --ours "collect:0:$bin/mtrk-collect"
if [ "${MTRK_STORM_ALONE:-}" ]; then
	set -- "$@" --to "$smtp_port:plain"
	kinds=${kinds/gate stop/}
else
	set -- "$@" --ours "gate:$gate_port:$bin/mtrk-gate" --to "$gate_port" --to "$gate_tls_port:tls"
fi
"$lab_root/tests/lab/account.py" || lab_fail "the account is wrong"
# shellcheck disable=SC2086
"$lab_root/tests/lab/mayhem.py" --lab "$lab" --seconds "${MTRK_STORM_S:-12}" \
    --seed "${MTRK_STORM_SEED:-$(date +%s)}" --mta postfix --flush "$pf/postqueue -f" \
    --start "PATH=$pf:\$PATH postfix start && exec 3<>/dev/tcp/127.0.0.1/$smtp_port" \
    "$@" $kinds || lab_fail "the account, or the storm"
echo "gate killed: ok"
