"""rounds.py -- what turns.sh wrote into the folder sys.argv[1], NAME.KIND: a
line a round, messages in 1000 s."""
import statistics
import sys


def rounds(name):
    with open(sys.argv[1] + "/" + name) as f:
        return [float(line) / 1000 for line in f]


def rate(name):
    """Messages a second."""
    return statistics.median(rounds(name))


def ratio(name, peer):
    """Of those of one round."""
    return statistics.median(a / b for a, b in zip(rounds(name), rounds(peer)))
