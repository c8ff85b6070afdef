# Q2: SRV of _mtqp._tcp.HOST is asked
# Q2a: the first does not listen: the next
dns: dead.test
dns: mx2.test srv 10 1 1038 dead.test
dns: mx2.test srv 20 1 1038 spare.test
track: query --json mtqp://mx2.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at spare.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test mx2.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# a name beyond ASCII is the DNS's own (IDNA), for SRV and addresses
dns: mx.xn--bcher-kva.test srv 10 1 2038 spare.test
track: query --json --server mx.Bücher.test q1@h.test AAECAwQFBgcICQoLDA0ODw==
at spare.test:2038
S: +OK/MTQP
C: TRACK *
answer: q1@h.test mx2.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# Q2, Q3: mx.test is tracked elsewhere: by SRV, not at its own address
# Q2a: the lower number first, and at the SRV's port
dns: mx.test
dns: mx.test srv 20 1 1038 spare.test
dns: mx.test srv 10 1 2038 track.test
dns: spare.test
dns: track.test
track: query --json mtqp://mx.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at track.test:2038
S: +OK/MTQP
C: TRACK *
answer: q1@h.test mx.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# Q2a: the target "." means that there is no such service, whatever listens
dns: none.test
dns: none.test srv 0 0 0 .
track: query --json mtqp://none.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
exit: 69
err: *no tracking server*
# A33: a port that is given is that host's own: no SRV
track: query --json mtqp://mx.test:3038/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at mx.test:3038
S: +OK/MTQP
C: TRACK *
answer: q1@h.test mx.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
