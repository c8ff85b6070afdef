# Q23, A16: unknown and wrong secret: the same words, /noinfo
# Q6, Q7: an indicator, an item, a blank and text, in their canonical case
# A22: it is permanent: -ERR
# A42: a message that came without MTRK stays unknown
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
C: QUIT
S: +OK *
S: <closed>
