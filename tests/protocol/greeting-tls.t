conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP *
S: STARTTLS
S: .
C: quit
S: +OK *
S: <closed>
