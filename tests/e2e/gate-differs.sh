#!/bin/bash
# The same SMTP dialogues with a real Postfix alone and through mtrk-gate:
# replies and queue files may differ in MTRK and the carrier only.
# MTRK_DIALOGUES and SEED in the environment.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
lab_start
read -r sasl_port <<<"$(lab_ports 1)"
lab_make_gated_postfix "smtpd_milters = " "smtpd_error_sleep_time = 0" \
    "smtpd_client_restrictions = static:hold" "smtpd_junk_command_limit = 1000" \
    "smtpd_sasl_auth_enable = yes" "smtpd_sasl_type = dovecot" \
    "smtpd_sasl_path = inet:127.0.0.1:$sasl_port" \
    "smtpd_client_connection_count_limit = 0" "local_recipient_maps = " \
    "in_flow_delay = 0" "smtpd_relay_restrictions = reject_unauth_destination"
# STARTTLS is not part of this: the gate has no certificate here
sed -i '/^GateTLS/d; /tls$/d' "$lab/mtrk.conf"
lab_serve passwords "$sasl_port" python3 "$lab_root/tests/lab/passwords.py" "$sasl_port"
lab_boot_postfix
lab_start_gate

# what a message's session, not its content, decides is left out
cat >"$lab/show" <<'S'
#!/bin/bash
postcat -e -h -b -q "$@" | sed -E 's,^\*\*\* ENVELOPE RECORDS .*/([0-9A-F]*) \*\*\*$,\n== \1,
    /^\*\*\*|^(message_arrival|create)_time|_port=|^message_size/d
    s/^(Received: from .*|\tby mx.lab.test .*|\tfor .*);.*/\1/; s/[A-Z][a-z]{2}, .* \(UTC\)$//; s/^(Message-Id: <)[0-9]+/\1/'
S
chmod +x "$lab/show"
export LD_LIBRARY_PATH="$lab_cache/pfx/usr/lib/postfix" MAIL_CONFIG="$lab/postfix/etc" PATH="$lab_cache/pfx/usr/sbin:$PATH"
python3 "$lab_root/tests/lab/differ.py" "${MTRK_DIALOGUES:-300}" "$smtp_port" "$gate_port" "$lab/show" >"$lab/differ.out" || {
	head -c 6000 "$lab/differ.out"; tail -1 "$lab/differ.out"; lab_fail "gate and Postfix differ"; }
tail -1 "$lab/differ.out"
echo "gate differs: ok"
