#!/bin/bash
# What neomutt.sh tests, in a real mutt.
MUTT=mutt exec "$(dirname "$0")/neomutt.sh"
