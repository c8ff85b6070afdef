# A44: a part of a command behind STARTTLS ends the connection, too
conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP*
S: STARTTLS
S: .
raw: STARTTLS mtqp.example.org\r\nT
S: <closed>
