#!/bin/bash
# mtrk-collect is killed MTRK_KILLS times, at random, while its log is written
# and rotated: byte for byte what an undisturbed reading gives.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
exec "$(dirname "$0")/../lab/storm.py" "$bin" kills "${MTRK_KILLS:-40}"
