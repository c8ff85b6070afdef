"""The mail that the transcripts ask about, and what its MTA's log says."""
import time

# Secret 00..0f; its certifier (spec 9.2); the AUTH carrier has it in xtext.
CERTIFIER = "VheLhqV/rCKJmplkGFwsyW59pYk"
OTHER = "SGk+2BFO26uqA6h//FWenQgTKbn2g"  # of "0000000000000002", "+" encoded
SHORT = "5BSvcWHJVUCJ9BBtbxeX7xSnNmY"  # of "abcdefgh" and a line feed
SHA0 = "c0uosxl10NuuTW4kn06NonB5bJQ"  # what RFC 3887 4.1 takes for its SHA-1


def tracked(qid, envid, recipients, certifier=CERTIFIER, timeout=691200):
    return (qid, "sender@client.example",
            ["ENVID=" + envid, "AUTH=MTRK+3D%s:%d" % (certifier, timeout)],
            recipients)


MESSAGES = [
    tracked("38D4EA84781", "four@client.example", [
        ("alice@here.example", ["ORCPT=rfc822;Alice@here.example"]),
        ("bob@far.example", ["ORCPT=rfc822;bob@far.example"]),
        ("carol@slow.example", []),
        ("dave@gone.example", []),
    ]),
    tracked("38D4EA84782", "fresh@client.example", [("erin@here.example", [])]),
    tracked("38D4EA84783", "twice@client.example", [("one@here.example", [])]),
    tracked("38D4EA84784", "twice@client.example", [("two@here.example", [])]),
    tracked("38D4EA84785", "twice@client.example", [("hidden@here.example", [])],
            OTHER),
    tracked("38D4EA84786", "odd+2Bid@client.example", [("erin@here.example", [])]),
    tracked("38D4EA84787", "many@client.example",
            [("r%04d@many.example" % i, []) for i in range(1000)]),
    ("38D4EA84788", "sender@client.example", ["ENVID=untracked@client.example"],
     [("erin@here.example", [])]),
    tracked("38D4EA84789", "utf8@client.example", [
        ("j\u00f6rg@m\u00fcller.example",
         ["ORCPT=utf-8;J\\x{F6}rg@m\\x{FC}ller.example"]),
        ("caf\u00e9@here.example", []),
    ]),
    tracked("38D4EA84791", "short@client.example", [("erin@here.example", [])],
            SHORT),
    tracked("38D4EA84792", "sha0@client.example", [("erin@here.example", [])],
            SHA0),
    tracked("38D4EA84793", "two@signs@client.example",
            [("erin@here.example", [])]),
    tracked("38D4EA84794", "zero-waits@client.example",
            [("erin@here.example", [])], timeout=0),
    tracked("38D4EA84795", "zero-went@client.example",
            [("erin@here.example", [])], timeout=0),
    tracked("38D4EA84796", "aliases@client.example", [
        ("team@here.example", ["ORCPT=rfc822;Team@here.example"]),
        ("boss@here.example", []),
    ]),
    tracked("38D4EA84797", "handed@client.example", [
        ("gina@next.example", ["ORCPT=rfc822;gina@next.example"])]),
    tracked("38D4EA84798", "spelt@client.example", [
        ("Erin.Smith@Here.Example", []),
        ("fax@here.example", ["ORCPT=X-Fax;+2B49+20(30)+20123"]),
        ("long@here.example",
         ["ORCPT=rfc822;" + "+20".join(["twelve-octet"] * 30)]),
    ]),
    tracked("38D4EA84799", "odd-status@client.example",
            [("erin@here.example", [])]),
]
# by mtrk-gate, to a host that tracks
HANDED = {"handed@client.example": "mx.next.example"}


def log_lines():
    stamp = time.strftime("%b %e %H:%M:%S")

    def line(qid, daemon, to, relay, dsn, said):
        return ("%s mx postfix/%s[99]: 38D4EA847%s: to=%s, relay=%s, delay=1, "
                "delays=0/0/1/0, dsn=%s, status=%s"
                % (stamp, daemon, qid, to, relay, dsn, said))

    mailbox = "sent (delivered to mailbox)"
    return [
        line("81", "local", "<alice@here.example>", "local", "2.0.0", mailbox),
        line("81", "smtp", "<bob@far.example>", "mx.far.example[192.0.2.1]:25",
             "2.0.0", "sent (250 ok)"),
        line("81", "smtp", "<carol@slow.example>",
             "mx.slow.example[192.0.2.2]:25", "4.2.0", "deferred (host "
             "mx.slow.example[192.0.2.2] said: 450 4.2.0 later)"),
        line("81", "smtp", "<dave@gone.example>",
             "mx.gone.example[192.0.2.3]:25", "5.1.1", "bounced (host "
             "mx.gone.example[192.0.2.3] said: 550 5.1.1 unknown)"),
        line("89", "local", "<caf\u00e9@here.example>", "local", "2.0.0", mailbox),
        line("95", "local", "<erin@here.example>", "local", "2.0.0", mailbox),
        line("96", "local", "<one@here.example>, orig_to=<team@here.example>",
             "local", "2.0.0", mailbox),
        line("96", "local", "<two@here.example>, orig_to=<team@here.example>",
             "local", "2.0.0", mailbox),
        line("96", "smtp", "<private@far.example>, orig_to=<boss@here.example>",
             "mx.far.example[192.0.2.1]:25", "2.0.0", "sent (250 ok)"),
        line("99", "lmtp", "<erin@here.example>", "mx.example.org[private/lmtp]",
             "2.1.9", "sent (250 2.1.9 Saved)"),
    ]
