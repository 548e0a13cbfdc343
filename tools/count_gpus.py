"""Prints how many NVIDIA GPUs this machine has; without one the reason, and the exit status is 1.   count_gpus.py LIBCUDART"""

import ctypes
import sys


def count_gpus(runtime):
    """How many there are, and why there is none."""
    cudart = ctypes.CDLL(runtime)
    cudart.cudaGetErrorString.restype = ctypes.c_char_p
    count = ctypes.c_int(0)
    if error := cudart.cudaGetDeviceCount(ctypes.byref(count)):
        return 0, cudart.cudaGetErrorString(error).decode()
    return count.value, "" if count.value else "no GPU"


if __name__ == "__main__":
    number, reason = count_gpus(sys.argv[1])
    print(number or reason)
    sys.exit(0 if number else 1)
