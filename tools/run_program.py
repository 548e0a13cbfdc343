"""Runs a program, or says that it is not there: `meson test` itself runs no test at all if one program did not build.
run_program.py PROGRAM [ARGS...]"""

import os
import sys

program = os.path.abspath(sys.argv[1])
if not os.path.exists(program):
    sys.exit(sys.argv[1] + " is not there")
os.execv(program, [program, *sys.argv[2:]])
