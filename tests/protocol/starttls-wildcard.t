# A43: a certificate for *.wild.example.org is one for mx1.wild.example.org, in any case
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
