# Q23: the other choice: opaque
# A17: with its required fields, which tell nothing, and alike for both
# T15, A21: Action: opaque, Status: 2.0.0
# T17, T18, T19: and none of the fields that are not for it
conf: Unknown opaque
S: +OK+/MTQP*
S: .
C: TRACK nobody@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ Tracking information follows
S: ...
S: Original-Envelope-Id: nobody@client.example
S: Reporting-MTA: dns; mx.example.org
S: Arrival-Date: Thu, 1 Jan 1970 *
S: 
S: Original-Recipient: unknown; unknown
S: Final-Recipient: unknown; unknown
S: Action: opaque
S: Status: 2.0.0
S: 
S: --mtrk-*--
S: .
C: TRACK four@client.example MDEyMzQ1Njc4OWFiY2RlZg==
S: +OK+ Tracking information follows
S: ...
S: Original-Envelope-Id: four@client.example
S: Reporting-MTA: dns; mx.example.org
S: Arrival-Date: Thu, 1 Jan 1970 *
S: 
S: Original-Recipient: unknown; unknown
S: Final-Recipient: unknown; unknown
S: Action: opaque
S: Status: 2.0.0
S: 
S: --mtrk-*--
S: .
C: TRACK four@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ Tracking information follows
S: ...
S: Action: delivered
S: ...
S: .
C: QUIT
S: +OK *
S: <closed>
