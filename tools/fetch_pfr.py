"""Puts the headers of Boost.PFR into FOLDER/include.   fetch_pfr.py FOLDER

Debian 12 has an older Boost, without names of members. The headers come from the package cmeel-boost of the Python
package index; only boost/pfr is kept of it. The headers are the same for every Python and every machine, so one
archive is named with its hash, whatever this machine is.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

REQUIREMENT = (
    "cmeel-boost==1.90.0 "
    "--hash=sha256:14efe34db660c9aacb61247a7f9ae0ee6d7626ec9a3d89b8b27e62dba6fcaa4d\n"
)
ARCHIVE = ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--platform", "manylinux_2_28_x86_64"]
PREFIX = "cmeel.prefix/include/"


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "requirements.txt").write_text(REQUIREMENT)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *ARCHIVE]
            + ["--dest", str(scratch), "--requirement", str(scratch / "requirements.txt")],
            check=True,
        )
        with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
            for name in wheel.namelist():
                if name.startswith(PREFIX + "boost/pfr") and name.endswith(".hpp"):
                    target = scratch / "include" / name[len(PREFIX) :]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(wheel.read(name))
        # complete before it gets its name, so that an interrupted run leaves nothing half there
        shutil.rmtree(folder / "include", ignore_errors=True)
        (scratch / "include").rename(folder / "include")


main()
