# T14: Final-Recipient keeps its case
# A18: without ORCPT the original is the address as received, of type rfc822
# T8, T13: ORCPT's own type is told, and its address decoded from xtext
# T7, A27, Q5: a long field is folded at its blanks
S: +OK+/MTQP*
S: .
C: TRACK spelt@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Original-Recipient: rfc822; Erin.Smith@Here.Example
S: Final-Recipient: rfc822; Erin.Smith@Here.Example
S: ...
S: Original-Recipient: X-Fax; +49 (30) 123
S: Final-Recipient: rfc822; fax@here.example
S: ...
S: Original-Recipient: rfc822; twelve-octet twelve-octet twelve-octet
S:  twelve-octet twelve-octet twelve-octet twelve-octet twelve-octet twelve-octet
S:  twelve-octet twelve-octet twelve-octet twelve-octet twelve-octet twelve-octet
S:  twelve-octet twelve-octet twelve-octet twelve-octet twelve-octet twelve-octet
S:  twelve-octet twelve-octet twelve-octet twelve-octet twelve-octet twelve-octet
S:  twelve-octet twelve-octet twelve-octet
S: Final-Recipient: rfc822; long@here.example
S: ...
S: .
C: QUIT
S: +OK *
S: <closed>
