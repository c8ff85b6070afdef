# Q44: TLS was offered before and is no more: an alarm
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS a.test
S: +OK
starttls a.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
out: *"alarm":null*
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
out: *"alarm":"warning: it no longer offers TLS*
# Q44: another key that nobody vouches for: an alarm
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS a.test
S: +OK
starttls a.test self
S: +OK/MTQP
C: TRACK *
answer: q1@h.test a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
out: *"alarm":"warning: it has another key*
