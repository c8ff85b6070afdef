# Q25: no parameter, or no full name: -BAD
# Q27: another host's name: -BAD/bad-fqdn
# Q28: after +OK a handshake and nothing else
# Q33: a new greeting unasked
# Q34: without STARTTLS in it
# Q27, A23: STARTTLS again: -BAD/tls-in-progress, though it is the wrong state
conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP*
S: STARTTLS
S: .
C: STARTTLS
S: -BAD *
C: STARTTLS localhost
S: -BAD *
C: STARTTLS other.example.org
S: -BAD/bad-fqdn *
C: TRACK four@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: .
C: STARTTLS mtqp.example.org
S: +OK *
starttls
S: +OK+/MTQP*
S: .
C: STARTTLS mtqp.example.org
S: -BAD/tls-in-progress *
C: TRACK four@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Action: delivered
S: ...
S: .
times 1000 TRACK four@client.example AAECAwQFBgcICQoLDA0ODw==\r\n
C: QUIT
S: ...
S: +OK goodbye
S: <closed>
