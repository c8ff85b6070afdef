# Q18, A53: TLS for some domains only, known or not; the others may ask in clear
# A14: a host that stands in the envid as its hash needs TLS, too
conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
conf: RequireTLSFor secret.example
S: +OK+/MTQP*
S: STARTTLS required
S: .
C: TRACK nobody@secret.example AAECAwQFBgcICQoLDA0ODw==
S: -ERR/tls-required *
C: TRACK <nobody@mx.secret.example> AAECAwQFBgcICQoLDA0ODw==
S: -ERR/tls-required *
C: TRACK nobody@SVzF/13svK3NccH0fqn0PdQhmkc AAECAwQFBgcICQoLDA0ODw==
S: -ERR/tls-required *
C: TRACK four@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: .
C: STARTTLS mtqp.example.org
S: +OK *
starttls
S: +OK+/MTQP*
S: .
C: TRACK nobody@secret.example AAECAwQFBgcICQoLDA0ODw==
S: -ERR/noinfo no information
C: QUIT
S: +OK *
S: <closed>
