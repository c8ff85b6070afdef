# A7, A11, A13: padded or not, with brackets or not, xtext or plain: the same
# message; Q4: keyword in any case, any blanks; Q37: envid and secret exactly
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
C: TRACK odd+2Xid@client.example AAECAwQFBgcICQoLDA0ODw==
S: -BAD *
C: TRACK odd+2Bid@client.example AAECAwQFBgcICQoLDA0ODw== 
S: -BAD *
C: QUIT 
S: -BAD *
C: qUiT
S: +OK *
S: <closed>
