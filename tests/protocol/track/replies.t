# Q6: -TEMP is worth another try, -ERR and -BAD are not
# Q22: /noinfo is the only one that says so
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK *
S: -ERR/noinfo never heard of it
C: QUIT
exit: 3
err: *no information*never heard of it*
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK *
S: -TEMP try again
C: QUIT
exit: 75
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK *
S: -BAD
C: QUIT
exit: 69
# Q7: several items, words in any case, one that nobody knows yet, and no text
# A51: a status in any case
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +ok/x_new-1/mtqp
C: TRACK *
S: -err/x_new-1/NOINFO
C: QUIT
exit: 3
# Q6: +OK+ is the whole word: here nothing follows, so it is no answer
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK *
S: +OK here it is
C: QUIT
exit: 69
# Q32, Q22: /insecure and /tls-required are told as what they are
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK *
S: -ERR/insecure no
C: QUIT
exit: 69
err: *wants TLS*
track: query --json mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK *
S: -ERR/tls-required no
C: QUIT
exit: 69
err: *wants TLS*
