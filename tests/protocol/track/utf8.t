# T13: an address in UTF-8 (RFC 6533 3) is shown as it is meant, and joins hops
# T4: what would command a terminal stays encoded
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
S: Original-Recipient: utf-8; j\x{F6}rg\x{1B}@m\x{FC}ller.test
S: Final-Recipient: utf-8; j\x{F6}rg@m\x{FC}ller.test
S: Action: transferred
S: Status: 2.4.0
S: Remote-MTA: dns; two.test
S: 
S: --b--
S: .
C: QUIT
at two.test
S: +OK/MTQP
C: TRACK *
S: +OK+
S: Content-Type: multipart/related; boundary=b; type="message/tracking-status"
S: 
S: --b
S: Content-Type: message/tracking-status
S: 
S: Original-Envelope-Id: q1@h.test
S: Reporting-MTA: dns; two.test
S: 
raw: Original-Recipient: UTF-8;j\xc3\xb6rg\\x{1B}@m\\x{fc}ller.test\r\n
S: Final-Recipient: rfc822; joerg@mueller.test
S: Action: delivered
S: Status: 2.0.0
S: 
S: --b--
S: .
C: QUIT
exit: 0
out: *"ways":[{"original_recipient":"jörg\\x{1B}@müller.test","outcome":"well"*
