# Q14, A28: the inside stays hidden: relayed, and no host
# T22, A20: so its status is 2.1.9
# T24: a confidential address further on: relayed, as received
conf: Disguise yes
S: +OK+/MTQP*
S: .
C: TRACK handed@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Final-Recipient: rfc822; gina@next.example
S: Action: relayed
S: Status: 2.1.9
S: Last-Attempt-Date: *
S: 
S: --mtrk-*--
S: .
C: QUIT
S: +OK *
S: <closed>
