#!/usr/bin/env python3
"""What no transcript can say about mtqpd: start, checks, signals, limits.

    daemon.py [--slow] BIN_DIR"""
import contextlib
import glob
import os
import re
import resource
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

sys.dont_write_bytecode = True
import fill  # noqa: E402
from run import Client, House, Server, free_port  # noqa: E402

SECRET = "AAECAwQFBgcICQoLDA0ODw=="
TRACK = ("TRACK %%s@client.example %s\r\n" % SECRET)
CONNS_MAX = 1000


def greeted(port):
    client = Client(port)
    assert client.line().startswith("+OK+/MTQP")
    while client.line() != ".":
        pass
    return client


def exit_of(house, *args):
    # without a terminal OpenSSL would ask standard input for a passphrase
    return subprocess.run([house.bin + "/mtqpd", *args], timeout=60,
                          input="secret\n", start_new_session=True,
                          capture_output=True, text=True)


def check_options(house):
    # Q1: without a Listen it is port 1038
    run = exit_of(house, "-nn", "-c", house.conf("preset", []))
    assert "\nListen 0.0.0.0:1038\n" in run.stdout, run
    listen = "Listen 127.0.0.1:%d" % free_port()
    good = house.conf("good", [listen] + house.with_tls())
    run = exit_of(house, "-n", "-c", good)
    assert run.returncode == 0, run.stderr
    run = exit_of(house, "-nn", "-c", good)
    assert run.returncode == 0 and listen in run.stdout, run
    assert exit_of(house, "-V").returncode == 0
    assert "usage: mtqpd" in exit_of(house, "--help").stdout
    assert exit_of(house, "--no-such-option").returncode == 64
    assert exit_of(house, "-c", "/nonexistent").returncode == 78


def check_faults(house):
    """Each makes -n and the start fail, and says why."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    listen = "Listen 127.0.0.1:%d" % free_port()
    empty = house.dir + "/empty"
    os.mkdir(empty)
    locked, rsa = house.dir + "/locked.key", house.dir + "/rsa.key"
    for kind in (["pkey", "-in", house.key, "-aes128", "-passout",
                  "pass:secret", "-out", locked], ["genrsa", "-out", rsa]):
        subprocess.run(["openssl", *kind], check=True,
                       stderr=subprocess.DEVNULL)
    cases = {
        "address": ["Listen 127.0.0.1:%d" % taken.getsockname()[1]],
        "foreign-address": ["Listen 192.0.2.1:1038"],
        "certificate": [listen, "TLSCertificate /nonexistent",
                        "TLSKey " + house.key],
        "key": [listen, "TLSCertificate " + house.cert,
                "TLSKey " + house.cert],
        "passphrase": [listen, "TLSCertificate " + house.cert,
                       "TLSKey " + locked],
        "kind": [listen, "TLSCertificate " + house.cert, "TLSKey " + rsa],
        "setting": [listen, "NoSuchSetting 1"],
    }
    if os.geteuid() == 0:
        cases["user"] = [listen, "User no-such-user"]
        cases["root-user"] = [listen, "User root"]
    for name, lines in cases.items():
        conf = house.conf("bad-" + name, lines)
        for args in (["-n"], ["-f"], []):
            run = exit_of(house, *args, "-c", conf)
            assert run.returncode == 78 and run.stderr, (name, args, run)
    conf = house.conf("bad-store", [listen], empty)
    run = exit_of(house, "-n", "-c", conf)  # it would wait
    assert run.returncode == 0 and "no store yet" in run.stderr, run
    with open(empty + "/data.mdb", "w") as f:
        f.write("no database\n" * 1000)
    for args in (["-n"], ["-f"], []):
        run = exit_of(house, *args, "-c", conf)
        assert run.returncode == 78 and "not a store" in run.stderr, run


def check_no_store(house):
    """Started before whoever makes the store: it says so, waits, and answers
    when it is there; what starts it in the background goes on meanwhile."""
    # Q16: unavailable, and a reason for the log
    folder, port = house.dir + "/late", free_port()
    path = house.dir + "/notify.late"
    os.mkdir(folder)
    conf = house.conf("late", ["Listen 127.0.0.1:%d" % port] +
                      house.with_tls(), folder + "/store")

    def greeting():
        client = Client(port)
        word = client.line()
        client.close()
        return word

    with open(folder + "/mtqpd.log", "w") as log, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(60)
        run = subprocess.run([house.bin + "/mtqpd", "-c", conf], stderr=log,
                             stdin=subprocess.DEVNULL, timeout=60,
                             env={**os.environ, "NOTIFY_SOCKET": path})
        said = lambda: open(folder + "/mtqpd.log").read()
        assert run.returncode == 0, said()
        fill.until("a word", lambda: said().count("event=wait") == 2)
        pid = int(re.findall(r"mtqpd\[(\d+)\]", said())[-1])
        assert greeting().startswith("-TEMP/MTQP/unavailable")
        os.kill(pid, signal.SIGHUP)
        fill.until("HUP", lambda: "event=hup certificates=new" in said())
        heard = s.recv(100)
        assert heard.startswith(b"EXTEND_TIMEOUT_USEC="), heard
        assert " event=start " not in said()
        House(house.bin, folder)
        while heard != b"READY=1":
            assert heard.startswith(b"EXTEND_TIMEOUT_USEC="), heard
            heard = s.recv(100)
        client = greeted(port)
        client.send((TRACK % "four").encode())
        assert client.line().startswith("+OK+ ")
        assert said().count("event=wait") == 2, said()
        os.kill(pid, signal.SIGTERM)
        while s.recv(100) != b"STOPPING=1":
            pass


def check_lost_store(house):
    """Deleted or replaced, it is nobody's store: nobody is answered from it."""
    folder, port = house.dir + "/lost", free_port()
    os.mkdir(folder)
    House(house.bin, folder)
    conf = house.conf("lost", ["Listen 127.0.0.1:%d" % port], folder + "/store")

    def up():
        with contextlib.suppress(OSError):
            return greeted(port)

    for take_away in (lambda: os.unlink(folder + "/store/lock.mdb"),
                      lambda: shutil.rmtree(folder + "/store")):
        with subprocess.Popen([house.bin + "/mtqpd", "-f", "-c", conf],
                              stderr=subprocess.PIPE, text=True) as server:
            fill.until("greeting", up)
            take_away()
            said = server.communicate(timeout=60)[1]
            assert server.returncode == 78 and "event=store-lost" in said, said


def check_background(house):
    port = free_port()
    conf = house.conf("background", ["Listen 127.0.0.1:%d" % port])
    with open(house.dir + "/background.log", "w") as log:
        run = subprocess.run([house.bin + "/mtqpd", "-c", conf], stderr=log,
                             stdin=subprocess.DEVNULL, timeout=60)
        assert run.returncode == 0
        greeted(port).close()  # ready when the parent ends
    with open(house.dir + "/background.log") as log:
        pid = int(re.findall(r"mtqpd\[(\d+)\]", log.read())[-1])
    end(pid)


def end(pid):
    """A daemon that is nobody's child."""
    os.kill(pid, signal.SIGTERM)

    def ended():
        try:
            return status_of(pid)["State"].startswith("Z")
        except FileNotFoundError:
            return True

    fill.until("end of the daemon", ended)


def pids_with(argument):
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path) as f:
            if argument in f.read().split("\0"):
                yield int(path.split("/")[2])


def check_output_ends(house):
    """What starts a daemon may wait for the end of its output, in which is why
    it didn't start."""
    own = {"mtqpd": ["Listen 127.0.0.1:%d" % free_port()] + house.with_tls(),
           "mtrk-milter": ["MilterSocket local:%s/m.sock" % house.dir],
           "mtrk-collect": ["MailLog %s/maillog" % house.dir]}
    for program, lines in own.items():
        def start(name, store):
            conf = house.conf(name, lines + ["LogTo syslog"], store)
            run = subprocess.run([house.bin + "/" + program, "-c", conf],
                                 capture_output=True, text=True, timeout=60)
            return conf, run

        run = start("unready-" + program, house.key)[1]
        assert run.returncode != 0 and " err: event=" in run.stderr, run
        conf, run = start("syslog-" + program, house.dir + "/store")
        assert run.returncode == 0, run
        pids = list(pids_with(conf))
        assert pids, program
        end(min(pids))


def certificate(house, name, *names):
    """Another pair of files."""
    cert, key = house.dir + "/%s.pem" % name, house.dir + "/%s.key" % name
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         cert, "-days", "2", "-subj", "/CN=" + name, "-addext",
         "subjectAltName=" + ",".join("DNS:" + n for n in names)],
        check=True, stderr=subprocess.DEVNULL)
    return cert, key


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


def secured(port, fqdn, sni, ctx=None, session=None):
    """STARTTLS fqdn, then a handshake with that SNI: the TLS socket."""
    client = greeted(port)
    client.send(b"STARTTLS %s\r\n" % fqdn.encode())
    line = client.line()
    assert line.startswith("+OK"), line
    return (ctx or context()).wrap_socket(client.sock, server_hostname=sni,
                                          session=session)


def whose(sock):
    """The common name of the certificate that was shown."""
    run = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout",
                          "-subject", "-nameopt", "multiline"],
                         input=sock.getpeercert(True), capture_output=True)
    return run.stdout.decode().split("= ")[-1].strip()


def check_certificates(house):
    """A43: chosen by the STARTTLS parameter and by SNI, which must agree
    Q43: if they don't, the server ends it"""
    b = certificate(house, "b", "b.example.org", "both.example.org")
    c = certificate(house, "c", "c.example.org", "both.example.org")
    port = free_port()
    server = Server(house, "certs", house.with_tls() + [
        "TLSAlso %s %s" % b, "TLSAlso  %s  %s" % c,
        "ListenTLS 127.0.0.1:%d" % port])
    for fqdn, sni, want in (
            ("mtqp.example.org", None, "test"), ("b.example.org", None, "b"),
            ("C.example.org", "c.example.org", "c"),
            ("both.example.org", None, "b"),
            ("both.example.org", "c.example.org", "c"),
            ("b.example.org", "both.example.org", "b")):
        assert whose(secured(server.port, fqdn, sni)) == want, (fqdn, sni)
    for fqdn, sni in (("b.example.org", "c.example.org"),
                      ("b.example.org", "other.example.org")):
        try:
            secured(server.port, fqdn, sni)
        except ssl.SSLError as why:
            assert "UNRECOGNIZED_NAME" in str(why), why
        else:
            raise AssertionError("%s and %s" % (fqdn, sni))
    # TLS first: SNI alone chooses, and nothing is said in clear
    for sni, want in ((None, "test"), ("c.example.org", "c"),
                      ("other.example.org", "test")):
        sock = socket.create_connection(("127.0.0.1", port), 60)
        sock = context().wrap_socket(sock, server_hostname=sni)
        assert whose(sock) == want, sni
        assert sock.recv(100).startswith(b"+OK+/MTQP")
        sock.sendall(b"STARTTLS b.example.org\r\n")
        answer = sock.recv(100)
        while b"\r\n-" not in b"\r\n" + answer:
            answer += sock.recv(100)
        assert b"-BAD/tls-in-progress" in answer
    clear = Client(port)
    clear.send(b"QUIT\r\n")
    assert clear.line() is None
    assert server.stop() == 0


def check_tls_versions(house):
    """RFC 8996: 1.2 at least.  Sessions are resumed, in both."""
    # Q30, Q31: what isn't secure enough for the server ends the connection
    # Q26: TLS is there, in both versions that are still allowed
    server = Server(house, "versions", house.with_tls())
    old = context()
    warnings.simplefilter("ignore", DeprecationWarning)
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    try:
        secured(server.port, "mtqp.example.org", None, old)
        raise AssertionError("TLS 1.1")
    except (ssl.SSLError, OSError):
        pass
    # Q32: nobody gets as far as -ERR/insecure: no ciphers that anybody may
    # read, without a certificate, or broken, even where OpenSSL has them
    # A24: so COMMENT never has to fail
    for ciphers in ("eNULL", "aNULL", "RC4:3DES:DES:EXPORT"):
        weak = context()
        weak.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            weak.set_ciphers(ciphers + ":@SECLEVEL=0")
        except ssl.SSLError:
            continue  # this OpenSSL doesn't know them
        try:
            secured(server.port, "mtqp.example.org", None, weak)
            raise AssertionError(ciphers)
        except (ssl.SSLError, OSError):
            pass
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        ctx = context()
        ctx.minimum_version = ctx.maximum_version = version
        one = secured(server.port, "mtqp.example.org", None, ctx)
        assert one.recv(100).startswith(b"+OK+")  # and 1.3's ticket
        session = one.session
        one.unwrap() if version == ssl.TLSVersion.TLSv1_2 else one.close()
        two = secured(server.port, "mtqp.example.org", None, ctx, session)
        two.recv(100)
        assert two.session_reused, version
        two.close()
    assert server.stop() == 0


def check_hup(house):
    """A renewed certificate is shown to whoever comes next; nobody is
    dropped, and files that are no certificate change nothing."""
    # as certbot keeps them: links that are renewed, to files elsewhere
    live = house.dir + "/live"
    os.mkdir(live)
    cert, key = live + "/fullchain.pem", live + "/privkey.pem"

    def link(target, path):
        os.symlink(target, path + ".new")
        os.rename(path + ".new", path)

    for old, path in zip(certificate(house, "old", "mtqp.example.org"),
                         (cert, key)):
        link("../" + os.path.basename(old), path)
    audit = house.dir + "/audit"
    server = Server(house, "hup", ["TLSCertificate " + cert, "TLSKey " + key,
                                   "AuditLog " + audit])
    clear = greeted(server.port)
    tls = secured(server.port, "mtqp.example.org", None)
    half = greeted(server.port)  # between the reply and the handshake
    half.send(b"STARTTLS mtqp.example.org\r\n")
    assert half.line().startswith("+OK")
    assert whose(tls) == "old"

    def hup(times):
        server.process.send_signal(signal.SIGHUP)
        fill.until("HUP", lambda: server.log().count("event=hup") == times)

    new = certificate(house, "new", "mtqp.example.org")
    archive = house.dir + "/archive"
    os.mkdir(archive)
    for i in range(2):
        os.rename(new[i], archive + "/%d.pem" % i)
    link(archive + "/0.pem", cert)
    os.rename(audit, audit + ".1")
    hup(1)  # the key is still the old one
    assert "key values mismatch" in server.log()
    assert whose(secured(server.port, "mtqp.example.org", None)) == "old"
    link(archive + "/1.pem", key)
    hup(2)
    assert whose(secured(server.port, "mtqp.example.org", None)) == "new"
    assert whose(context().wrap_socket(half.sock)) == "old"
    clear.send(b"TRACK nobody@client.example %s\r\n" % SECRET.encode())
    assert clear.line().startswith("-ERR/noinfo")
    tls.sendall(b"TRACK fresh@client.example %s\r\n" % SECRET.encode())
    answer = b""
    while b"+OK+ " not in answer:
        answer += tls.recv(4096)
    text = open(audit).read()
    assert re.fullmatch(
        r'20\S+Z client=127\.0\.0\.1 tls=no envid="nobody@client\.example"'
        r' outcome="[a-z ]+"\n'
        r'20\S+Z client=127\.0\.0\.1 tls=TLSv1\.3'
        r' envid="fresh@client\.example" outcome="ok"\n', text), text
    assert open(audit + ".1").read() == ""
    # no more room for logs is no reason to end
    limit = server.process.pid, resource.RLIMIT_FSIZE
    before = resource.prlimit(*limit, (0, resource.RLIM_INFINITY))
    clear.send(b"TRACK nobody@client.example %s\r\n" % SECRET.encode())
    assert clear.line().startswith("-ERR/noinfo")
    resource.prlimit(*limit, before)
    assert open(audit).read() == text
    os.unlink(cert)
    hup(3)
    assert "No such file" in server.log()
    assert whose(secured(server.port, "mtqp.example.org", None)) == "new"
    assert server.stop() == 0


def asks_on(port, tls, stop, done, faults):
    """One connection that lives through it all, and new ones."""
    try:
        sock = secured(port, "mtqp.example.org", None) if tls else None
        client = greeted(port) if not tls else Client.__new__(Client)
        if tls:
            client.sock, client.have = sock, b""
            while client.line() != ".":
                pass
        while not stop.is_set():
            client.send((TRACK % "fresh").encode())
            assert client.line().startswith("+OK+")
            while client.line() != ".":
                pass
            with secured(port, "mtqp.example.org", None) as sock:
                done.append(sock.getpeercert(True))
                assert sock.recv(100).startswith(b"+OK+/MTQP")
    except (AssertionError, AttributeError, OSError) as why:
        faults.append("%s %s: %r" % ("tls" if tls else "clear",
                                     len(done), why))


def check_hup_under_load(house):
    """Certificates are read again and again: nobody is dropped or refused."""
    pairs = [certificate(house, name, "mtqp.example.org")
             for name in ("even", "odd")]
    cert, key = house.dir + "/turns.pem", house.dir + "/turns.key"

    def renew(i):
        for new, path in zip(pairs[i % 2], (cert, key)):
            shutil.copy(new, path + ".new")
            os.rename(path + ".new", path)

    renew(0)
    server = Server(house, "hupload", [
        "TLSCertificate " + cert, "TLSKey " + key, "LogLevel notice",
        "MTQPConnectionsPerClient 0"])
    stop, done, faults = threading.Event(), [], []
    askers = [threading.Thread(target=asks_on, args=(
        server.port, i % 2, stop, done, faults)) for i in range(4)]
    for one in askers:
        one.start()
    for i in range(1, 7):
        renew(i)
        before = len(done)
        server.process.send_signal(signal.SIGHUP)
        fill.until("HUP", lambda: faults or
                   server.log().count("event=hup") == i, 60)
        fill.until("new connections", lambda: faults or
                   len(done) >= before + 2, 60)
    stop.set()
    for one in askers:
        one.join()
    assert not faults, faults
    assert set(done) == {ssl.PEM_cert_to_DER_cert(open(c).read())
                         for c, _ in pairs}
    assert server.log().count("certificates=new") == 6, server.log()
    assert server.stop() == 0


def status_of(pid):
    with open("/proc/%s/status" % pid) as f:
        return dict(line.split(":\t", 1) for line in f.read().splitlines()
                    if ":\t" in line)


def check_sandbox(house):
    """What a process that was taken over could do: not write the store's
    data, not start a program, not read a key."""
    server = Server(house, "sandbox", house.with_tls())
    pid = server.process.pid
    threads = os.listdir("/proc/%d/task" % pid)
    if not re.search("build-[at]san", house.bin):  # see common/sandbox.c
        assert len(threads) == min(len(os.sched_getaffinity(0)), 4), threads
        for thread in threads:
            status = status_of("%d/task/%s" % (pid, thread))
            assert status["NoNewPrivs"] == "1", status
            assert status["Seccomp"] == "2", status
    for fd in os.listdir("/proc/%d/fd" % pid):
        path = os.readlink("/proc/%d/fd/%s" % (pid, fd))
        with open("/proc/%d/fdinfo/%s" % (pid, fd)) as f:
            mode = int(re.search(r"flags:\s*(\d+)", f.read())[1], 8) & 3
        assert not path.endswith("data.mdb") or mode == os.O_RDONLY, path
    with open("/proc/%d/maps" % pid) as f:
        for line in f:
            assert "data.mdb" not in line or line.split()[1][1] == "-", line
    assert server.stop() == 0


def check_client_limits(house):
    """Q15, Q16: one connection too many: -TEMP/MTQP/unavailable at once
    Q11: so is one command too many, and failures are answered late
    A31: the server closes behind a negative greeting"""
    path = house.dir + "/perclient.metrics"
    server = Server(house, "perclient", ["MTQPConnectionsPerClient 3",
                                         "MTQPCommandRate 20",
                                         "MTQPFailures 2",
                                         "MetricsSocket " + path])
    clients = [greeted(server.port) for _ in range(3)]
    extra = Client(server.port)
    assert extra.line().startswith("-TEMP/MTQP/unavailable")
    assert extra.line() is None
    clients.pop().close()

    def room():
        c = Client(server.port)
        ok = c.line().startswith("+OK+")
        c.close()
        return ok

    fill.until("room for a third", room)
    a, b = clients
    for late in (0, 0, 1):
        begin = time.monotonic()
        a.send((TRACK % "nobody").encode())
        fill.until("a question", lambda: "\nmtqpd_delayed_total %d\n" % late
                   in scrape(path)[1])
        b.send(b"COMMENT\r\n")  # others of the address don't wait
        assert b.line().startswith("+OK")
        assert not late or not select.select([a.sock], [], [], 0)[0] \
            or time.monotonic() - begin > 1.9
        assert a.line().startswith("-ERR/noinfo")
        assert not late or time.monotonic() - begin > 1.9
    b.send(b"COMMENT\r\n" * 40)
    got = 0
    while (word := b.line()).startswith("+OK"):
        got += 1
    # 14 are left of 20, and one more in 3 s
    assert word.startswith("-TEMP/unavailable") and 14 <= got < 35, got
    assert server.stop() == 0


def check_handshakes(house):
    """TLS that comes first is no less work than STARTTLS, and as limited."""
    port, taken = free_port(), 0
    server = Server(house, "handshakes", house.with_tls() + [
        "MTQPCommandRate 3", "ListenTLS 127.0.0.1:%d" % port])

    def hello():
        sock = socket.create_connection(("127.0.0.1", port), 10)
        with context().wrap_socket(sock, server_hostname="b") as tls:
            return tls.recv(100).startswith(b"+OK+")

    try:
        while hello():
            taken += 1
            assert taken < 20, "no end to it"
    except OSError:
        pass  # it hung up instead
    assert taken >= 3, taken
    assert server.stop() == 0


def scrape(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        text = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            text += more
    head, _, body = text.decode().partition("\r\n\r\n")
    return head, body


def check_metrics(house):
    path = house.dir + "/metrics"
    before = os.umask(0o077)
    server = Server(house, "metrics", ["MetricsSocket " + path])
    os.umask(before)
    assert os.stat(path).st_mode & 0o777 == 0o666
    client = greeted(server.port)
    client.send((TRACK % "fresh" + "XYZZY\r\n").encode())
    while not client.line().startswith("-BAD"):
        pass
    head, body = scrape(path)
    assert head.startswith("HTTP/1.0 200 ") and "Content-Length: %d" % len(
        body) in head, head
    for line in ("mtqpd_answered_total 1", "mtqpd_bad_commands_total 1",
                 "mtqpd_commands_total 2", "# TYPE mtqpd_commands_total counter"):
        assert line + "\n" in body, (line, body)
    run = subprocess.run([house.bin + "/mtrk-dump", "-c", server.conf,
                          "--statistics"], capture_output=True, text=True)
    assert "mtqpd_answered_total 1\n" in run.stdout, run
    assert server.stop() == 0


def check_notify(house):
    """sd_notify(3): ready, the watchdog, reloading, stopping."""
    path = house.dir + "/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(60)
        os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"] = path, "1000000"
        try:
            server = Server(house, "notify", [])
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        heard = [s.recv(100).decode() for _ in range(2)]
        assert heard == ["READY=1", "WATCHDOG=1"], heard
        server.process.send_signal(signal.SIGHUP)
        while heard[-1] != "RELOADING=1":
            heard.append(s.recv(100).decode())
        assert s.recv(100) == b"READY=1"
        assert server.stop() == 0
        while heard[-1] != "STOPPING=1":
            heard.append(s.recv(100).decode())


def check_term_flushes(house):
    """What was asked before TERM is answered whole, then 0."""
    server = Server(house, "term", [])
    idle, busy = greeted(server.port), greeted(server.port)
    busy.send((TRACK % "many" * 20).encode())
    fill.until("the queue", lambda: "next=flush" in server.log())
    server.process.terminate()
    assert idle.line() is None
    text = b""
    while True:
        more = busy.sock.recv(65536)
        if not more:
            break
        text += more
    answers = text.count(b"+OK+ Tracking")
    assert answers >= 1 and text.count(b"\r\n.\r\n") == answers, answers
    assert server.process.wait(60) == 0


def ask_and_never_read(client):
    """How many octets of questions the server took."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sock.settimeout(1)
    sent = 0
    try:
        while sent < 50 << 20:
            sent += client.sock.send((TRACK % "many" * 100).encode())
    except socket.timeout:
        return sent
    raise AssertionError("no end to what it takes")


def check_second_term(house):
    """It doesn't wait for a client that doesn't read.  What is queued may
    happen to fit into the kernel's buffers: then there is nothing to see."""
    for _ in range(10):
        server = Server(house, "term2", [])
        busy = greeted(server.port)
        ask_and_never_read(busy)  # or it is only slow
        fill.until("the queue", lambda: "next=flush" in server.log())
        server.process.terminate()
        fill.until("TERM", lambda: "event=stop" in server.log())
        try:
            assert server.process.wait(1) == 0
        except subprocess.TimeoutExpired:
            break
    assert "now=no" in server.log()
    server.process.terminate()
    assert server.process.wait(60) == 0


def rss_kb(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s*(\d+)", f.read())[1])


def check_reader_that_does_not_read(house):
    """Its commands stay where they are; others are served."""
    server = Server(house, "deaf", [])
    before = rss_kb(server.process.pid)
    deaf = greeted(server.port)
    sent = ask_and_never_read(deaf)
    grown = rss_kb(server.process.pid) - before
    other = greeted(server.port)
    other.send((TRACK % "fresh").encode())
    assert other.line().startswith("+OK+")
    print("  deaf client: took %d KB of commands, grew by %d KB"
          % (sent >> 10, grown))
    assert grown < 64 << 10
    if "--slow" in sys.argv:
        fill.until("its end", lambda: "peer does not read" in server.log(), 75)
    assert server.log().count('outcome="ok"') < 200
    deaf.close()
    assert server.stop() == 0


def check_limit(house):
    """Who looks at the counters takes nobody's place."""
    path = house.dir + "/limit.metrics"
    server = Server(house, "limit", ["MTQPConnectionsPerClient 0",
                                     "MetricsSocket " + path])
    lookers = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for looker in lookers:
        looker.connect(path)
    clients = [Client(server.port) for _ in range(CONNS_MAX)]
    for c in clients:
        assert c.line().startswith("+OK+/MTQP")
    assert lookers[-1].recv(1) == b""  # one too many of them
    for looker in lookers:
        looker.close()

    def all_counted():
        try:
            return "\nmtqpd_connections_open %d\n" % CONNS_MAX in scrape(
                path)[1]
        except (ConnectionResetError, BrokenPipeError):
            return False  # it hasn't seen yet that they have gone

    fill.until("a place to look from", all_counted)
    extra = Client(server.port)
    assert extra.line().startswith("-TEMP/MTQP/unavailable")
    assert extra.line() is None
    clients.pop().close()

    def room():
        client = Client(server.port)
        word = client.line()
        client.close()
        return word.startswith("+OK+/MTQP")

    fill.until("room for one more", room)
    for c in clients:
        c.close()
    assert server.stop() == 0


def check_speed(house):
    """Not a test: figures for one connection."""
    server = Server(house, "speed", [])
    client = greeted(server.port)
    n, begin = 2000, time.monotonic()
    client.send((TRACK % "four" * n).encode() + b"QUIT\r\n")
    text = b""
    while b"+OK goodbye" not in text[-200:]:
        text += client.sock.recv(1 << 20)
    print("  %d pipelined TRACKs of four recipients a second"
          % (n / (time.monotonic() - begin)))
    assert server.stop() == 0


def main():
    bin_dir = [a for a in sys.argv[1:] if not a.startswith("-")]
    if len(bin_dir) != 1:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory(prefix="mtqpd-") as folder:
        house = House(os.path.abspath(bin_dir[0]), folder)
        for name, check in list(globals().items()):
            if name.startswith("check_"):
                print(name, flush=True)
                check(house)
    print("ok")


if __name__ == "__main__":
    main()
