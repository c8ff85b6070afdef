# Q20, A2: SHA-1 of the octets that the base64 stands for: with the line feed
# that is in the RFC's example, and not without it
# A3: 72 bits are less than a secret should have: compared all the same
S: +OK+/MTQP*
S: .
C: TRACK short@client.example YWJjZGVmZ2gK
S: +OK+ *
S: ...
S: .
C: TRACK short@client.example YWJjZGVmZ2g=
S: -ERR/noinfo *
# A1: RFC 3887 4.1's own pair fits by SHA-0 only, and is refused
C: TRACK sha0@client.example YWJjZGVmZ2gK
S: -ERR/noinfo *
C: TRACK sha0@client.example YWJjZGVmZ2g=
S: -ERR/noinfo *
C: QUIT
S: +OK *
S: <closed>
