# RFC 3887's own examples 6 to 12, as they stand there
# A35: the boundary "%%%%" is read
# T2, T3: the type without its quotes and its first half is read (EID 3721)
# T18: example 6 tells of no date: delivered all the same
track: query --json mtqp://example2.com/track/12345-20010101@example.com/YWJjZGVmZ2gK
at example2.com
S: +OK/MTQP
C: TRACK 12345-20010101@example.com YWJjZGVmZ2gK
S: +OK+ Tracking information follows
case: rfc3887-06-delivered
C: QUIT
exit: 0
out: *"outcome":"well","word":"Delivered"*"last_attempt":null*
# T10: an envid without the brackets that it was asked with in the example
# T16: example 7 has Status last, and no blank behind its colon
track: query --json mtqp://example2.com/track/12345-20010101@example.com/YWJjZGVmZ2gK
at example2.com
S: +OK/MTQP
C: TRACK 12345-20010101@example.com YWJjZGVmZ2gK
S: +OK+ Tracking information follows
case: rfc3887-07-transferred
C: QUIT
at example3.com
S: +OK/MTQP
C: TRACK 12345-20010101@example.com YWJjZGVmZ2gK
S: +OK+
case: rfc3887-06-delivered
C: QUIT
exit: 0
out: *"action":"transferred","status":"2.4.0"*"action":"delivered"*
# Q8: example 8 has a header that begins with a dot
# T7, T16: and a comment behind the status
# T12, T19: its dates are read with their zone
track: query --json mtqp://example2.com/track/12345-20010101@example.com/YWJjZGVmZ2gK
at example2.com
S: +OK/MTQP
C: TRACK 12345-20010101@example.com YWJjZGVmZ2gK
S: +OK+ Tracking information follows
case: rfc3887-08-delayed
C: QUIT
exit: 1
out: *"action":"delayed","status":"4.4.1"*"last_attempt":"2001-01-02T00:15:03Z","will_retry_until":"2001-01-04T20:15:15Z"*
# T5: example 9 has two recipients, a group each
# T16: and one status without its colon
track: query --json mtqp://example2.com/track/12345-20010101@example.com/YWJjZGVmZ2gK
at example2.com
S: +OK/MTQP
C: TRACK 12345-20010101@example.com YWJjZGVmZ2gK
S: +OK+ Tracking information follows
case: rfc3887-09-two-users
C: QUIT
exit: 2
out: *"user1@example1.com","action":"relayed","status":"2.1.9"*"user2@example1.com","action":"failed","status":"5.2.2"*
# Q14, T3: example 10 is a firewall's: two parts, two recipients
track: query --json mtqp://example2.com/track/12345-20010101@example.com/YWJjZGVmZ2gK
at example2.com
S: +OK/MTQP
C: TRACK 12345-20010101@example.com YWJjZGVmZ2gK
S: +OK+ Tracking information follows
case: rfc3887-10-firewall
C: QUIT
exit: 0
out: *"parts":[{*"reporting_mta":"example2.com"*},{*"reporting_mta":"smtp.example3.com"*"final_recipient":"user4@example3.com","action":"delivered"*
# Q14: example 11: the same in one part
track: query --json mtqp://example2.com/track/12345-20010101@example.com/YWJjZGVmZ2gK
at example2.com
S: +OK/MTQP
C: TRACK 12345-20010101@example.com YWJjZGVmZ2gK
S: +OK+ Tracking information follows
case: rfc3887-11-firewall-combined
C: QUIT
exit: 0
out: *"original_recipient":"user2@example1.com","outcome":"well","word":"Delivered"*
# Q14: example 12: the same, and the inside has no name
track: query --json mtqp://example2.com/track/12345-20010101@example.com/YWJjZGVmZ2gK
at example2.com
S: +OK/MTQP
C: TRACK 12345-20010101@example.com YWJjZGVmZ2gK
S: +OK+ Tracking information follows
case: rfc3887-12-firewall-hidden
C: QUIT
exit: 0
out: *"final_recipient":"user4@example1.com","action":"delivered"*
