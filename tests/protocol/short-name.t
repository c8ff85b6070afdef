# T11: a name that isn't a full one is not of the type dns
conf: ReportingMTA mailhost
S: +OK+/MTQP mailhost *
S: .
C: TRACK fresh@client.example AAECAwQFBgcICQoLDA0ODw==
S: +OK+ *
S: ...
S: Reporting-MTA: x-local-hostname; mailhost
S: ...
S: .
C: QUIT
S: +OK *
S: <closed>
