# Q18, Q22, A53
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
