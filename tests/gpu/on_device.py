"""Runs a Catch2 program on the GPUs that are there, and reports as catch2_tap.py does; without one no test runs, and a
comment says why.   on_device.py LIBCUDART TOOLS PROGRAM

TOOLS is the folder of catch2_tap.py. Test cases tagged [two] need two GPUs.
"""

import os
import sys

runtime, tools, program = sys.argv[1:]
sys.path.insert(0, tools)
from count_gpus import count_gpus  # noqa: E402

count, reason = count_gpus(runtime)
if count == 0:
    print("TAP version 13\n1..0\n# " + reason)
else:
    os.execv(sys.executable, [sys.executable, tools + "/catch2_tap.py", program, *(["~[two]"] if count == 1 else [])])
