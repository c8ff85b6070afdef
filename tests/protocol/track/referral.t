# A48: transferred: Remote-MTA is asked, with the same envid and secret
# A48: joined by Original-Recipient, though Final-Recipient is another
# T8: types in any case
# T14: Final-Recipient is shown in its case
# T15, T16, T20: any case of Action, a comment behind Status, unknown fields
# A25: the next host by its own SRV
dns: two.test
dns: two.test srv 1 1 2038 track2.test
track: query --json mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK q1@h.test AAECAwQFBgcICQoLDA0ODw==
answer: q1@h.test one.test bob@x.test transferred 2.4.0 two.test
C: QUIT
at track2.test:2038
S: +OK/MTQP
C: TRACK q1@h.test AAECAwQFBgcICQoLDA0ODw==
S: +OK+
S: Content-Type: multipart/related; boundary=b; type="message/tracking-status"
S: 
S: --b
S: Content-Type: message/tracking-status
S: 
S: Original-Envelope-Id: q1@h.test
S: X-Weather: fine
S: Reporting-MTA: DNS; two.test
S: 
S: Original-Recipient: RFC822; bob@x.test
S: X-Colour: green
S: Final-Recipient: rfc822; Robert@Y.test
S: Action: DeliVered
S: Status: 2.5.0 (that went well)
S: Last-Attempt-Date: Mon, 1 Jan 2001 15:15:15 -0500 (EST)
S: 
S: --b--
S: .
C: QUIT
exit: 0
out: *"outcome":"well","word":"Delivered","steps":[{*"one.test"*},{*"Robert@Y.test"*"2.5.0"*
# Q13, A48: a chained answer holds the next hop already: it isn't asked again
track: query --json mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
S: +OK+
S: Content-Type: multipart/related; boundary=b; type="message/tracking-status"
S: 
S: --b
S: Content-Type: message/tracking-status
S: 
S: Original-Envelope-Id: q1@h.test
S: Reporting-MTA: dns; one.test
S: 
S: Original-Recipient: rfc822; bob@x.test
S: Final-Recipient: rfc822; bob@x.test
S: Action: transferred
S: Status: 2.4.0
S: Remote-MTA: dns; inner.test
S: 
S: --b
S: Content-Type: message/tracking-status
S: 
S: Original-Envelope-Id: q1@h.test
S: Reporting-MTA: dns; inner.test
S: 
S: Original-Recipient: rfc822; bob@x.test
S: Final-Recipient: rfc822; bob@x.test
S: Action: delivered
S: Status: 2.0.0
S: 
S: --b--
S: .
C: QUIT
exit: 0
out: *"outcome":"well"*
# A45: a loop ends where it began, and --depth bounds the rest
track: query --json mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test one.test bob@x.test transferred 2.4.0 three.test
C: QUIT
at three.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test three.test bob@x.test transferred 2.4.0 one.test
C: QUIT
exit: 1
out: *"loop"*
track: query --json --depth 1 mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test one.test bob@x.test transferred 2.4.0 three.test
C: QUIT
at three.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test three.test bob@x.test transferred 2.4.0 four.test
C: QUIT
exit: 1
out: *further than --depth 1*
# A28: the next host can't be asked: what is known is shown, and why no more
dns: dead.test
track: query --json mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test one.test bob@x.test transferred 2.4.0 dead.test
C: QUIT
exit: 1
out: *"action":"transferred"*"end":"no-server"*
# T11: a next host that isn't of the type dns can't be asked
track: query --json mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
S: +OK+
S: Content-Type: multipart/related; boundary=b; type="message/tracking-status"
S: 
S: --b
S: Content-Type: message/tracking-status
S: 
S: Original-Envelope-Id: q1@h.test
S: Reporting-MTA: x-local-hostname; one
S: 
S: Original-Recipient: rfc822; bob@x.test
S: Final-Recipient: rfc822; robert@y.test
S: Action: transferred
S: Status: 2.4.0
S: Remote-MTA: x-local-hostname; two.test
S: 
S: Original-Recipient: rfc822; carol@x.test
S: Final-Recipient: rfc822; caroline@y.test
S: Action: transferred
S: Status: 2.4.0
S: Remote-MTA: dns; three.test
S: 
S: --b--
S: .
C: QUIT
# A18: the next one got no ORCPT, so the original is our final one there
at three.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test three.test caroline@y.test delivered 2.0.0
C: QUIT
exit: 1
out: *"bob@x.test","outcome":"under-way"*"end":"nowhere"*"carol@x.test","outcome":"well"*
# T22: relayed is the end: nobody is asked further
track: query --json mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test one.test bob@x.test relayed 2.1.9 two.test
C: QUIT
exit: 0
# T15: expanded is an end, and nobody is asked further
track: query --json mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test one.test list@x.test expanded 2.0.0
C: QUIT
exit: 0
out: *"outcome":"well"*
# T15, Q23: opaque is the server's other way to say that it doesn't tell
track: query --json mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test one.test bob@x.test opaque 2.0.0
C: QUIT
exit: 3
out: *"outcome":"no-information"*
# to people: what it says, and no more
track: query mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test one.test bob@x.test opaque 2.0.0
C: QUIT
exit: 3
out: Message q1@h.test
out: of Mon Jan *1 *2001*
out: bob@x.test: Not told
out: *one.test  The server does not say what became of it
# and no date of what it may never have seen
track: query mtqp://one.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at one.test
S: +OK/MTQP
C: TRACK *
answer: q1@h.test one.test unknown opaque 2.0.0
C: QUIT
exit: 3
out: unknown: Not told
out: *one.test  The server does not say whether it had this message
no-out: of *
