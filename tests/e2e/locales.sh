#!/bin/bash
# What people see in their own locale: times in its form, columns that wide
# letters keep, nothing that it cannot show; and whatever a server says, no
# control character and nothing that turns letters around reaches a terminal.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
. "$(dirname "$0")/../lab/lab.sh"
[ -d /usr/share/i18n/locales ] || lab_fail "/usr/share/i18n is missing: package locales"
lab=$(mktemp -d /tmp/mtrk-lab-XXXXXX)
stop() { local status=$?; set +e; kill "${lab_pids[@]}" 2>/dev/null; rm -rf "$lab"; exit $status; }
trap stop EXIT
export XDG_DATA_HOME="$lab/data" XDG_CONFIG_HOME="$lab/config" LOCPATH="$lab/locales" TZ=UTC0
mkdir "$LOCPATH"
make() { localedef -i "$1" -f "$2" "$LOCPATH/$1.$2" 2>"$lab/localedef" || lab_fail "localedef: $(cat "$lab/localedef")"; }
for name in en_US de_DE ja_JP; do make $name UTF-8; done
make de_DE ISO-8859-1
export LOCPATH="$LOCPATH:/usr/lib/locale" # C.UTF-8 is the system's

read -r port <<<"$(lab_ports 1)"
lab_serve answers "$port" python3 "$lab_root/tests/lab/answers.py" "$port" "$lab/answer"
export port bin
python3 - "$lab" <<'P' || lab_fail "see above"
import os, pty, subprocess, sys, unicodedata
lab = sys.argv[1]
LOCALES = ["C", "C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8", "ja_JP.UTF-8", "de_DE.ISO-8859-1"]
NAMES = ["bob", "日本", "Mu\u0308ller", "müller", "\U0001f600"]
# C0, DEL, C1 as an octet and as UTF-8, bidi overrides and isolates, marks,
# what is not seen, line separators, tags, no UTF-8 at all
HOSTILE = [b"\033[2J", b"\x07", b"\x7f", b"\x9b2J", "\u009b2J".encode(), "\u202egpj".encode(),
           "\u2066x\u2069".encode(), "\u200f".encode(), "\u200b".encode(), "\u2028".encode(),
           "\U000e0041".encode(), b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\b\b\b", b"\033]0;title\x07"]

def answer(names, hostile=b""):
    out = (b'Content-Type: multipart/related; boundary="b"; type="message/tracking-status"\n\n'
           b"--b\nContent-Type: message/tracking-status\n\nOriginal-Envelope-Id: q@h" + hostile +
           b"\nReporting-MTA: dns; mx" + hostile + b".test\nArrival-Date: Tue, 24 Nov 2026 13:05:09 +0000\n\n")
    for name in names:   # RFC 6533: once raw, once in the form for 7 bits
        seven = "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in name).encode()
        out += (b"Original-Recipient: utf-8; " + seven + hostile + b"@x.test\nFinal-Recipient: utf-8; " +
                name.encode() + hostile + b"@y.test\nAction: delivered\nStatus: 2.0.0\nRemote-MTA: dns; far" + hostile +
                b".test\nLast-Attempt-Date: Tue, 24 Nov 2026 13:05:10 +0000\n\n")
    return out + b"--b--\n"

def put(text):
    with open(lab + "/answer", "wb") as f: f.write(text)

def command(*options):
    return [os.environ["bin"] + "/mtrk-track", "query", *options, "--server", "127.0.0.1:" + os.environ["port"],
            "q@h", "AAECAwQFBgcICQoLDA0ODw"]

def env(locale, **more):
    e = {k: v for k, v in os.environ.items() if k not in ("LANG", "LC_ALL", "NO_COLOR", "TERM")}
    return {**e, "LC_ALL": locale, "TERM": "xterm", **more}

def piped(locale, *options):
    r = subprocess.run(command(*options), env=env(locale), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode not in (0, 3): sys.exit(f"{locale}: exit status {r.returncode}: {r.stderr}")
    return r.stdout, r.stderr

def on_terminal(locale, *options, **more):
    master, slave = pty.openpty()
    p = subprocess.Popen(command(*options), env=env(locale, **more), stdin=slave, stdout=slave, stderr=slave)
    os.close(slave); out = b""
    while True:
        try: got = os.read(master, 65536)
        except OSError: got = b""
        if not got: break
        out += got
    p.wait(); os.close(master)
    return out.replace(b"\033[K", b"")   # ours: the line that tells whom it asks is wiped

def width(s):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s)

def charset(locale): return {"C": "ascii"}.get(locale, locale.split(".")[-1].lower())

# columns, letters and times
put(answer(NAMES))
for locale in LOCALES:
    text = piped(locale)[0].decode(charset(locale))   # a fault here: not of the charset
    for form in ("%X", "%c %Z"):
        r = subprocess.run(["date", "-d", "@1795525509", "+" + form], env=env(locale), stdout=subprocess.PIPE)
        want = r.stdout.decode(charset(locale)).strip()
        if want not in text: sys.exit(f"{locale}: no {form} {want}\n{text}")
    shown = {"C": "m?ller@x.test (now m?ller@y", "de_DE.ISO-8859-1": "müller@x"}.get(locale, "日本@x.test (now 日本@y")
    if shown not in text: sys.exit(f"{locale}: no {shown}\n{text}")
    if locale == "C" and "\n  * mx" not in text: sys.exit("not ASCII: " + text)

# what a server says is text, in every form and on every device
allowed = {"\n", "\r"}
hidden = ["\u202e", "\u2066", "\u2069", "\u200f", "\u200b", "\u2028", "\U000e0041"]
def check(what, locale, out):
    text = out.decode(charset(locale))
    bad = [c for c in text if (unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in allowed)]
    if bad: sys.exit(f"{what} in {locale}: {bad!r}\n{text!r}")
    if "bob" not in text and "MTQP" not in text: sys.exit(f"{what} in {locale}: nothing there: {text!r}")
for h in HOSTILE + [b"".join(HOSTILE)]:
    put(answer(["bob", "日本"], h))
    for locale in ("C", "C.UTF-8", "de_DE.ISO-8859-1"):
        check(f"{h!r} piped", locale, b"".join(piped(locale)))
        check(f"{h!r} on a terminal", locale, on_terminal(locale, NO_COLOR="1"))
        check(f"{h!r} --raw on a terminal", locale, on_terminal(locale, "--raw", NO_COLOR="1"))
    check(f"{h!r} --json", "C", b"".join(piped("C.UTF-8", "--json")))

# colours: of ours alone, and not with NO_COLOR, but with an empty one
put(answer(NAMES))
if b"\033[32m" not in on_terminal("C.UTF-8") or b"\033[32m" not in on_terminal("C.UTF-8", NO_COLOR=""):
    sys.exit("no colours")
if b"\033" in on_terminal("C.UTF-8", NO_COLOR="1") or b"\033" in on_terminal("C.UTF-8", TERM="dumb"):
    sys.exit("colours")
# a file is UTF-8 in every locale
for locale in LOCALES:
    piped(locale, "--svg", lab + "/way.svg")
    import xml.etree.ElementTree as t
    if "日本@x.test" not in "".join(t.parse(lab + "/way.svg").getroot().itertext()):
        sys.exit(f"--svg in {locale}")
# the list: subjects as they are meant (RFC 2047), columns
for rcpt, subject in ((b"bob@x.test", b"=?utf-8?Q?caf=C3=A9_?=\n =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= =?windows-1251?Q?=CF?="),
                      ("j\u00f6@x.test".encode(), b"=?utf-8?Q?=1B[2J?= =?x-no?Q?a?= \xe6\x97\xa5 \xff")):
    subprocess.run([os.environ["bin"] + "/mtrk-track", "send", "--server", "127.0.0.1:1", "--from", "a@b.test", rcpt],
                   input=b"Subject: " + subject + b"\n\nhi\n", stderr=subprocess.DEVNULL)
for locale in LOCALES:
    r = subprocess.run([os.environ["bin"] + "/mtrk-track", "list"], env=env(locale), stdout=subprocess.PIPE)
    one, two = r.stdout.decode(charset(locale)).splitlines()
    lacks = {"C": "caf? ???", "de_DE.ISO-8859-1": "café ???"}
    if not one.endswith("bob@x.test  " + lacks.get(locale, "café 日本П")): sys.exit(f"list in {locale}: {one}")
    if not two.endswith("?[2J=?x-no?Q?a?= " + ("? ?" if locale in lacks else "日 ?")): sys.exit(f"list in {locale}: {two}")
    if width(one[:one.index("failed")]) != width(two[:two.index("failed")]): sys.exit(f"list in {locale}: {r.stdout}")
print("locales: ok")
P
# the system's own words are not half of a sentence in another language
status=0; LC_ALL=de_DE.ISO-8859-1 LANGUAGE=de lab_track query --server 127.0.0.1:1 q@h AAECAwQFBgcICQoLDA0ODw 2>"$lab/says" || status=$?
{ [ $status = 69 ] && grep -q '127.0.0.1 port 1: Connection refused' "$lab/says"; } || lab_fail "$(cat "$lab/says")"
