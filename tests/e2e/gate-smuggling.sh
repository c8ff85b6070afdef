#!/bin/bash
# The published smuggling sequences against a real Postfix and a real Sendmail
# behind mtrk-gate: no second message comes of any.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
. "$(dirname "$0")/../lab/sendmail.sh"
lab_start
read -r gate_sm_port <<<"$(lab_ports 1)"
lab_start_sink
lab_start_sendmail
gate_lines=("GateListen 127.0.0.1:$gate_sm_port 127.0.0.1:$sm_port plain")
lab_start_gated_postfix "smtpd_milters = " "in_flow_delay = 0"

smuggle() { python3 "$lab_root/tests/lab/smuggle.py" 127.0.0.1 "$@"; }
alone=$(smuggle "$smtp_port" games@lab.test)
# else this proves nothing: stock Postfix 3.7 takes some of them for an end
[ "${alone%% *}" -gt 0 ] || lab_fail "Postfix alone takes none: $alone"
[ "$(smuggle "$gate_port" games@lab.test)" = 0 ] ||
    lab_fail "through the gate to Postfix: $(smuggle "$gate_port" games@lab.test)"
[ "$(smuggle "$gate_sm_port" games@sm.lab.test)" = 0 ] ||
    lab_fail "through the gate to Sendmail: $(smuggle "$gate_sm_port" games@sm.lab.test)"
grep -q 'from=<smuggled' "$lab/sendmail/mail.log" && lab_fail "Sendmail has a smuggled message"
echo "gate smuggling: ok (Postfix alone: ${alone%% *} of 17)"
