# tests/lab/gate.sh -- mtrk-gate in front of lab.sh's Postfix.  To be sourced
# after lab.sh and used after lab_start.  The same Postfix listens at
#
#	$smtp_port	alone
#	$proxied_port	behind the gate, reading the PROXY header
#	$proxied_path	the same, a socket in Postfix's public/
#
# and the gate at $gate_port, with STARTTLS, before $proxied_path, and at
# $gate_tls_port with TLS from the first octet, before $proxied_port.  $lab/gate.crt is its certificate, for mx.lab.test.
# Lines in the array gate_lines are added to mtrk.conf.
# shellcheck shell=bash disable=SC2154

gate_lines=()

lab_make_certificate() { # NAME HOST
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
	    -nodes -days 2 -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
	    -keyout "$lab/$1.key" -out "$lab/$1.crt" 2>"$lab/openssl.log" ||
	    lab_fail "openssl: $(tail -1 "$lab/openssl.log")"
}

# lab_make_gated_postfix [main.cf lines...]: mtrk.conf and Postfix's files
lab_make_gated_postfix() {
	read -r gate_port gate_tls_port proxied_port <<<"$(lab_ports 3)"
	proxied_path=$lab_postfix/queue/public/gated
	lab_make_certificate gate mx.lab.test
	lab_conf "GateListen 127.0.0.1:$gate_port unix:$proxied_path proxy" \
	    "GateListen 127.0.0.1:$gate_tls_port 127.0.0.1:$proxied_port proxy tls" \
	    "GateTLS $lab/gate.crt $lab/gate.key" "${gate_lines[@]}"
	lab_make_postfix "smtpd_command_filter = " "$@"
	cat >>"$lab/postfix/etc/master.cf" <<-EOF
	127.0.0.1:$proxied_port inet n - n - - smtpd
	 -o smtpd_upstream_proxy_protocol=haproxy
	gated unix n - n - - smtpd
	 -o smtpd_upstream_proxy_protocol=haproxy
	EOF
}

lab_start_gate() {
	lab_serve mtrk-gate "$gate_port" "$bin/mtrk-gate" -c "$lab/mtrk.conf" -f
}

# lab_start_gated_postfix [main.cf lines...]
lab_start_gated_postfix() {
	lab_make_gated_postfix "$@"
	lab_boot_postfix
	lab_start_gate
}
