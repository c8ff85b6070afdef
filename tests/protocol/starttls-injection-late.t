# A44: sent between the reply and the handshake: it is taken for TLS and fails
conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP*
S: STARTTLS
S: .
C: STARTTLS mtqp.example.org
S: +OK *
raw: QUIT\r\n
starttls-fails
