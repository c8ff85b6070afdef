# Q11: a hundred lines that are no commands, then the end
S: +OK+/MTQP*
S: .
times 99 XYZZY\r\n
C: COMMENT
S: ...
S: +OK *
C: XYZZY
S: -BAD *
S: <closed>
