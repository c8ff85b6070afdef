# A44: what stands in clear behind STARTTLS ends the connection, unanswered
# Q10: so STARTTLS is the last of a batch
conf: TLSCertificate @CERT@
conf: TLSKey @KEY@
S: +OK+/MTQP*
S: STARTTLS
S: .
raw: STARTTLS mtqp.example.org\r\nTRACK four@client.example AAECAwQFBgcICQoLDA0ODw==\r\n
S: <closed>
