# Q19: not the two words that TRACK has, an envid without "@": -BAD
# A7: a secret that isn't base64: -BAD
S: +OK+/MTQP*
S: .
C: TRACK
S: -BAD *
C: TRACK four@client.example
S: -BAD *
C: TRACK four.client.example AAECAwQFBgcICQoLDA0ODw==
S: -BAD *
C: TRACK four@client.example not*base64
S: -BAD *
C: TRACK four@client.example AAECAwQFBgcICQoLDA0ODw== AAECAwQFBgcICQoLDA0ODw==
S: -BAD *
C: QUIT
S: +OK *
S: <closed>
