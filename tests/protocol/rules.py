#!/usr/bin/env python3
"""Every rule of `rules` is cited by a test, else this fails.

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
CITATION = re.compile(r"^\s*(?:#|/\*|\*|\"\"\")\s*(%s(?:, %s)*): (.*)$"
                      % (RULE, RULE))
WORDS_MIN = 3  # fewer don't say what is seen


def read_rules():
    """{id: title}; those without anything to see have None."""
    rules = {}
    with open(TESTS + "/protocol/rules") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, title = line.split(None, 1)
                assert name not in rules, name + " stands there twice"
                rules[name] = None if title.startswith("- ") else title.strip()
    return rules


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


def main(argv):
    rules, cited = read_rules(), {}
    for rule, path, number, seen in citations():
        cited.setdefault(rule, []).append((path, number, seen))
    wrong = ["%s: no such rule: %s:%d" % (rule, *cited[rule][0][:2])
             for rule in cited if rule not in rules]
    wrong += ["%s: cited, though there is nothing to see: %s:%d"
              % (rule, *cited[rule][0][:2])
              for rule in rules if rules[rule] is None and rule in cited]
    wrong += ["%s: no test cites it: %s" % (rule, title)
              for rule, title in rules.items() if title and rule not in cited]
    for rule, title in rules.items() if argv == ["--table"] else ():
        names = sorted({c[0].removeprefix("protocol/")
                        for c in cited.get(rule, ())})
        print("%-4s %s" % (rule, " ".join(names) if title else "-"))
    for rule in argv if argv != ["--table"] else ():
        for c in cited.get(rule, ()):
            print("%s: %s:%d: %s" % (rule, *c))
    for line in wrong:
        print(line, file=sys.stderr)
    if not argv and not wrong:
        print("%d rules, %d with nothing to see, %d citations" % (
            len(rules), sum(t is None for t in rules.values()),
            sum(map(len, cited.values()))))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
