# Q9, Q24, Q35
S: +OK+/MTQP*
S: .
C: XYZZY
S: -BAD *
C: COMMENT hello there
S: +OK *
C: COMMENTx
S: -BAD *
C:
S: -BAD *
C: QUIT now
S: -BAD *
C: QUIT
S: +OK *
S: <closed>
