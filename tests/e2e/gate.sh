#!/bin/bash
# mtrk-gate in front of a real Postfix: a client that sees MTRK in EHLO and
# uses it; what is refused; the client's address; TLS; the MTA down.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/gate.sh"
lab_start
lab_make_certificate other other.test
chmod 644 "$lab/other.key"
gate_lines=("GateTLS $lab/other.crt $lab/other.key" "GateBackendTLS yes")
# the MTA offers STARTTLS too, which the gate uses and no client sees
lab_start_gated_postfix "smtpd_tls_security_level = may" \
    "smtpd_tls_cert_file = $lab/other.crt" "smtpd_tls_key_file = $lab/other.key" \
    "smtpd_tls_received_header = yes" "smtpd_tls_loglevel = 1"
lab_start_milter
lab_start_collect
lab_start_mtqpd

# 1. mtrk-track finds MTRK in EHLO, and the message is tracked to its end
uri=$(printf 'Subject: x\n\nhi\n' | lab_track send --server "127.0.0.1:$gate_port" \
    --mtqp "127.0.0.1:$mtqp_port" --host lab.test --timeout 2d games@lab.test)
delivered() { lab_track query --json "$uri" | jq '.parts[0].recipients[0].action' | grep -qx '"delivered"'; }
lab_wait 30 delivered || lab_fail "not delivered: $(lab_track query --json "$uri")"

# 2. everything else
python3 "$lab_root/tests/lab/gate.py" "$gate_port" "$gate_tls_port" "$lab/gate.crt" ||
    lab_fail "the dialogue with the gate"

grep -q 'TLS connection established from' "$lab/postfix/log/maillog" ||
    lab_fail "no TLS between gate and MTA"
grep -q 'sasl_sender=MTRK+3DVheLhqV' "$lab/postfix/log/maillog" || lab_fail "no carrier"

# 3. a certificate for each name, and new ones after SIGHUP
serial() { # PORT NAME: whose certificate a client that asks for NAME sees
	openssl s_client -connect "127.0.0.1:$gate_tls_port" -servername "$1" \
	    </dev/null 2>/dev/null | openssl x509 -noout -serial -subject | tr '\n' ' '
}
case $(serial other.test) in *CN*other.test*) ;; *) lab_fail "SNI: $(serial other.test)" ;; esac
case $(serial nobody.test) in *CN*mx.lab.test*) ;; *) lab_fail "no SNI: $(serial nobody.test)" ;; esac
before=$(serial other.test)
lab_make_certificate other other.test
kill -HUP "$mtrk_gate_pid"
renewed() { [ "$(serial other.test)" != "$before" ]; }
lab_wait 10 renewed || lab_fail "the certificate is not read again"
echo broken >"$lab/gate.crt"
kill -HUP "$mtrk_gate_pid"
said_so() { grep -q 'the old certificates stay' "$lab/mtrk-gate.log"; }
lab_wait 10 said_so || lab_fail "a broken certificate goes unnoticed"
case $(serial mx.lab.test) in *CN*mx.lab.test*) ;; *) lab_fail "no certificate any more" ;; esac

# 4. the MTA down: 421 and the end
lab_stop_postfix
said=$(timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/'"$gate_port"'; cat <&3')
[ "${said:0:9}" = "421 4.3.2" ] || lab_fail "no 421: $said"
kill "$mtrk_gate_pid"; wait "$mtrk_gate_pid" || lab_fail "mtrk-gate's exit status"
grep -q VheLhqV "$lab"/*.log && lab_fail "a certifier in a log"
echo "gate: ok"
