#!/usr/bin/env python3
"""account.py -- what became of every message of a storm (mayhem.py), and
whose doing that was.  Pure: records come in, an Account goes out.

What SMTP and an MTA promise under kill -9, with or without a gate in front:

  - what was answered 250 arrives, under the queue id that the answer names;
  - what never saw its last dot, or was refused, does not arrive;
  - a transaction is taken once: all its copies have one queue id;
  - nothing arrives in part;
  - mtrk-gate that is stopped, not killed, loses no answer.

What they can't promise, each accepted only with the record of the very kill
that made it so:

  - an answer that was lost leaves the client to send again what may have been
    taken (RFC 1047).  Not an attempt's own doubling, and counted apart;
  - the MTA hands one queue file on twice, if it is killed between the other
    end's having it and its own noting so: what was killed had that queue file
    open.  (Sendmail: the second time without its body, if it was killed between
    unlinking the message's two files);
  - the MTA refuses what it has queued, if who wrote the queue file is killed
    between naming it and saying so (Postfix: "451 4.3.0 Error: queue file
    write error"): the same evidence, or the MTA's log, for a queue file that
    was closed already.

Run by itself it tests itself.
"""
import collections

# FATE as in kill.py; times in seconds since 1970
Attempt = collections.namedtuple("Attempt", "fate started ended said")
Arrival = collections.namedtuple("Arrival", "name time queue_id whole")
# ids: queue files that it had open, once it was stopped, or that the log says
# it had written
Kill = collections.namedtuple("Kill", "time kind pid ids")
STOP = "stop"  # a Kill's kind that isn't one


class Account:
    def __init__(self, attempts, arrivals, kills):
        self.attempts, self.kills = attempts, kills
        self.copies = collections.defaultdict(list)
        for a in sorted(arrivals, key=lambda a: a.time):
            self.copies[a.name].append(a)
        self.faults, self.counts = [], collections.Counter()
        for name in sorted(set(attempts) | set(self.copies)):
            self.judge(name, self.copies[name])
        self.sent_again()

    def fault(self, what, name, copies):
        self.counts[what] += 1
        near = [a.time for a in copies]
        attempt = self.attempts.get(name)
        if attempt:
            near += attempt.started, attempt.ended
        self.faults.append("%s: %s %s\n%s" % (what, name, attempt, "".join(
            "\t%s\n" % (x,) for x in sorted(
                list(copies) + [k for k in self.kills if near and
                                min(near) <= k.time <= max(near)],
                key=lambda x: x.time))))

    def killed_with(self, queue_id, since, until):
        return any(since <= k.time <= until and queue_id in k.ids for k in self.kills)

    def killed_about(self, attempt):
        """What was meant may have been chosen a moment before it began."""
        return any(attempt.started - 5 <= k.time <= attempt.ended and k.kind != STOP
                   for k in self.kills)

    def judge(self, name, copies):
        attempt = self.attempts.get(name) or Attempt("unsent", 0, 0, "")
        self.counts[attempt.fate] += 1
        self.counts["arrived"] += len(copies)
        if attempt.fate == "yes" and not copies:
            self.fault("lost", name, copies)
        if attempt.fate == "yes" and copies and copies[0].queue_id not in attempt.said.split():
            self.fault("another's answer", name, copies)
        if attempt.fate == "lost" and copies and not self.killed_about(attempt):
            self.fault("answer lost, and nothing was killed", name, copies)
        if attempt.fate == "unsent" and copies:
            self.fault("invented", name, copies)
        if attempt.fate == "no" and copies:
            self.refused(name, attempt, copies)
        if copies and not copies[0].whole:
            self.fault("damaged", name, copies)
        if len({c.queue_id for c in copies}) > 1:
            self.fault("taken twice", name, copies)
        elif len(copies) > 1:
            self.doubled(name, copies)

    def refused(self, name, attempt, copies):
        if self.killed_with(copies[0].queue_id, attempt.started, attempt.ended):
            self.counts["refused by a killed MTA that had it"] += 1
        else:
            self.fault("refused, and arrived", name, copies)

    def doubled(self, name, copies):
        if all(self.killed_with(a.queue_id, a.time, b.time)
               for a, b in zip(copies, copies[1:])):
            self.counts["handed on twice by a killed MTA"] += 1
            self.counts["of these, the second copy without its body"] += not copies[-1].whole
        else:
            self.fault("doubled", name, copies)

    def sent_again(self):
        times = collections.Counter(n.split(".")[0] for n in self.copies if self.copies[n])
        self.counts["sent again, and both arrived (RFC 1047)"] = \
            sum(n > 1 for n in times.values())

    def text(self):
        killed = collections.Counter(k.kind for k in {(k.time, k.kind): k for k in self.kills}.values())
        order = ["yes", "no", "lost", "unsent", "arrived"]
        rest = [what for what in self.counts if what not in order]
        return "%d kills: %s\nanswered 250: %d, otherwise: %d, answer lost: %d, not sent to its end: %d\n%s\n%s" % (
            sum(killed.values()), " ".join("%s %d" % x for x in sorted(killed.items())),
            *(self.counts[f] for f in order[:4]),
            "\n".join("%s: %d" % (what, self.counts[what]) for what in ["arrived"] + rest),
            "".join(self.faults))


def test():
    def faults(fate, copies, kills=((11, {"Q9"}),), kind="local"):
        said = "250 2.0.0 Ok: queued as Q1" if fate == "yes" else "-"
        return sorted(f.partition(":")[0] for f in Account(
            {"1.1": Attempt(fate, 10, 20, said)},
            [Arrival("1.1", t, q, whole) for t, q, whole in copies],
            [Kill(t, kind, 1, ids) for t, ids in kills]).faults)
    once, again, other = (15, "Q1", True), (30, "Q1", True), (30, "Q2", True)
    for want, got in (
            ([], faults("yes", [once])),
            (["lost"], faults("yes", [])),
            (["another's answer"], faults("yes", [other])),
            (["invented"], faults("unsent", [once])),
            (["damaged"], faults("lost", [(15, "Q1", False)])),
            (["taken twice"], faults("lost", [once, other], [(16, {"Q1", "Q2"})])),
            (["doubled"], faults("yes", [once, again])),
            (["doubled"], faults("yes", [once, again], [(16, {"Q2"}), (14, {"Q1"})])),
            ([], faults("yes", [once, again], [(16, {"Q1"})])),
            (["refused, and arrived"], faults("no", [once])),
            (["refused, and arrived"], faults("no", [once], [(21, {"Q1"})])),
            ([], faults("no", [once], [(12, {"Q1"})])),
            ([], faults("lost", [])), ([], faults("lost", [once])),
            (["answer lost, and nothing was killed"], faults("lost", [once], kind=STOP)),
            ([], faults("unsent", []))):
        assert want == got, (want, got)


if __name__ == "__main__":
    test()
