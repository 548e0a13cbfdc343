"""After a build that failed: removes the programs that could not be brought up to date, so that no test runs an old one,
and names them.   drop_stale.py BUILD"""

import json
import pathlib
import subprocess
import sys

build = pathlib.Path(sys.argv[1])
for target in json.loads((build / "meson-info" / "intro-targets.json").read_text()):
    if target["type"] != "executable" or not target["build_by_default"]:
        continue
    program = pathlib.Path(target["filename"][0])
    name = program.relative_to(build.resolve()).as_posix() if program.is_absolute() else str(program)
    dry_run = ["ninja", "-C", str(build), "-n", name]
    if "no work to do" not in subprocess.run(dry_run, stdout=subprocess.PIPE, text=True).stdout:
        program.unlink(missing_ok=True)
        print(f"did not build: {name}")
