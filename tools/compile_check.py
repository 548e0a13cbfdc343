"""Compiles one file without making code of it, and notes the outcome as JSON: a finding for the tests to report, never a
broken build.   compile_check.py --build FOLDER --like FILE --result FILE --depfile FILE [OPTIONS] KIND NAME [SOURCE]

KIND is
  header      a header, included as <NAME> by an otherwise empty file, must compile
  static      SOURCE must compile
  fail        SOURCE must compile with -DCONTROL; without it, it must fail, and the compiler's output must show the text
              of every line `// expect: TEXT` at the top of SOURCE
  precompile  SOURCE, a header, is precompiled into the result, HEADER.gch; the result is empty where that fails

The compiler and its flags are those of FILE (by the end of its path) in the compile_commands.json of FOLDER; each option
--flag=FLAG adds one. With --precompiled HEADER.gch, what is compiled includes that header first, unless the file is empty.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess

DROPPED = ("-fdiagnostics-color", "-fsanitize", "-fno-sanitize", "-g")
DROPPED_WITH_VALUE = ("-o", "-MF", "-MQ", "-MT", "-include-pch")
DROPPED_ALONE = ("-c", "-MD", "-MMD")


def command_like(build, source):
    """The compiler and flags that compile `source`, without its input, its outputs and what only costs time here."""
    entries = json.loads((build / "compile_commands.json").read_text())
    entry = next(entry for entry in entries if entry["file"].endswith(source))
    words = iter(shlex.split(entry["command"]))
    command = []
    for word in words:
        if word in DROPPED_WITH_VALUE:
            next(words)
        elif word not in DROPPED_ALONE and not word.startswith(DROPPED) and word != entry["file"]:
            command.append(word)
    return command + ["-fdiagnostics-color=never"]


def shown(output):
    """Both readings of the compiler's output: as it is, and with the string literals of each line joined.

    The library writes a message as a list of short strings in template arguments, so that no compiler shortens it:
    {fixed_string<9>{"Linear<1"}, fixed_string<6>{"28, 10"}}.
    """
    joined = []
    for line in output.splitlines():
        pieces = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
        joined.append(re.sub(r"\\(.)", r"\1", "".join(pieces)))
    return output + "\n" + "\n".join(joined)


def expectations(source):
    texts = []
    for line in source.read_text().splitlines():
        if not line.startswith("//"):
            break
        match = re.match(r"//\s*expect:\s*(.*\S)", line)
        if match:
            texts.append(match.group(1))
    return texts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--like", required=True)
    parser.add_argument("--result", type=pathlib.Path, required=True)
    parser.add_argument("--depfile", required=True)
    parser.add_argument("--flag", action="append", default=[])
    parser.add_argument("--precompiled", type=pathlib.Path)
    parser.add_argument("kind", choices=("header", "static", "fail", "precompile"))
    parser.add_argument("name")
    parser.add_argument("source", type=pathlib.Path, nargs="?")
    options = parser.parse_args()

    command = command_like(options.build, options.like) + options.flag
    if options.precompiled and options.precompiled.stat().st_size:
        command += ["-include", str(options.precompiled.with_suffix(""))]
    # the ends of quotes in the compiler's output are plain ones in the C locale
    environment = {**os.environ, "LC_ALL": "C"}

    def compiled(*arguments, text=None):
        run = subprocess.run(
            command + list(arguments),
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
        )
        return run.returncode == 0, run.stdout

    depend = ["-MD", "-MF", options.depfile, "-MT", str(options.result)]
    check = ["-fsyntax-only", str(options.source)]
    if options.kind == "precompile":
        ok, output = compiled("-x", "c++-header", str(options.source), "-o", str(options.result), *depend)
    elif options.kind == "header":
        ok, output = compiled("-fsyntax-only", "-x", "c++", "-", *depend, text=f"#include <{options.name}>\n")
        problem = "does not compile alone"
    elif options.kind == "static":
        ok, output = compiled(*check, *depend)
        problem = "does not compile"
    else:
        ok, output = compiled(*check, "-DCONTROL", *depend)
        problem = "the control does not compile"
        if ok:
            failed, output = compiled(*check)
            failed = not failed
            readable = shown(output)
            missing = [text for text in expectations(options.source) if text not in readable]
            if not failed:
                ok, problem = False, "compiles, though it must not"
            elif not expectations(options.source):
                ok, problem = False, "says nothing of the message it expects (// expect: TEXT)"
            elif missing:
                ok, problem = False, "the compiler's output does not show: " + " | ".join(missing)
    if not os.path.exists(options.depfile):
        # a compiler that failed names no headers: what depends on a file that never exists is made again each time
        pathlib.Path(options.depfile).write_text(f"{options.result}: {options.result}.never\n")
    if options.kind != "precompile":
        result = {"name": options.name, "ok": ok, "problem": "" if ok else problem}
        result["output"] = "" if ok else "\n".join(output.splitlines()[:60])
        options.result.write_text(json.dumps(result, indent=1) + "\n")
    elif not ok:
        print(output)
        options.result.write_bytes(b"")


main()
