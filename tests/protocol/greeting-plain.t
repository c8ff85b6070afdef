# no certificate: no option, an empty list (Q15, Q18, A50)
S: +OK+/MTQP mx.example.org *
S: .
C: STARTTLS mtqp.example.org
S: -BAD/unsupported *
C: QUIT
S: +OK *
S: <closed>
