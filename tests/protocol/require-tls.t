# Q18: STARTTLS is listed as required
# Q22, A22: TRACK in clear gets -ERR/tls-required
# Q9: in clear is the wrong state for TRACK then: -ERR, not -BAD
# A53: it is refused alike for a message that is known and one that isn't
conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
conf: RequireTLS yes
S: +OK+/MTQP*
S: STARTTLS required
S: .
C: TRACK four@client.example AAECAwQFBgcICQoLDA0ODw==
S: -ERR/tls-required *
C: TRACK nobody@client.example AAECAwQFBgcICQoLDA0ODw==
S: -ERR/tls-required *
C: COMMENT is fine
S: +OK *
C: STARTTLS mtqp.example.org
S: +OK *
starttls
S: +OK+/MTQP*
S: .
C: TRACK four@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: .
C: QUIT
S: +OK *
S: <closed>
