# Q29: a handshake that fails ends the connection: no command is taken
conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP*
S: STARTTLS
S: .
C: STARTTLS mtqp.example.org
S: +OK *
raw: \x16\x03\x01\x00\x05hello
raw: \r\nCOMMENT\r\n
ends
