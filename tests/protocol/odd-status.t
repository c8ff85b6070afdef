# T22: 2.1.9 is not told with delivered, though the mailbox's server said it
S: +OK+/MTQP*
S: .
C: TRACK odd-status@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Action: delivered
S: Status: 2.0.0
S: ...
S: .
C: QUIT
S: +OK *
S: <closed>
