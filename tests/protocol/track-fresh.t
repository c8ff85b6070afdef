# T17, T18: nothing was tried yet: no Remote-MTA, no Last-Attempt-Date
# T19: but Will-Retry-Until
# T10: an envid that came as odd+2Bid is told as odd+id
S: +OK+/MTQP*
S: .
C: track <fresh@client.example> AAECAwQFBgcICQoLDA0ODw
S: +OK+ *
S: ...
S: Action: delayed
S: Status: 4.0.0
S: Will-Retry-Until: *
S: 
S: --mtrk-*--
S: .
C: TRACK odd+2Bid@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Original-Envelope-Id: odd+id@client.example
S: ...
S: .
C: QUIT
S: +OK *
S: <closed>
