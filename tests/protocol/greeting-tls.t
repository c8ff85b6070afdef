# Q18, Q26: with a certificate STARTTLS is listed, and not "required"
# Q35: QUIT in any case is answered before the end
conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP *
S: STARTTLS
S: .
C: quit
S: +OK *
S: <closed>
