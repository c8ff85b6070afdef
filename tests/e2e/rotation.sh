#!/bin/bash
# A log rotated in every way while it is written and followed, MTRK_ROTATIONS
# times each: nothing lost, nothing doubled.
bin=${MTRK_BIN_DIR:-$(dirname "$0")/../../build/bin}
exec "$(dirname "$0")/../lab/storm.py" "$bin" rotations "${MTRK_ROTATIONS:-10}"
