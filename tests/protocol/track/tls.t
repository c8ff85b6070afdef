# Q25: the name that was asked, not the SRV target's, is STARTTLS's parameter
# Q28: after +OK comes the handshake: the server sees no octet in clear
# Q33: the client waits for a new greeting, and takes nothing from the first
# Q34: STARTTLS listed once more: it isn't begun twice
# Q43: what it came to is shown
dns: mx.test
dns: mx.test srv 1 1 1038 track.test
track: query --json mtqp://mx.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at track.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS mx.test
S: +OK
starttls mx.test
C: <silent>
S: +OK+/MTQP
S: STARTTLS
S: .
C: TRACK *
answer: q1@h.test mx.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
out: *"tls":{"active":true,"verified":true,"protocol":"TLSv1.*
# Q33: a second greeting that is a refusal counts, not the first
track: query --json mtqp://mx.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at track.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS mx.test
S: +OK
starttls mx.test
S: -TEMP/MTQP/admin not today
C: QUIT
exit: 75
# Q30, Q43: --require-tls and a certificate that nobody vouches for: QUIT
track: query --json --require-tls mtqp://b.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at b.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS b.test
S: +OK
starttls b.test self
S: +OK/MTQP
C: QUIT
exit: 69
err: *not verified*
# Q30: the same without TLS at all: the secret isn't told
track: query --json --require-tls mtqp://c.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at c.test
S: +OK/MTQP
C: QUIT
exit: 69
err: *offers no TLS*
# Q43: not required: it is asked, and told that it isn't verified
track: query --json mtqp://b.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at b.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS b.test
S: +OK
starttls b.test self
S: +OK/MTQP
C: TRACK *
answer: q1@h.test b.test bob@x.test delivered 2.0.0
C: QUIT
exit: 0
out: *"tls":{"active":true,"verified":false,*
err: *b.test*not verified*
# Q29: what is no handshake ends it: the secret isn't told in clear
track: query --json mtqp://d.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at d.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS d.test
S: +OK
S: what is this
exit: 69
no-out: *
# A44: what came in clear behind the reply isn't taken for the new greeting
track: query --json mtqp://e.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at e.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS e.test
raw: +OK\r\n+OK/MTQP injected\r\n
exit: 69
no-out: *
# Q27: the server has no certificate for the name, nor for the SRV's target
track: query --json mtqp://mx.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at track.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS mx.test
S: -BAD/bad-fqdn
C: STARTTLS track.test
S: -BAD/bad-fqdn
C: QUIT
exit: 69
err: *STARTTLS was refused*
# whoever has no certificate at all is not verified, nor asked if that is wanted
track: query --json --require-tls mtqp://f.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at f.test
S: +OK+/MTQP
S: STARTTLS
S: .
C: STARTTLS f.test
S: +OK
starttls f.test nobody
S: +OK/MTQP
C: QUIT
exit: 69
err: *the server's certificate is not verified: "it has none"
