# Q15: RFC 3887's first example: a greeting without options
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP MTQP server ready
C: TRACK *
answer: q1@h.test a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# Q16, A31: the second: nothing is asked after it
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: -TEMP/MTQP/admin Service down for admin, call back later
C: QUIT
C: <closed>
exit: 75
err: *call back later*
# Q16: the third: -ERR, yet /unavailable passes
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: -ERR/MTQP/unavailable Service down
C: QUIT
exit: 75
# Q16: a reason that nobody knows yet
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: -TEMP/MTQP/x-moon-phase
C: QUIT
exit: 75
# Q17, A50: the fourth: a list without options
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK+/MTQP MTQP server ready
S: .
C: TRACK *
answer: q1@h.test a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# Q17: the fifth: names in any case, vnd. ones, a line that goes on
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK+/MTQP MTQP server ready
S: starttls
S: vnd.com.example.option2 with parameters private to example.com
S: vnd.com.example.option3 with a very long
S:  list of parameters
S: .
C: STARTTLS a.test
S: +OK
starttls a.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test a.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# Q17: a line that goes on is no option, whatever stands there
track: query --json mtqp://b.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at b.test
S: +OK+/MTQP MTQP server ready
S: vnd.test.like
S:  STARTTLS
S: 	STARTTLS
S: STARTTLSX
S: .
C: TRACK *
answer: q1@h.test b.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# Q18: blanks before "required" are spaces or tabs
track: query --json mtqp://c.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at c.test
S: +OK+/MTQP
S: StartTLS	 required
S: .
C: STARTTLS c.test
S: +OK
starttls c.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test c.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
# Q15: without /MTQP it is another service, and learns nothing
track: query --json mtqp://d.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at d.test
S: +OK POP3 ready
C: QUIT
C: <closed>
exit: 69
err: *not an MTQP server*
