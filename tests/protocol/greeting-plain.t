# Q15: the greeting carries /MTQP
# Q18, A50: no certificate, no option: an empty list
# Q26: the administrator installed no certificate, and the server works
# Q27, A22: and says /unsupported when it is asked for TLS, with -BAD
S: +OK+/MTQP mx.example.org *
S: .
C: STARTTLS mtqp.example.org
S: -BAD/unsupported *
C: QUIT
S: +OK *
S: <closed>
