"""The example print writes every reference text, byte for byte and nothing else.   check_print.py PROGRAM FOLDER"""

import difflib
import os
import pathlib
import subprocess
import sys

program, folder = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
texts = sorted(folder.glob("*.txt"))
print("TAP version 13")
for number, path in enumerate(texts, 1):
    expected = path.read_bytes()
    try:
        run = subprocess.run([program, path.stem], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = run.stdout
    except OSError as problem:
        output = str(problem).encode()
    same = output == expected
    print(f"{'ok' if same else 'not ok'} {number} - {path.stem}")
    if not same:
        lines = [text.decode(errors="replace").splitlines() for text in (expected, output)]
        for line in list(difflib.unified_diff(*lines, "expected", "printed", lineterm=""))[:40]:
            print("#   " + line)
print(f"1..{len(texts)}")
