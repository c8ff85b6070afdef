# A39: a timeout of 0: known while it is queued, unknown when it went
# A16: and then as unknown as if it had never been
S: +OK+/MTQP*
S: .
C: TRACK zero-waits@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Action: delayed
S: ...
S: .
pause 1.1
C: TRACK zero-went@client.example AAECAwQFBgcICQoLDA0ODw==
S: -ERR/noinfo no information
C: QUIT
S: +OK *
S: <closed>
