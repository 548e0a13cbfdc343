"""Measures seconds and memory of compiling with lamina, and writes results.json beside this file.

measure.py --flags FLAGS [--cuda FLAGS] [--compilers NAMES] [--only TEXT] [--runs N] [--output FILE]

Each program is compiled to an object N times with each compiler that is there; the table has the medians of processor
seconds (user and system together), of peak memory, and the size of the object.
"""

import argparse
import datetime
import json
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

OPTIMISATION = "-std=c++20 -O2 -march=native"

ENGINE = """#include <lamina.hpp>
using namespace lamina;
int main() {{
  models::{model} net;
  load(net, "weights.pth");
  auto engine = compile<Shape<{shape}>>(net);
  Tensor<float, Shape<{shape}>> x;
  auto y = engine(x);
  return y.data()[0] > 0;
}}
"""

# Every constant that can be asked of a model, in front of its main function.
CHECKS = """using Net = models::ResNet152;
using Picture = Shape<1, 3, 224, 224>;
static_assert(parameter_count<Net> == 60'192'808 && parameter_count<Net, at<"layer3">> == 40'613'888);
static_assert(trainable_parameter_count<Net, frozen<"layer4", "fc.bias">> == 45'227'072);
static_assert(state_dict_keys<Net>.size() == 932 && state_dict_keys<Net>[931] == "fc.bias");
static_assert(std::is_same_v<output_shape<Net, Picture>, Shape<1, 1000>>);
static_assert(std::is_same_v<output_shape<Net, Picture, at<"layer3.35">>, Shape<1, 1024, 14, 14>>);
static_assert(macs<Net, Picture> == 11'513'626'624 && flops<Net, Picture, at<"layer3">> == 16'030'629'888);
static_assert(activation_bytes<Net, Picture, at<"fc">> == 4000 && activation_bytes<Net, Picture> < 350'000'000);
static_assert(depth<Net, Picture> == 152 && depth<Net, Picture, at<"layer1">> == 10);
static_assert(receptive_field<Net, Picture, at<"layer4">> == ReceptiveField{1451, 1451});
static_assert(structure_difference<Net, models::ResNet50>.view() == "only the first has layer2.4");
static_assert(peak_memory<Net, Picture> < 16_MiB);
static_assert(fits<Net, budget{.parameters = 61'000'000, .macs = 11'600'000'000, .memory = 16_MiB}, Picture>);
"""

PROGRAMS = {
    "an empty file": "",
    "Eigen/Core": "#include <Eigen/Core>\n",
    "lamina.hpp": "#include <lamina.hpp>\n",
    "ResNet-18": ENGINE.format(model="ResNet18", shape="1, 3, 224, 224"),
    "ResNet-34": ENGINE.format(model="ResNet34", shape="1, 3, 224, 224"),
    "ResNet-50": ENGINE.format(model="ResNet50", shape="1, 3, 224, 224"),
    "ResNet-101": ENGINE.format(model="ResNet101", shape="1, 3, 224, 224"),
    "ResNet-152": ENGINE.format(model="ResNet152", shape="1, 3, 224, 224"),
    "ResNet-152 with checks": ENGINE.format(model="ResNet152", shape="1, 3, 224, 224").replace("int main", CHECKS + "int main"),
    "U-Net": ENGINE.format(model="UNet<3, 2>", shape="1, 3, 256, 256"),
}
# With CUDA's headers; the compiler of the system, no nvcc.
CUDA_PROGRAMS = {
    "ResNet-50 on a GPU": PROGRAMS["ResNet-50"]
    .replace("#include <lamina.hpp>\n", "#include <lamina.hpp>\n#include <lamina/cuda.hpp>\n")
    .replace("(net)", "(net, cuda{0})"),
}


def compile_once(command):
    """Seconds and peak kilobytes of the compiler and all it started; None if it failed."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            print("".join(errors.readlines()[:20]), file=sys.stderr)
            return None
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure(compiler, flags, source, runs, scratch):
    program, binary = scratch / "program.cpp", scratch / "program.o"
    program.write_text(source)
    command = [compiler, *shlex.split(OPTIMISATION), *flags, "-c", str(program), "-o", str(binary)]
    results = [compile_once(command) for _ in range(runs)]
    if None in results:
        return None
    return {
        "seconds": round(statistics.median(seconds for seconds, _ in results), 2),
        "megabytes": round(statistics.median(kilobytes for _, kilobytes in results) / 1024),
        "object_kilobytes": round(binary.stat().st_size / 1024),
    }


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--flags", default="", help="include folders")
    parser.add_argument("--cuda", default="", help="include folders of CUDA; none: no programs for GPUs")
    parser.add_argument("--compilers", default="g++ clang++-19", help="names, one string")
    parser.add_argument("--only", default="", help="programs whose name has this text")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent / "results.json")
    options = parser.parse_args()

    compilers = [name for name in options.compilers.split() if shutil.which(name)]
    programs = PROGRAMS | (CUDA_PROGRAMS if options.cuda else {})
    flags = shlex.split(options.flags) + shlex.split(options.cuda)
    names = [name for name in programs if options.only in name]
    report = {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "flags": OPTIMISATION,
        "runs": options.runs,
        "compilers": {},
    }
    print("| seconds / MB / object kB |" + "".join(f" {name} |" for name in compilers))
    print("|---|" + "---|" * len(compilers))
    with tempfile.TemporaryDirectory() as scratch:
        for compiler in compilers:
            version = subprocess.run([compiler, "--version"], stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]
            report["compilers"][compiler] = {"version": version, "programs": {}}
        for name in names:
            row = f"| {name} |"
            for compiler in compilers:
                result = measure(compiler, flags, programs[name], options.runs, pathlib.Path(scratch))
                report["compilers"][compiler]["programs"][name] = result
                row += " failed |" if result is None else " {seconds} / {megabytes} / {object_kilobytes} |".format(**result)
            print(row, flush=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n")
    failed = any(None in compiler["programs"].values() for compiler in report["compilers"].values())
    sys.exit(1 if failed else 0)


main()
