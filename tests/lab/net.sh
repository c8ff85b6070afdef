# tests/lab/net.sh -- a network of its own (a namespace) with public addresses,
# a real DNS (dnsmasq) and real mtqpds.  To be sourced by bash after lab.sh.
# shellcheck shell=bash disable=SC2154

# net_start NAME ADDRESS...
net_start() {
	[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
	net=mtrk-$$-$1; shift
	ip netns add "$net" 2>/dev/null || { echo "no network namespaces here"; exit 77; }
	lab=$(mktemp -d /tmp/mtrk-lab-XXXXXX); chmod 711 "$lab"
	trap net_stop EXIT
	trap 'exit 1' INT TERM HUP
	export XDG_DATA_HOME="$lab/data" XDG_CONFIG_HOME="$lab/config"
	within ip link set lo up
	for a; do
		within ip addr add "$a" dev lo nodad 2>/dev/null ||
		    within ip addr add "$a" dev lo
	done
}

net_stop() {
	local status=$?
	set +e
	trap - EXIT
	[ $status = 0 ] || tail -n 5 "$lab"/*.log >&2
	for pid in "${lab_pids[@]}"; do kill "$pid" && wait "$pid"; done 2>/dev/null
	ip netns del "$net"
	rm -rf "$lab"
	exit $status
}

within() { ip netns exec "$net" "$@"; }

# net_listens ADDRESS:PORT: sooner or later
net_listens() {
	local host=${1%:*}
	lab_wait 20 within bash -c 'exec 3<>"/dev/tcp/$1/$2"' - "${host//[\[\]]/}" "${1##*:}"
}

# net_dns OPTION...: dnsmasq's, for the zone test
net_dns() {
	lab_run dns ip netns exec "$net" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv \
	    --no-hosts --pid-file= --listen-address=127.0.0.1 --bind-interfaces --port=53 \
	    --local=/test/ "$@"
	net_listens 127.0.0.1:53 || lab_fail "no DNS"
}

# net_server NAME LISTEN [CONFIGURATION LINE...]: an mtqpd with a store of its own
net_server() {
	printf '%s\n' "Store $lab/$1" "Listen $2" "ReportingMTA $1" "LogTo stderr" "${@:3}" \
	    >"$lab/$1.conf"
	lab_run "${1//./_}" ip netns exec "$net" "$bin/mtqpd" -c "$lab/$1.conf" -f
	net_listens "$2" || lab_fail "no mtqpd for $1"
}

# net_put STORE ENVID and more, see tests/lab/put.c
net_put() { "$bin/../tests/put" "$lab/$1" "${@:2}" || lab_fail "put"; }

ask() { within "$bin/mtrk-track" query --resolver 127.0.0.1 "$@"; }
