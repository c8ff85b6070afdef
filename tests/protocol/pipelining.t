# Q10: all at once, answered in order, and nothing behind QUIT
S: +OK+/MTQP*
S: .
raw: COMMENT\r\nTRACK fresh@client.example AAECAwQFBgcICQoLDA0ODw==\r\nXYZZY\r\nTRACK four@client.example AAECAwQFBgcICQoLDA0ODw==\r\nQUIT\r\nCOMMENT\r\n
S: +OK *
S: +OK+ *
S: ...
S: .
S: -BAD *
S: +OK+ *
S: ...
S: Original-Envelope-Id: four@client.example
S: ...
S: .
S: +OK goodbye
S: <closed>
