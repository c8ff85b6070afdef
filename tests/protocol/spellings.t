# A7: the secret padded or not is the same message; other text isn't base64
# A11: brackets around the envid, or none: the same message
# A13: xtext or plain: the same message; another case: another
# A12: an envid with two "@" is found as it stands
# Q4: keywords in any case, blanks and tabs between words
# Q35: QUIT with a blank behind it is another command: -BAD
S: +OK+/MTQP*
S: .
C: tRaCk	 odd+2Bid@client.example 	AAECAwQFBgcICQoLDA0ODw
S: +OK+ *
S: ...
S: .
C: TRACK o+64d+2Bid@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Original-Envelope-Id: odd+id@client.example
S: ...
S: .
C: TRACK <odd+2Bid@client.example> AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: .
C: TRACK Odd+2Bid@client.example AAECAwQFBgcICQoLDA0ODw==
S: -ERR/noinfo *
C: TRACK odd+2Bid@client.example aaecAwQFBgcICQoLDA0ODw==
S: -ERR/noinfo *
C: TRACK two@signs@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Original-Envelope-Id: two@signs@client.example
S: ...
S: .
C: TRACK odd+2Xid@client.example AAECAwQFBgcICQoLDA0ODw==
S: -BAD *
C: TRACK odd+2Bid@client.example AAECAwQFBgcICQoLDA0ODw== 
S: -BAD *
C: QUIT 
S: -BAD *
C: qUiT
S: +OK *
S: <closed>
