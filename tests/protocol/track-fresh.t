# accepted, nothing tried yet: no Last-Attempt-Date (T18)
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
