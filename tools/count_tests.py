"""Names what failed or was skipped in a run of `meson test` and counts: its last line is `N passed, N failed`, with
`, N skipped` if any was.   count_tests.py BUILD/meson-logs/testlog.json [built | broken]

Before that, a line for each tier of the tests of GPUs (docs/gpu.md) says whether it ran.
A test that speaks TAP counts with each of its lines, any other one as one. The exit status is 0 if something passed and
nothing failed. A second argument `broken` says that the build failed, which is one more failure.
"""

import json
import pathlib
import re
import sys

# what each tier of the tests of GPUs needs beside a compiler; the build puts tests into suites gpu-tier-A to gpu-tier-E
TIERS = {
    "A": "graphs, at compile time",
    "B": "numbers, on emulated GPUs",
    "C": "graphs, by cuDNN without a GPU",
    "D": "kernels, by NVRTC without a GPU",
    "E": "numbers, on a GPU",
}
LINE = re.compile(r"(ok|not ok)\b\s*\d*\s*-?\s*((?:[^#\\]|\\.)*)(?:#\s*(SKIP)\w*\s*(.*))?", re.IGNORECASE)


def tiers(tests):
    """A line for each tier that this build has tests of."""
    for tier, what in TIERS.items():
        members = [test for test in tests if "gpu-tier-" + tier in test["name"]]
        reasons = [line[1:].strip() for test in members for line in test.get("stdout", "").splitlines() if line.startswith("#")]
        if any(test["result"] != "SKIP" for test in members):
            yield f"GPU tier {tier} ({what}): ran"
        elif members:
            yield f"GPU tier {tier} ({what}): skipped, {(reasons or ['no reason given'])[0]}"


def main():
    path = pathlib.Path(sys.argv[1])
    tests = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    passed, failures, skips = 0, [], []
    for test in tests:
        suite = re.sub(r"^([\w+-]+ - )?lamina(:[\w+-]+)?( /|:) *", "", test["name"])
        lines = test.get("stdout", "").splitlines()
        reported = failed = 0
        for index, line in enumerate(lines):
            match = LINE.fullmatch(line)
            if not match:
                continue
            reported += 1
            name = suite + ": " + re.sub(r"\\(.)", r"\1", match[2]).strip()
            if match[3]:
                skips.append(f"{name} ({match[4]})" if match[4] else name)
            elif match[1].lower() == "ok":
                passed += 1
            else:
                failed += 1
                details = []
                for detail in lines[index + 1 :]:
                    if not detail.startswith("#"):
                        break
                    details.append(detail[1:])
                failures.append((name, details))
        if test["result"] == "OK":
            passed += reported == 0
        elif test["result"] == "SKIP":
            if not reported and "1..0" not in lines:
                skips.append(suite)
        elif not failed:
            # ended by a signal, the time limit or its own exit status, and no line of its own says so
            details = lines + test.get("stderr", "").splitlines()
            failures.append((f"{suite}: {test['result']}, exit status {test.get('returncode')}", details[-60:]))

    if "broken" in sys.argv[2:]:
        failures.append(("the build (its errors are above)", []))
    for name, details in failures:
        print(f"FAILED  {name}")
        print("".join(f"{line}\n" for line in details), end="")
    for name in skips:
        print(f"skipped  {name}")
    for line in tiers(tests):
        print(line)
    if not tests:
        print("no test ran")
    print(f"{passed} passed, {len(failures)} failed" + (f", {len(skips)} skipped" if skips else ""))
    sys.exit(0 if passed and not failures else 1)


main()
