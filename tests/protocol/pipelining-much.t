# Q10: far more answers than may be queued (64 KB); none is lost
S: +OK+/MTQP*
S: .
times 1000 TRACK four@client.example AAECAwQFBgcICQoLDA0ODw==\r\n
raw: TRACK many@client.example AAECAwQFBgcICQoLDA0ODw==\r\nQUIT\r\n
S: ...
S: Final-Recipient: rfc822; r0999@many.example
S: ...
S: .
S: +OK goodbye
S: <closed>
