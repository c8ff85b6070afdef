# Q40: no accounts: nothing to log in with, and the secret is enough
# Q9: words of other protocols are no commands
S: +OK+/MTQP*
S: .
C: AUTH PLAIN AGJvYgBzZWNyZXQ=
S: -BAD *
C: USER bob
S: -BAD *
C: EHLO client.example
S: -BAD *
C: TRACK fresh@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: .
C: QUIT
S: +OK *
S: <closed>
