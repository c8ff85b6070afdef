#!/bin/bash
# Q42: an mtqpd that is asked under TLS asks others under verified TLS or not
# at all: whose certificate is for another name, of a stranger's authority or
# past isn't told the secret.  Names by a real DNS, in a network of its own.
bin=$(realpath "${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}")
. "$(dirname "$0")/../lab/lab.sh"
. "$(dirname "$0")/../lab/net.sh"
net_start chaintls 198.51.100.1/32 198.51.100.2/32 198.51.100.3/32 198.51.100.4/32 \
    198.51.100.5/32 198.51.100.6/32
servers=(good.test other.test stranger.test past.test clear.test)
dns=('--host-record=outer.test,198.51.100.1')
for i in "${!servers[@]}"; do dns+=("--host-record=${servers[i]},198.51.100.$((i + 2))"); done
net_dns "${dns[@]}"
mkdir -p "/etc/netns/$net"; echo nameserver 127.0.0.1 >"/etc/netns/$net/resolv.conf"
end() {
	local status=$?
	set +e
	rm -r "/etc/netns/$net"; rmdir /etc/netns 2>/dev/null
	(exit $status)
	net_stop
}
trap end EXIT

cd "$lab" || exit 1
new=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
authority() { openssl req -x509 "${new[@]}" -keyout "$1.key" -out "$1.pem" -days 2 -subj "/CN=$1" 2>openssl.log; }
# issue NAME FOR AUTHORITY [WHEN]
issue() {
	openssl req "${new[@]}" -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>openssl.log
	openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key" -CAcreateserial -out "$1.pem" \
	    -days "${4:-2}" -extfile <(echo "subjectAltName=DNS:$2") 2>openssl.log
}
authority ours; authority theirs
issue outer.test outer.test ours
issue good.test good.test ours
issue other.test elsewhere.test ours
issue stranger.test stranger.test theirs
issue past.test past.test ours -1
chmod 644 ./*.key

put() { net_put "$1" q1@h.test "${@:2}"; }
for i in "${!servers[@]}"; do
	name=${servers[i]}
	put outer.test "${name%.test}@x.test" "${name%.test}@x.test" transferred 2.4.0 "$name"
	put "$name" "${name%.test}@x.test" "${name%.test}@y.test" delivered 2.0.0 -
	tls=("TLSCertificate $lab/$name.pem" "TLSKey $lab/$name.key")
	[ "$name" != clear.test ] || tls=()
	net_server "$name" "198.51.100.$((i + 2)):1038" "${tls[@]}"
done
SSL_CERT_FILE=$lab/ours.pem net_server outer.test 198.51.100.1:1038 "Chain test" \
    "TLSCertificate $lab/outer.test.pem" "TLSKey $lab/outer.test.key"
secret=AAECAwQFBgcICQoLDA0ODw==
said() { # said OPTION...: by whom the message was delivered, as one server tells it
	ask --json --depth 0 --server outer.test:1038 "$@" q1@h.test $secret 2>/dev/null |
	    jq -c '[.parts[].recipients[] | select(.action == "delivered") | .final_recipient] | sort'
}

got=$(said --ca ours.pem --require-tls)
[ "$got" = '["good@y.test"]' ] || lab_fail "under TLS: $got"
log=$(cat outer_test.log)
# refused NAME WHY
refused() {
	[[ $log == *"host=\"$1\" outcome=\"$2"* ]] || lab_fail "$1: $log"
	! grep -q event=track "${1/./_}.log" || lab_fail "$1 was told the secret"
}
refused other.test 'STARTTLS was refused: \x22-BAD/bad-fqdn'
refused stranger.test "the server's certificate is not verified"
refused past.test "the server's certificate is not verified"
refused clear.test "the server offers no TLS"

# what came in clear may go on in clear, or under TLS that nobody vouches for
cat >ask.py <<'P'
import socket, sys
s = socket.create_connection(("198.51.100.1", 1038), 60)
s.sendall(b"TRACK q1@h.test %s\r\nQUIT\r\n" % sys.argv[1].encode())
text = b""
while more := s.recv(65536):
    text += more
print(text.count(b"Action: delivered"))
P
[ "$(within python3 ask.py $secret)" = 4 ] || lab_fail "in clear: $(cat outer_test.log)"
grep -q 'channel=tls' stranger_test.log || lab_fail "stranger.test was asked without TLS"
echo ok
