"""Runs a Catch2 program on the GPUs that are there, and reports as catch2_tap.py does; without one no test runs, and a
comment says why.   on_device.py LIBCUDART CATCH2_TAP PROGRAM

Test cases tagged [two] need two GPUs.
"""

import ctypes
import os
import sys

runtime, catch2_tap, program = sys.argv[1:]
cudart = ctypes.CDLL(runtime)
cudart.cudaGetErrorString.restype = ctypes.c_char_p
count = ctypes.c_int(0)
error = cudart.cudaGetDeviceCount(ctypes.byref(count))
if error or count.value == 0:
    print("TAP version 13\n1..0\n# " + (cudart.cudaGetErrorString(error).decode() if error else "no GPU"))
else:
    os.execv(sys.executable, [sys.executable, catch2_tap, program, *(["~[two]"] if count.value == 1 else [])])
