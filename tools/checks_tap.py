"""Reports results of compile_check.py as TAP.   checks_tap.py RESULT..."""

import json
import pathlib
import sys

print("TAP version 13")
for number, path in enumerate(sys.argv[1:], 1):
    result = json.loads(pathlib.Path(path).read_text())
    print(f"{'ok' if result['ok'] else 'not ok'} {number} - {result['name']}")
    if not result["ok"]:
        for line in [result["problem"], *result["output"].splitlines()]:
            print("#   " + line)
print(f"1..{len(sys.argv) - 1}")
