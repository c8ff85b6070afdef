# Q9: no command: -BAD
# Q24: COMMENT with any text is +OK; COMMENTx is another word
# Q35: QUIT has no parameters
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
