# Q10: a client that says it will send no more still gets all its answers
# A41: all recipients in one answer, a thousand here
S: +OK+/MTQP*
S: .
raw: COMMENT\r\nTRACK many@client.example AAECAwQFBgcICQoLDA0ODw==\r\nCOMMENT\r\nQUI
end-of-sending
S: +OK *
S: +OK+ *
S: ...
S: Final-Recipient: rfc822; r0999@many.example
S: ...
S: .
S: +OK *
S: <closed>
