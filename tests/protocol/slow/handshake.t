# Q29: a handshake that doesn't come ends the connection
conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP*
S: STARTTLS
S: .
C: STARTTLS mtqp.example.org
S: +OK *
pause 16
S: <closed>
