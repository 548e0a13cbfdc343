"""Finds CUDA's headers and libraries, and prints them for Meson, one to a line.   find_cuda.py [FOLDER]

  include FOLDER   of headers that the compiler does not find by itself
  NAME FILE        a library: cudart, cudnn, nvrtc, and nccl if it is there

FOLDER is a CUDA toolkit, or the folder `nvidia` of a Python's site-packages, where the packages nvidia-*-cu13 are. Without
it: $CUDA_HOME, $CUDA_PATH, /usr/local/cuda, the packages of this Python. cuDNN and NCCL may be the system's. The exit status
is 1 if anything but NCCL is missing, and the last line says what.
"""

import glob
import os
import pathlib
import sys
import sysconfig

HEADERS = {"cudart": "cuda_runtime_api.h", "cudnn": "cudnn.h", "nvrtc": "nvrtc.h", "nccl": "nccl.h"}
SYSTEM_HEADERS = [pathlib.Path("/usr/include")]
SYSTEM_LIBRARIES = [pathlib.Path("/usr/lib/x86_64-linux-gnu"), pathlib.Path("/usr/lib/aarch64-linux-gnu"), pathlib.Path("/usr/lib64")]


def below(root, *names):
    """Folders of these names in a toolkit, and in each package beside others."""
    return [pathlib.Path(found) for name in names for found in sorted(glob.glob(f"{root}/{name}") + glob.glob(f"{root}/*/{name}"))]


def header_folder(root, name):
    return next((folder for folder in below(root, "include") + SYSTEM_HEADERS if (folder / name).exists()), None)


def library(root, name):
    """The library of a name; packages of Python have it with its version only."""
    for folder in below(root, "lib64", "lib") + SYSTEM_LIBRARIES:
        for pattern in (f"lib{name}.so", f"lib{name}.so.[0-9]*"):
            if found := sorted(folder.glob(pattern)):
                return found[0]
    return None


def main():
    named = [root for root in sys.argv[1:] if root]
    usual = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda", sysconfig.get_path("purelib") + "/nvidia"]
    roots = named or list(dict.fromkeys(root for root in usual if root))
    root = next((root for root in roots if header_folder(root, HEADERS["cudart"])), None)
    if root is None:
        print(f"no {HEADERS['cudart']} in {' or '.join(roots)}")
        sys.exit(1)
    folders, libraries = [], []
    for name, header in HEADERS.items():
        folder, file = header_folder(root, header), library(root, name)
        if folder and file:
            folders.append(folder)
            libraries.append(f"{name} {file}")
        elif name != "nccl":
            print(f"no {f'lib{name}.so' if folder else header} in {root}")
            sys.exit(1)
    for folder in dict.fromkeys(folders):
        if folder not in SYSTEM_HEADERS:
            print("include", folder)
    print("\n".join(libraries))


main()
