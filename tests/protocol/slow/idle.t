# Q11: a client that says nothing is idle, not slow, and is kept
S: +OK+/MTQP*
S: .
pause 45
C: COMMENT
S: +OK *
C: QUIT
S: +OK *
S: <closed>
