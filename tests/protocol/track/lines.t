# Q8: one dot is taken from a line that begins with one; the lone one ends
# A27: a line of 998 octets and the doubled dot is read
# Q5: one without an end is not
track: query --raw mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK *
S: +OK+
S: Content-Type: multipart/related; boundary=b; type="message/tracking-status"
S: ..Dot-Stuffed-Header: as an example
S: ...
S: 
S: --b
S: 
S: Original-Envelope-Id: q1@h.test
S: 
S: Final-Recipient: rfc822; bob@x.test
S: Action: delivered
raw: ..
times 997 x
raw: \r\n
S: --b--
S: .
C: QUIT
exit: 0
out: .Dot-Stuffed-Header: as an example
out: ..
out: .xxxxxxxxxx*
no-out: ...*
track: query --raw mtqp://a.test/track/q1@h.test/AAECAwQFBgcICQoLDA0ODw==
at a.test
S: +OK/MTQP
C: TRACK *
S: +OK+
times 20000 x
exit: 69
err: *line is too long*
