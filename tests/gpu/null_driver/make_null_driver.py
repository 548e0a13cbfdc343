"""Writes the C++ source of a driver without a GPU.   make_null_driver.py NM STUB VERSION OUT

cuDNN offers the engines that it compiles at run time only where it can load a libcuda. This one has every function that
the stub of libcuda has, which CUDA brings along (NM lists them). It says that its version is VERSION (13000 for 13.0)
and that there are no devices; all else answers CUDA_ERROR_NO_DEVICE.
"""

import pathlib
import re
import subprocess
import sys

ANSWERS = {
    "cuInit": "int cuInit(unsigned flags) { (void)flags; return 0; }",
    "cuDriverGetVersion": "int cuDriverGetVersion(int* version) { *version = VERSION; return 0; }",
    "cuDeviceGetCount": "int cuDeviceGetCount(int* count) { *count = 0; return 0; }",
}


def main():
    nm, stub, version, out = sys.argv[1:]
    listed = subprocess.run([nm, "-D", "--defined-only", stub], check=True, capture_output=True, text=True).stdout
    names = sorted(set(re.findall(r" T (cu\w+)", listed)))
    if missing := ANSWERS.keys() - names:
        sys.exit(f"{stub} has no {', '.join(sorted(missing))}")
    functions = [ANSWERS.get(name, f"int {name}(void) {{ return 100; }}") for name in names]
    pathlib.Path(out).write_text("\n".join([f"enum {{ VERSION = {int(version)} }};", 'extern "C" {', *functions, "}", ""]))


main()
