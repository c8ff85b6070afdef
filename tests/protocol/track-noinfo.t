# unknown, wrong secret, never tracked: the same words (A16, A42, Q23)
S: +OK+/MTQP*
S: .
C: TRACK nobody@client.example AAECAwQFBgcICQoLDA0ODw==
S: -ERR/noinfo no information
C: TRACK four@client.example MDEyMzQ1Njc4OWFiY2RlZg==
S: -ERR/noinfo no information
C: TRACK four@client.example YQ
S: -ERR/noinfo no information
C: TRACK untracked@client.example AAECAwQFBgcICQoLDA0ODw==
S: -ERR/noinfo no information
C: TRACK FOUR@client.example AAECAwQFBgcICQoLDA0ODw==
S: -ERR/noinfo no information
# the RFC's own example secret must not fit by chance (A1)
C: TRACK <12345-20010101@example.com> YWJjZGVmZ2gK
S: -ERR/noinfo no information
C: QUIT
S: +OK *
S: <closed>
