# T24: HideForwarding: delivered to the alias, and neither address nor host of
# where it went
conf: HideForwarding yes
S: +OK+/MTQP*
S: .
C: TRACK aliases@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Action: expanded
S: ...
S: Original-Recipient: rfc822; boss@here.example
S: Final-Recipient: rfc822; boss@here.example
S: Action: delivered
S: Status: 2.0.0
S: Last-Attempt-Date: *
S: 
S: --mtrk-*--
S: .
C: QUIT
S: +OK *
S: <closed>
