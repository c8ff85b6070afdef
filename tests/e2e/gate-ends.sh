#!/bin/bash
# How conversations end, through mtrk-gate as with Postfix alone: closed or
# half-closed by either side in the midst of things, refused before the last
# octet, with the strangest octets.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
lab_start
read -r mta_port gate_of_mta route_to_mta <<<"$(lab_ports 3)"
gate_lines=("GateListen 127.0.0.1:$gate_of_mta 127.0.0.1:$mta_port plain"
	"GateRoute 127.0.0.1:$route_to_mta [127.0.0.1]:$mta_port")
lab_start_gated_postfix "smtpd_milters = " "smtpd_hard_error_limit = 5" "smtpd_error_sleep_time = 0" \
    "mynetworks = 192.0.2.1" "smtpd_relay_restrictions = reject_unauth_destination" \
    "mail_spool_directory = $lab/postfix/mail/"
mkdir -p "$lab/postfix/mail/games/new"; chown -R games "$lab/postfix/mail/games"
python3 "$lab_root/tests/lab/ends.py" "$smtp_port" "$gate_port" "$mta_port" "$gate_of_mta" \
    "$route_to_mta" "$lab/postfix/mail/games" || lab_fail "not as with Postfix alone"
echo "gate ends: ok"
