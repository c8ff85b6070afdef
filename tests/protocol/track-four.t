# one recipient of each kind; T5, T10-T19, Q21
S: +OK+/MTQP*
S: .
C: TRACK four@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: Content-Type: multipart/related; boundary="mtrk-*";
S: 	type="message/tracking-status"
S: 
S: --mtrk-*
S: Content-Type: message/tracking-status
S: 
S: Original-Envelope-Id: four@client.example
S: Reporting-MTA: dns; mx.example.org
S: Arrival-Date: *, * 20* *:*:* +*
S: 
S: Original-Recipient: rfc822; Alice@here.example
S: Final-Recipient: rfc822; alice@here.example
S: Action: delivered
S: Status: 2.0.0
S: Last-Attempt-Date: *
S: 
S: Original-Recipient: rfc822; bob@far.example
S: Final-Recipient: rfc822; bob@far.example
S: Action: relayed
S: Status: 2.1.9
S: Remote-MTA: dns; mx.far.example
S: Last-Attempt-Date: *
S: 
S: Original-Recipient: rfc822; carol@slow.example
S: Final-Recipient: rfc822; carol@slow.example
S: Action: delayed
S: Status: 4.2.0
S: Remote-MTA: dns; mx.slow.example
S: Last-Attempt-Date: *
S: Will-Retry-Until: *
S: 
S: Original-Recipient: rfc822; dave@gone.example
S: Final-Recipient: rfc822; dave@gone.example
S: Action: failed
S: Status: 5.1.1
S: Remote-MTA: dns; mx.gone.example
S: Last-Attempt-Date: *
S: 
S: --mtrk-*--
S: .
C: QUIT
S: +OK *
S: <closed>
