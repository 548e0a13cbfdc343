"""Builds and runs the small project beside this file against lamina, as a user would, and reports it as TAP.

check_consumer.py --root SOURCE_TREE [--pfr-include FOLDER] --compiler COMPILER...
  as a Meson subproject; and, installed under a temporary prefix, through pkg-config with the compiler alone, with Meson
  and with CMake.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parent / "project"


class Failed(Exception):
    pass


def run(command, environment, folder=None):
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if result.returncode != 0:
        raise Failed(" ".join(map(str, command)) + f": exit status {result.returncode}\n" + result.stdout)
    return result.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--pfr-include", default="")
    parser.add_argument("--compiler", nargs="+", required=True)
    options = parser.parse_args()
    pfr = [f"-Dpfr_include={options.pfr_include}"] if options.pfr_include else []

    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        prefix = scratch / "prefix"
        plain = {**os.environ, "CXX": " ".join(options.compiler)}
        paths = [str(prefix / "share" / "pkgconfig"), os.environ.get("PKG_CONFIG_PATH", "")]
        installed = {**plain, "PKG_CONFIG_PATH": ":".join(path for path in paths if path)}

        def subproject():
            project = scratch / "subproject"
            shutil.copytree(PROJECT, project)
            lamina = project / "subprojects" / "lamina"
            lamina.mkdir(parents=True)
            for name in ("meson.build", "meson_options.txt", "include", "tools", ".deps"):
                if (options.root / name).exists():
                    (lamina / name).symlink_to(options.root / name)
            run(["meson", "setup", "build", *[option.replace("-D", "-Dlamina:") for option in pfr]], plain, project)
            run(["ninja", "-C", "build", "consumer"], plain, project)
            run([project / "build" / "consumer"], plain)

        def install():
            setup = ["meson", "setup", scratch / "build", options.root, f"--prefix={prefix}"]
            run([*setup, "-Dtests=false", "-Dexamples=false", *pfr], plain)
            run(["meson", "install", "-C", scratch / "build"], plain)
            run(["pkg-config", "--exists", "--print-errors", "lamina"], installed)

        def compiler_alone():
            flags = run(["pkg-config", "--cflags", "--libs", "lamina"], installed).split()
            program = scratch / "alone"
            run([*options.compiler, "-std=c++20", PROJECT / "main.cpp", *flags, "-o", program], installed)
            run([program], installed)

        def meson_project():
            run(["meson", "setup", scratch / "meson", PROJECT], installed)
            run(["ninja", "-C", scratch / "meson"], installed)
            run([scratch / "meson" / "consumer"], installed)

        def cmake_project():
            if not shutil.which("cmake"):
                return "cmake is not installed"
            compiler = f"-DCMAKE_CXX_COMPILER={options.compiler[-1]}"
            run(["cmake", "-S", PROJECT, "-B", scratch / "cmake", "-G", "Ninja", compiler], installed)
            run(["ninja", "-C", scratch / "cmake"], installed)
            run([scratch / "cmake" / "consumer"], installed)

        checks = {
            "as a Meson subproject": subproject,
            "installs, and pkg-config finds it": install,
            "installed, the compiler alone": compiler_alone,
            "installed, a Meson project": meson_project,
            "installed, a CMake project": cmake_project,
        }
        print("TAP version 13")
        for number, (name, check) in enumerate(checks.items(), 1):
            try:
                skipped = check()
                print(f"ok {number} - {name}" + (f" # SKIP {skipped}" if skipped else ""), flush=True)
            except Failed as failure:
                print(f"not ok {number} - {name}")
                print("".join(f"#   {line}\n" for line in str(failure).splitlines()), end="", flush=True)
        print(f"1..{len(checks)}")


main()
