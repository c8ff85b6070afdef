#!/bin/bash
# OnBadMTRK reject: a bad mark is 501 5.5.4 with the reason; the rest flows.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
lab_start
lab_conf "OnBadMTRK reject"
lab_start_milter
lab_start_postfix
python3 - "$smtp_port" <<'P'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1])); s.ehlo("hand.test")
cert = "VheLhqV/rCKJmplkGFwsyW59pYk"
for mail, want in (("ENVID=q@h.test MTRK=" + cert, "250"),
                   ("ENVID=q@h.test", "250"), ("", "250"),
                   ("ENVID=q@h.test MTRK=short", "501 5.5.4"),
                   ("ENVID=q@h.test MTRK=" + cert + ":1234567890", "501 5.5.4"),
                   ("ENVID=noat MTRK=" + cert, "501 5.5.4"),
                   ("MTRK=" + cert, "501 5.5.4")):
    code, text = s.docmd("MAIL FROM:<a@h.test> " + mail); got = "%d %s" % (code, text.decode())
    assert got.startswith(want), (mail, got)
    assert want == "250" or "MTRK" in got, got
    s.rset()
s.quit()
P
echo "reject: ok"
