# tests/bench/turns.sh -- ways of running Postfix, compared: they take turns
# within each round, a few hundred messages each, so that a machine with other
# work does the same to all.  A message counts once Postfix is done with it, not
# when it is answered: what the queue manager has put off is work of that message
# too.  in_flow_delay is to be 0, or Postfix pauses by the second whenever mail
# comes faster than it goes, now and then.  Sourced by run.
# shellcheck shell=bash disable=SC2154

# Other work on this machine waits while Postfix and this shell have work.
# sched(7): with autogroups the nice value of a session is what counts.
turns_first() {
	local pid
	for pid in $$ $(<"$lab/postfix/queue/pid/master.pid"); do
		[ ! -w "/proc/$pid/autogroup" ] || echo -19 >"/proc/$pid/autogroup"
	done
}

turns_queue_is_empty() {
	! compgen -G "$lab/postfix/queue/incoming/*" >/dev/null &&
	    ! compgen -G "$lab/postfix/queue/active/*" >/dev/null
}

turns_took() { # PORT MESSAGES OCTETS|FILE SESSIONS: nanoseconds
	local from to what=-l
	[[ $3 != */* ]] || what=-F
	from=$(date +%s%N)
	lab_pf smtp-source -d -s "$4" -m "$2" $what "$3" -f s@load.test \
	    -t r@far.test "127.0.0.1:$1"
	until turns_queue_is_empty; do sleep 0.01; done
	to=$(date +%s%N)
	echo $((to - from))
}

# Five rounds of so many turns each; messages in 1000 s, a line a round, into
# $lab/NAME.KIND.  Each turn begins with another NAME, so that none always comes
# behind the same one, whose leavings it would pay for.  Before NAME's turn,
# turns_before_NAME is called, if there is one.
turns_rounds() { # KIND TURNS MESSAGES OCTETS|FILE SESSIONS NAME=PORT...
	local kind=$1 turns=$2 messages=$3 octets=$4 sessions=$5 one round turn; shift 5
	local -A took
	for round in warm-up 1 2 3 4 5; do
		for one; do took[$one]=0; done
		for ((turn = 0; turn < turns; turn++)); do
			for one; do
				! declare -F "turns_before_${one%=*}" >/dev/null ||
				    "turns_before_${one%=*}"
				took[$one]=$((took[$one] + $(turns_took "${one#*=}" \
				    "$messages" "$octets" "$sessions")))
			done
			set -- "${@:2}" "$1"
			[ "$round" != warm-up ] || break
		done
		[ "$round" != warm-up ] || continue
		for one; do
			echo $((turns * messages * 1000000000000 / took[$one])) \
			    >>"$lab/${one%=*}.$kind"
		done
	done
}
