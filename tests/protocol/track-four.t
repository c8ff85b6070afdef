# Q21: +OK+, and the body begins with its Content-Type; no MIME-Version
# T1, T2: a response is multipart/related; type="message/tracking-status", quoted (EID 3721); so is its part
# T5: the message's fields, a blank line, and a group a recipient
# T6: a blank line before the boundary
# T9, T12: Arrival-Date has four digits of year and a numeric zone
# T10: Original-Envelope-Id is the envid alone
# T11: Reporting-MTA is dns and the full name
# T13: Original-Recipient is ORCPT's, in its case
# T15: Action: delivered, relayed, delayed, failed
# T16: Status has three numbers and nothing behind them
# T17: Remote-MTA only where one was involved: not with local(8)
# T18, A47: Last-Attempt-Date with every attempt
# T19: Will-Retry-Until for the one that is queued alone
# T22, A20: 2.1.9 with relayed, and relayed with 2.1.9
# A18: carol came without ORCPT: her address as received
# A35: the boundary is made of letters, digits and "-"
# A41: all four recipients in one answer
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
