#!/bin/bash
# OnBadMTRK reject: a bad mark is 501 5.5.4 with the reason; the rest flows.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab_start
export XDG_DATA_HOME="$lab/data"
lab_conf "OnBadMTRK reject"
lab_start_milter
lab_start_postfix
python3 - "$smtp_port" <<'P'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); f = s.makefile("rwb")
def say(text=None):
    if text is not None: f.write(text.encode() + b"\r\n"); f.flush()
    while True:
        line = f.readline().decode()
        if line[3:4] != "-": return line
say(); say("EHLO hand.test")
cert = "VheLhqV/rCKJmplkGFwsyW59pYk"
for mail, want in (("ENVID=q@h.test MTRK=" + cert, "250"),
                   ("ENVID=q@h.test", "250"), ("", "250"),
                   ("ENVID=q@h.test MTRK=short", "501 5.5.4"),
                   ("ENVID=q@h.test MTRK=" + cert + ":1234567890", "501 5.5.4"),
                   ("ENVID=noat MTRK=" + cert, "501 5.5.4"),
                   ("MTRK=" + cert, "501 5.5.4")):
    got = say("MAIL FROM:<a@h.test> " + mail)
    assert got.startswith(want), (mail, got)
    assert want == "250" or "MTRK" in got, got
    say("RSET")
say("QUIT")
P
echo "reject: ok"
