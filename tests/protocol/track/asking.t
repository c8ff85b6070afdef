# Q1: the client waits for the greeting before it says a word, on port 1038
# Q19: TRACK, the envid and the secret, as they stand in the URI
# Q46: whoever has the URI may ask: this wallet knows nothing of the message
# Q35: then QUIT
# Q12: it is ready to wait two minutes, and more
# A29: which is more than a server may take
# Q21: the answer's MIME body is read, from its Content-Type on
track: query --json mtqp://mx1.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at mx1.test
C: <silent>
C: <waits 120>
S: +OK/MTQP hello
C: TRACK q1@h.test AAECAwQFBgcICQoLDA0ODw==
C: <waits 120>
S: +OK+ here
S: Content-Type: multipart/related; boundary=b; type="message/tracking-status"
S: 
S: --b
S: Content-Type: message/tracking-status
S: 
S: Original-Envelope-Id: q1@h.test
S: Reporting-MTA: dns; mx1.test
S: Arrival-Date: Mon, 1 Jan 2001 15:15:15 -0500
S: 
S: Original-Recipient: rfc822; bob@x.test
S: Final-Recipient: rfc822; bob@x.test
S: Action: delivered
S: Status: 2.0.0
S: Last-Attempt-Date: Mon, 1 Jan 2001 15:15:15 -0500
S: 
S: --b--
S: .
C: QUIT
S: +OK
C: <closed>
exit: 0
out: *"action":"delivered"*
