# A40: an envid that came twice: both records, a part each
# A40: with another certifier: the secret chooses
# T3: the parts stand in one multipart/related
S: +OK+/MTQP*
S: .
C: TRACK twice@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Final-Recipient: rfc822; one@here.example
S: Action: delayed
S: Status: 4.0.0
S: Will-Retry-Until: *
S: 
S: --mtrk-*
S: Content-Type: message/tracking-status
S: 
S: Original-Envelope-Id: twice@client.example
S: ...
S: Final-Recipient: rfc822; two@here.example
S: Action: delayed
S: Status: 4.0.0
S: Will-Retry-Until: *
S: 
S: --mtrk-*--
S: .
C: TRACK twice@client.example MDAwMDAwMDAwMDAwMDAwMg==
S: +OK+ *
S: ...
S: Final-Recipient: rfc822; hidden@here.example
S: Action: delayed
S: Status: 4.0.0
S: Will-Retry-Until: *
S: 
S: --mtrk-*--
S: .
C: QUIT
S: +OK *
S: <closed>
