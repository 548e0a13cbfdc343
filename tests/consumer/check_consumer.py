"""Builds and runs the small project beside this file against lamina, as a user would, and reports it as TAP.

check_consumer.py --root SOURCE_TREE [--pfr-include FOLDER] [--gpu-toolkit FOLDER] (--cudart LIBCUDART | --without-cuda REASON)
  --compiler COMPILER...
  as a Meson subproject; and, installed under a temporary prefix, through pkg-config with the compiler alone, with Meson
  and with CMake. Each way builds a program with lamina and one with lamina-cuda, which without a GPU prints CUDA's reason.
"""

import argparse
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parent / "project"
PROGRAMS = {"consumer": ("lamina", "main.cpp"), "consumer_cuda": ("lamina-cuda", "cuda.cpp")}


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
    parser.add_argument("--gpu-toolkit", default="")
    cuda = parser.add_mutually_exclusive_group(required=True)
    cuda.add_argument("--cudart")
    cuda.add_argument("--without-cuda")
    parser.add_argument("--compiler", nargs="+", required=True)
    options = parser.parse_args()
    lamina_options = {"pfr_include": options.pfr_include, "gpu_toolkit": options.gpu_toolkit}
    sys.path.insert(0, str(options.root / "tools"))
    from count_gpus import count_gpus

    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        prefix = scratch / "prefix"
        plain = {**os.environ, "CXX": " ".join(options.compiler)}
        paths = [str(prefix / "share" / "pkgconfig"), os.environ.get("PKG_CONFIG_PATH", "")]
        installed = {**plain, "PKG_CONFIG_PATH": ":".join(path for path in paths if path)}

        def settings(prefix):
            return [f"-D{prefix}{name}={value}" for name, value in lamina_options.items() if value]

        def install():
            setup = ["meson", "setup", scratch / "build", options.root, f"--prefix={prefix}"]
            run([*setup, "-Dtests=false", "-Dexamples=false", *settings("")], plain)
            run(["meson", "install", "-C", scratch / "build"], plain)
            run(["pkg-config", "--exists", "--print-errors", "lamina"], installed)

        # Each way returns the program of a name.

        def subproject(name):
            project = scratch / "subproject"
            build = project / "build"
            if not project.exists():
                shutil.copytree(PROJECT, project)
                lamina = project / "subprojects" / "lamina"
                lamina.mkdir(parents=True)
                for part in ("meson.build", "meson_options.txt", "include", "tools", ".deps"):
                    if (options.root / part).exists():
                        (lamina / part).symlink_to(options.root / part)
                run(["meson", "setup", build, *settings("lamina:")], plain, project)
            run(["ninja", "-C", build, name], plain)
            return build / name

        def compiler_alone(name):
            dependency, source = PROGRAMS[name]
            flags = run(["pkg-config", "--cflags", "--libs", dependency], installed).split()
            program = scratch / name
            run([*options.compiler, "-std=c++20", PROJECT / source, *flags, "-o", program], installed)
            return program

        def meson_project(name):
            build = scratch / "meson"
            if not build.exists():
                run(["meson", "setup", build, PROJECT], installed)
            run(["ninja", "-C", build, name], installed)
            return build / name

        def cmake_project(name):
            build = scratch / "cmake"
            if not build.exists():
                compiler = f"-DCMAKE_CXX_COMPILER={options.compiler[-1]}"
                run(["cmake", "-S", PROJECT, "-B", build, "-G", "Ninja", compiler], installed)
            run(["ninja", "-C", build, name], installed)
            return build / name

        def check(way, name):
            if way is cmake_project and not shutil.which("cmake"):
                return "cmake is not installed"
            reason = ""
            if name == "consumer_cuda":
                if options.without_cuda:
                    return options.without_cuda
                reason = count_gpus(options.cudart)[1]
            output = run([way(name)], plain)
            if reason not in output or bool(reason) != bool(output):
                raise Failed(f"{name} prints '{output}', not '{reason}'")

        checks = {"installs, and pkg-config finds it": install}
        for title, way in {
            "as a Meson subproject": subproject,
            "installed, the compiler alone": compiler_alone,
            "installed, a Meson project": meson_project,
            "installed, a CMake project": cmake_project,
        }.items():
            for name, (dependency, _) in PROGRAMS.items():
                checks[f"{dependency} {title}"] = functools.partial(check, way, name)
        print("TAP version 13")
        for number, (title, run_check) in enumerate(checks.items(), 1):
            try:
                skipped = run_check()
                print(f"ok {number} - {title}" + (f" # SKIP {skipped}" if skipped else ""), flush=True)
            except Failed as failure:
                print(f"not ok {number} - {title}")
                print("".join(f"#   {line}\n" for line in str(failure).splitlines()), end="", flush=True)
        print(f"1..{len(checks)}")


main()
