# Q11: a request must be complete within 30 s of its first octet
S: +OK+/MTQP*
S: .
raw: COMM
pause 15
raw: ENT
pause 13
raw: x
pause 3
S: <closed>
