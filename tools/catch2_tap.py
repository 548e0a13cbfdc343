"""Runs a Catch2 program and reports each of its test cases as one TAP line.   catch2_tap.py PROGRAM [ARGS...]

Catch2's own TAP reporter counts assertions; this one counts test cases, skipped ones among them. A crash is a failure
of the case that was running, and the cases after it run all the same.
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree


def escape(name):
    return " ".join(name.split()).replace("\\", "\\\\").replace("#", "\\#")


def text(element, tag):
    return " ".join((element.findtext(tag) or "").split())


def findings(case):
    """What a failed case has to say, in the order it happened."""
    for element in case.iter():
        where = f"{element.get('filename')}:{element.get('line')}: "
        if element.tag == "Section":
            yield "in section: " + element.get("name", "")
        elif element.tag == "Expression" and element.get("success") == "false":
            yield f"{where}{element.get('type')}( {text(element, 'Original')} )"
            yield f"    is: {text(element, 'Expanded')}"
            for kind in ("Exception", "FatalErrorCondition"):
                if element.find(kind) is not None:
                    yield f"    {kind}: {text(element, kind)}"
        elif element.tag in ("Info", "Warning"):
            yield f"{element.tag}: {(element.text or '').strip()}"
        elif element.tag in ("Failure", "Exception", "FatalErrorCondition") and "filename" in element.attrib:
            yield f"{where}{element.tag}: {(element.text or '').strip()}"
        elif element.tag in ("StdOut", "StdErr"):
            yield (element.text or "").strip()


class Report:
    def __init__(self):
        self.count = 0

    def line(self, ok, name, diagnostics=(), skip=None):
        self.count += 1
        suffix = "" if skip is None else f" # SKIP {skip}"
        print(f"{'ok' if ok else 'not ok'} {self.count} - {escape(name)}{suffix}")
        for diagnostic in diagnostics:
            for part in diagnostic.splitlines() or [""]:
                print("#   " + part)
        sys.stdout.flush()

    def case(self, case, output):
        result = case.find("OverallResult")
        name = case.get("name") or "(no name)"
        if result.get("success") != "true":
            crashed = next(case.iter("FatalErrorCondition"), None) is not None
            self.line(False, name, [*findings(case), *(output if crashed else [])])
        elif result.get("skips", "0") != "0":
            reasons = [" ".join((skip.text or "").split()) for skip in case.iter("Skip")]
            self.line(True, name, skip="; ".join(reason for reason in reasons if reason) or "skipped")
        else:
            self.line(True, name)


def all_names(program):
    command = [*program, "--list-tests", "--reporter", "xml"]
    listed = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
    return [case.findtext("Name") for case in ElementTree.fromstring(listed).iter("TestCase")]


def run(program, names, scratch, report):
    """Runs the named cases, or all if `names` is None, and returns the names of those that had their turn."""
    results = os.path.join(scratch, "results.xml")
    output = os.path.join(scratch, "output.txt")
    command = [*program, "--allow-running-no-tests", "--reporter", "xml::out=" + results]
    if names is not None:
        chosen = os.path.join(scratch, "names.txt")
        with open(chosen, "w") as sink:
            sink.writelines('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"\n' for name in names)
        command += ["--input-file", chosen]
    if os.path.exists(results):
        os.remove(results)
    # to a file, not a pipe: a crash must not lose what was printed before
    with open(output, "wb") as sink:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT).returncode
    with open(output, errors="replace") as source:
        tail = source.read().splitlines()[-60:]

    done = []
    finished = running = None
    try:
        for event, element in ElementTree.iterparse(results, events=("start", "end")):
            if event == "start" and element.tag == "TestCase":
                running = element
                done.append(element.get("name"))
            elif event == "end" and element.tag == "TestCase":
                report.case(element, tail)
                running = None
            elif event == "end" and element.tag == "OverallResultsCases":
                finished = element
    except (ElementTree.ParseError, FileNotFoundError):
        pass
    if finished is None:
        name = "starting the tests" if running is None else running.get("name")
        ending = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        report.line(False, name, [f"the program ended with {ending} before its tests did", *tail])
    elif status not in (0, 4) and finished.get("failures") == "0":  # 4: every test case was skipped
        report.line(False, "ending the tests", [f"exit status {status}, though no test case failed", *tail])
    return done


def main():
    wrapper = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))  # an emulator, when the program is another machine's
    program = sys.argv[1:]
    report = Report()
    print("TAP version 13")
    if not os.path.exists(program[0]):
        report.line(False, "building the tests", [program[0] + " is not there"])
    else:
        with tempfile.TemporaryDirectory() as scratch:
            command = [*wrapper, *program]
            done = run(command, None, scratch, report)
            left = [name for name in all_names(command) if name not in done] if done else []
            while left:
                done = run(command, left, scratch, report)
                if not done:
                    break
                left = [name for name in left if name not in done]
    print(f"1..{report.count}")


main()
