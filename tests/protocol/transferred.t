# T15, A21: handed to an MTA that tracks: transferred, 2.4.0
# A25, T17: with its Remote-MTA always, so that one can ask there
# A28: not asked in time, for want of a Chain: still transferred with its host
S: +OK+/MTQP*
S: .
C: TRACK handed@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Final-Recipient: rfc822; gina@next.example
S: Action: transferred
S: Status: 2.4.0
S: Remote-MTA: dns; mx.next.example
S: Last-Attempt-Date: *
S: 
S: --mtrk-*--
S: .
C: QUIT
S: +OK *
S: <closed>
