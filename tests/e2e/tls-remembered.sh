#!/bin/bash
# mtrk-track and TLS: the name that was asked is checked, not the SRV target
# (Q25); what a server showed before is remembered (Q44): a new key, a key
# that nobody vouches for, no TLS any more.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/net.sh"
net_start tls 198.51.100.1/32
net_dns --srv-host=_mtqp._tcp.mx.a.test,track.a.test,1038,1,0 \
    --host-record=track.a.test,198.51.100.1

# certificate FILE NAME [signed by the CA unless "self"]
new_key() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
    -keyout "$lab/$1.key" "${@:3}" 2>/dev/null; chmod 644 "$lab/$1.key"; }
new_key ca "The CA" -x509 -days 2 -out "$lab/ca.pem"
signed() { new_key "$1" "$2" -out "$lab/$1.csr"
	openssl x509 -req -in "$lab/$1.csr" -CA "$lab/ca.pem" -CAkey "$lab/ca.key" -days 2 \
	    -extfile <(echo "subjectAltName=DNS:$2") -out "$lab/$1.pem" 2>/dev/null; }
signed one mx.a.test; signed two mx.a.test; signed other track.a.test
new_key self mx.a.test -x509 -days 2 -addext subjectAltName=DNS:mx.a.test -out "$lab/self.pem"

net_put mx.a.test q1@h.test bob@x.test bob@x.test delivered 2.0.0 -
uri=mtqp://mx.a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
# serve NAME-OF-KEY: mtqpd with it, or without TLS ("none"); it answers
serve() {
	[ -z "${mx_a_test_pid-}" ] || { kill "$mx_a_test_pid"; wait "$mx_a_test_pid" || true; }
	if [ "$1" = none ]; then net_server mx.a.test 198.51.100.1:1038
	else net_server mx.a.test 198.51.100.1:1038 "TLSCertificate $lab/$1.pem" "TLSKey $lab/$1.key"; fi
}
# asked STATUS ACTIVE VERIFIED ALARM [option...]
asked() {
	local want=$1 active=$2 verified=$3 alarm=$4 status=0; shift 4
	ask --json --ca "$lab/ca.pem" "$@" $uri >"$lab/answer" 2>"$lab/says" || status=$?
	[ $status = "$want" ] || lab_fail "exit status $status: $(cat "$lab/says")"
	[ $status != 0 ] || jq -e ".tls.active == $active and .tls.verified == $verified and
	    (.hops[0].alarm // \"\" | startswith(\"$alarm\")) and
	    (\"$alarm\" != \"\" or .hops[0].alarm == null)" "$lab/answer" >/dev/null ||
	    lab_fail "$(cat "$lab/answer" "$lab/says")"
	[ -z "$alarm" ] || [ $status != 0 ] || grep -q "$alarm" "$lab/says" || lab_fail "not said: $alarm"
}
serve one; asked 0 true true ""; asked 0 true true "" --require-tls
serve two; asked 0 true true "note: it has a new key"; asked 0 true true ""
serve self; asked 0 true false "warning: it has another key"; asked 0 true false "warning: it has another key"
asked 69 - - "" --require-tls
serve none; asked 0 false false "warning: it no longer offers TLS"; asked 69 - - "" --require-tls
within "$bin/mtrk-track" forget --server mx.a.test || lab_fail "forget"
asked 0 false false ""
# a certificate for the SRV target alone: encrypted, not verified
serve other; asked 0 true false ""; grep -q "it is for track.a.test, not for mx.a.test" "$lab/says" ||
    lab_fail "the target's name: $(cat "$lab/says")"
[ "$(stat -c %a "$XDG_DATA_HOME/mtrk/servers.json")" = 600 ] || lab_fail "servers.json's mode"
echo "tls remembered: ok"
