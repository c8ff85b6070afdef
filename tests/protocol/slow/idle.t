# Q11: idle is not slow
S: +OK+/MTQP*
S: .
pause 45
C: COMMENT
S: +OK *
C: QUIT
S: +OK *
S: <closed>
