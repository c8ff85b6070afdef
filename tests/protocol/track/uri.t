# Q36: TRACK with the URI's values, at its host
# Q37: scheme and "/track/" in any case; envid and secret as they are
track: query --json MTQP://a.test/TRACK/Q1@H.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK Q1@H.test AAECAwQFBgcICQoLDA0ODw==
answer: Q1@H.test a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# Q38: "/", "?" and "%" of envid and secret come out of their encoding; a port
track: query --json mtqp://a.test:2038/track/q%2F1%3F2%253@h.example/%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2Fw==
at a.test:2038
S: +OK/MTQP
C: TRACK q/1?2%3@h.example /////////////////////w==
answer: q/1?2%3@h.example a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# Q38: what may not stand there raw is no URI, and nobody is asked
track: query --json mtqp://a.test/track/q/1@h.test/AAECAwQFBgcICQoLDA0ODw==
exit: 64
track: query --json mtqp://a.test/track/q1@h.test/AAEC%ZZ
exit: 64
# A33: other characters are encoded too; "+" is no blank
track: query --json mtqp://a.test/track/q%23+2B%22@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK q#+2B"@h.test AAECAwQFBgcICQoLDA0ODw==
answer: q a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# A33: a line end in it would be another command
track: query --json mtqp://a.test/track/q1%0D%0AQUIT@h.test/AAECAwQFBgcICQoLDA0ODw==
exit: 64
# A11: sent as it stands, without brackets around it
track: query --json --server a.test:2038 q1@h.test AAECAwQFBgcICQoLDA0ODw
at a.test:2038
S: +OK/MTQP
C: TRACK q1@h.test AAECAwQFBgcICQoLDA0ODw
answer: <q1@h.test> a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
