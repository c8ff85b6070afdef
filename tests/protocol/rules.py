#!/usr/bin/env python3
"""Every rule of `rules` is cited by a test of each side that it binds, else
this fails.

    rules.py            check
    rules.py --table    the rules and the tests that cite them
    rules.py ID...      where these are cited, and what is seen there

A citation is a comment's line in a test: "Q15: the greeting carries /MTQP",
or "Q15, A50: ...": the rules and what is seen."""
import glob
import os
import re
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLACES = ("protocol/*.t", "protocol/*/*.t", "protocol/*.py", "unit/*.c",
          "e2e/*.sh")
RULE = r"[QTA]\d+[a-z]?"
CITATION = re.compile(r"^\s*(?:#|/\*|\*|\"\"\")?\s*(%s(?:, %s)*): (.*)$"
                      % (RULE, RULE))
WORDS_MIN = 3  # fewer don't say what is seen
# Tests of who asks; all others are of who answers.
CLIENT = re.compile(r"protocol/track/|unit/test_(uri|discover|dns|follow_hops|"
                    r"known_servers|letter|timeline|token|track_conf|wallet)"
                    r"\.|e2e/(discovery|neomutt|send-fails|tls-remembered)\.")
BOTH = re.compile(r"unit/test_(tstat|status|when|encode)\.")  # read and write


def read_rules():
    """{id: (sides, title)}; sides "-": there is nothing to see."""
    rules = {}
    with open(TESTS + "/protocol/rules") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, sides, title = line.strip().split(None, 2)
                assert name not in rules, name + " stands there twice"
                assert sides in ("s", "c", "sc", "-"), line
                rules[name] = sides, title
    return rules


def sides_of(path):
    if BOTH.search(path):
        return "sc"
    return "c" if CLIENT.search(path) else "s"


def citations():
    """(rule, file, line number, what is seen)"""
    for place in PLACES:
        for path in sorted(glob.glob(TESTS + "/" + place)):
            with open(path, encoding="utf-8") as f:
                for number, line in enumerate(f, 1):
                    m = CITATION.match(line)
                    if m and len(m[2].split()) >= WORDS_MIN:
                        for rule in m[1].split(", "):
                            yield (rule, os.path.relpath(path, TESTS), number,
                                   m[2].removesuffix("*/").strip())


def faults(rules, cited):
    for rule, places in cited.items():
        if rule not in rules:
            yield "%s: no such rule: %s:%d" % (rule, *places[0][:2])
        elif rules[rule][0] == "-":
            yield "%s: there is nothing to see: %s:%d" % (rule, *places[0][:2])
    for rule, (sides, title) in rules.items():
        seen = "".join(sides_of(c[0]) for c in cited.get(rule, ()))
        for side in sides.strip("-"):
            if side not in seen:
                yield "%s: no test of the %s cites it: %s" % (
                    rule, {"s": "server", "c": "client"}[side], title)


def print_table(rules, cited):
    for rule, (sides, title) in rules.items():
        names = sorted({c[0].removeprefix("protocol/")
                        for c in cited.get(rule, ())})
        print("%-4s %-2s %s" % (rule, sides, " ".join(names) or title))


def main(argv):
    rules, cited = read_rules(), {}
    for rule, path, number, seen in citations():
        cited.setdefault(rule, []).append((path, number, seen))
    if argv == ["--table"]:
        print_table(rules, cited)
        return 0
    for rule in argv:
        for c in cited.get(rule, ()):
            print("%s: %s:%d: %s" % (rule, *c))
    wrong = list(faults(rules, cited))
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    if not argv and not wrong:
        print("%d rules, %d with nothing to see, %d citations" % (
            len(rules), sum(r[0] == "-" for r in rules.values()),
            sum(map(len, cited.values()))))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
