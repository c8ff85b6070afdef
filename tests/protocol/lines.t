# A52: length, bare LF, octets: one -BAD each, and the session goes on
# Q4: 998 octets before CRLF are taken, 999 are not; CRLF in pieces is a line end
S: +OK+/MTQP*
S: .
raw: COMMENT\x20
times 990 x
raw: \r\n
S: +OK *
raw: COMMENT\x20
times 991 x
raw: \r\n
S: -BAD *
times 200000 y
raw: \r\nCOMMENT\r\n
S: -BAD *
S: +OK *
raw: COMMENT a\nQUIT\nCOMMENT b\r\nCOMMENT c\r\n
S: -BAD *
S: +OK *
raw: COMMENT \xc3\xa4\r\n
S: -BAD *
raw: COMMENT a\x00b\r\n
S: -BAD *
raw: COMMENT a\rb\r\n
S: -BAD *
raw: COM
pause 0.2
raw: MENT\r
pause 0.2
raw: \nQUIT\r\n
S: +OK *
S: +OK goodbye
S: <closed>
