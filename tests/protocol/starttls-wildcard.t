conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP*
S: STARTTLS
S: .
C: starttls MX1.WILD.example.org
S: +OK *
starttls
S: +OK+/MTQP*
S: .
C: QUIT
S: +OK *
S: <closed>
