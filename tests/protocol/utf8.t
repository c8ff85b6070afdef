# T4: an address that isn't ASCII goes over 7 bits (RFC 6533 3)
# T13: ORCPT of the type utf-8 keeps its type and spelling
S: +OK+/MTQP*
S: .
C: TRACK utf8@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Original-Recipient: utf-8; J\x{F6}rg@m\x{FC}ller.example
S: Final-Recipient: utf-8; j\x{F6}rg@m\x{FC}ller.example
S: ...
S: Original-Recipient: utf-8; caf\x{E9}@here.example
S: Final-Recipient: utf-8; caf\x{E9}@here.example
S: Action: delivered
S: ...
S: .
C: QUIT
S: +OK *
S: <closed>
