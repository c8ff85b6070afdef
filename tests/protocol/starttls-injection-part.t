conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP*
S: STARTTLS
S: .
raw: STARTTLS mtqp.example.org\r\nT
S: <closed>
