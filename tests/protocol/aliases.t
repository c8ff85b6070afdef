# T21, T25, A19: an alias to several: expanded, whatever became of its members
# A21: Status: 2.0.0; none of them, nor their hosts, is named
# T14: an alias to one: where the message went
S: +OK+/MTQP*
S: .
C: TRACK aliases@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Original-Recipient: rfc822; Team@here.example
S: Final-Recipient: rfc822; team@here.example
S: Action: expanded
S: Status: 2.0.0
S: Last-Attempt-Date: *
S: 
S: Original-Recipient: rfc822; boss@here.example
S: Final-Recipient: rfc822; private@far.example
S: Action: relayed
S: Status: 2.1.9
S: Remote-MTA: dns; mx.far.example
S: Last-Attempt-Date: *
S: 
S: --mtrk-*--
S: .
C: QUIT
S: +OK *
S: <closed>
