"""Generates the golden tests from a manifest of reference cases.   generate.py MANIFEST OUTDIR N_SHARDS [DEVICE]

Writes OUTDIR/golden_0.cpp to golden_{N_SHARDS - 1}.cpp; for DEVICE gpu, OUTDIR/gpu_golden_0.cpp and so on, of what is
computed there: the forwards. A case becomes a model as a C++ type and one TEST_CASE for each
of its checks, `golden/CASE/CHECK`. What the library lacks becomes a failing test that names it; checks that wait for a
later part of the library are skipped by name. The data beside the manifest are read when the tests run.
"""

import json
import os
import pathlib
import re
import struct
import sys

sys.dont_write_bytecode = True  # no __pycache__ in the source tree
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from expressions import class_of, module_of, module_of_text  # noqa: E402
from graphs import Forward  # noqa: E402
from modules import Types, struct_text, tree_of  # noqa: E402
from pytorch_layers import CONTAINERS, LEAVES, Lacking, Stored, local_name, text_literal  # noqa: E402

TRAINING = "training is not in the library yet"

# device -> how forwards are computed on it
READINGS = {"cpu": ("eager", "planned"), "gpu": ("gpu",)}

ELEMENTS = {
    "F64": "double",
    "F32": "float",
    "F16": "lamina::float16",
    "BF16": "lamina::bfloat16",
    "I64": "std::int64_t",
    "I32": "std::int32_t",
    "I16": "std::int16_t",
    "I8": "std::int8_t",
    "U8": "std::uint8_t",
    "BOOL": "bool",
}


def safetensors_header(path):
    """{name: (C++ element type, shape)} of a safetensors file."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    header.pop("__metadata__", None)
    return {name: (ELEMENTS.get(entry["dtype"], entry["dtype"]), entry["shape"]) for name, entry in header.items()}


class Tests:
    """The TEST_CASEs of one case, and how long they take to compile, in units of a layer."""

    def __init__(self, root, used, device="cpu"):
        self.root = root
        self.device = device
        self.used = used
        self.parts = []
        self.weight = 0

    def data(self, path):
        return text_literal(str(self.root / path))

    def unique(self, name, form="{} ({})"):
        """The name, numbered if it is in use already."""
        unique, number = name, 2
        while unique in self.used:
            unique, number = form.format(name, number), number + 1
        self.used.add(unique)
        return unique

    def add(self, name, body):
        self.parts.append(f"TEST_CASE({text_literal(self.unique(name))}) {{ {body} }}")

    def skip(self, name, reason):
        self.add(name, f"golden::skip({text_literal(reason)});")

    def fail(self, name, reason):
        self.add(name, f"golden::fail({text_literal(str(reason))});")


# ---- models


def stored_by_owner(case, nodes, weights, io):
    """Parameters and buffers of modules that are no layers, in the order of the state_dict: {module's path: [Stored]}.

    Gradients tell parameters, values after training tell buffers; what comes before a parameter in its module is one.
    """
    gradients = {name.split(".grad.", 1)[1] for name in io if ".grad." in name}
    after = {name.split(".after.", 1)[1]: of for name, of in io.items() if ".after." in name}
    keys = {}
    for key in case.get("keys", []):
        owner, _, name = key.rpartition(".")
        if owner not in nodes:
            raise Lacking(f"no lamina equivalent of a module in two places: {owner} (key {key})")
        keys.setdefault(owner, []).append(key)
    stored = {}
    for owner, module in nodes.items():
        if module.class_name in LEAVES and not module.children:
            continue
        own = keys.get(owner, [])
        last = max((i for i, key in enumerate(own) if key in gradients), default=-1)
        entries = []
        for i, key in enumerate(own):
            if key not in weights:
                raise Lacking(f"the weights of the case have no {key}")
            kind = "parameter" if i <= last else "buffer"
            entries.append(Stored(key.rpartition(".")[2], kind, *weights[key]))
        for key, of in after.items():
            if key.rpartition(".")[0] == owner and key not in own:
                entries.append(Stored(key.rpartition(".")[2], "transient", *of))
        for entry in entries:
            if entry.element not in ELEMENTS.values():
                raise Lacking(f"no lamina equivalent of a parameter of type {entry.element}")
        if entries:
            stored[owner] = entries
    return stored


class Model:
    """The C++ type of a case's network, and of its forward if the graph can be translated."""

    def __init__(self, case, weights, io):
        self.graph = case.get("graph")
        self.inputs = [io[f"x{i}"] for i in range(len(io)) if f"x{i}" in io]
        self.forward_problem, self.with_numbers = None, False
        if "modules" not in case:  # a function
            self.nodes, self.structs = {}, []
            self.type = self.root_struct("Function", [], {})
            self.layers = len(self.graph)
            return
        self.nodes = tree_of(case["modules"])
        self.layers = len(self.nodes)
        root = self.nodes[""]
        stored = stored_by_owner(case, self.nodes, weights, io)
        called = {node["target"] for node in self.graph if node["op"] == "module"} if self.graph else None
        types = Types(stored, called)
        self.structs = types.structs
        parameters = {f"{owner}.{entry.name}".lstrip("."): entry for owner, own in stored.items() for entry in own}
        if root.class_name in LEAVES and not root.children:
            self.type = types.type_of(root)
            self.check_inputs(root)
        elif root.class_name in CONTAINERS:
            self.type = types.type_of(root)
            others = [m for m in self.nodes.values() if m.class_name not in CONTAINERS and m.class_name not in LEAVES]
            if root.class_name != "Sequential":
                self.forward_problem = f"a {root.class_name} has no forward"
            elif others:  # its children have no forward of their own: the graph is the forward of the whole
                self.type = self.root_struct("Sequential", [], parameters, f" : {self.type}")
            elif self.graph:
                self.translated(parameters)  # for what it refuses; the Sequential chains its children itself
        elif root.children or self.graph:
            self.type = self.root_struct(root.class_name, types.members(root), parameters)
        else:
            raise Lacking(f"no lamina equivalent of class nn.{root.class_name}")

    def check_inputs(self, root):
        chain = [{"op": "input", "out": f"x{i}", "args": []} for i in range(len(self.inputs))]
        chain.append({"op": "module", "out": "y", "args": [f"%x{i}" for i in range(len(self.inputs))], "target": ""})
        self.graph = chain + [{"op": "output", "out": "output", "args": ["%y"]}]
        self.translated({})

    def translated(self, parameters):
        """The call operator, or the reason why there is none."""
        if not self.graph:
            self.forward_problem = "the manifest has no graph of this network"
            return []
        try:
            forward = Forward(self.graph, self.nodes, self.inputs, parameters)
        except Lacking as problem:
            self.forward_problem = problem
            return []
        self.with_numbers = forward.with_numbers
        return forward.text()

    def root_struct(self, name, members, parameters, base=""):
        self.structs.append(struct_text(name + base, members, self.translated(parameters)))
        return name


# ---- cases


def golden_case(case, tests):
    """Kinds layer and net, and what can be compared of kind train."""
    name, checks = case["name"], case["check"]
    space = tests.unique("case_" + local_name(name), "{}_{}")
    weights = safetensors_header(tests.root / case["weights"]) if "weights" in case else {}
    io = safetensors_header(tests.root / case["io"]) if "io" in case else {}
    try:
        model, problem = Model(case, weights, io), None
    except Lacking as lacking:
        model, problem = None, lacking
    if model:
        tests.parts.append("\n".join([f"namespace {space} {{", *model.structs, f"using Net = {model.type};", "}"]))
        tests.weight += model.layers

    def test(check, body, reason=None):
        if tests.device == "gpu" and not check.startswith("forward/"):
            return
        if problem or reason:
            tests.fail(f"golden/{name}/{check}", problem or reason)
        else:
            tests.add(f"golden/{name}/{check}", body)

    net = f"{space}::Net"
    weights_path = tests.data(case["weights"]) if "weights" in case else "nullptr"
    entries = case.get("files", []) if "load" in checks else []
    for file in entries + ([{"path": case["weights"], "kind": "state_dict"}] if "weights" in case else []):
        check = f"load/{os.path.basename(file['path'])}"
        wrapped = saved_by_data_parallel(tests.root, file, case["keys"])
        loaded, prefix = (f"lamina::DataParallel<{net}>", ', "module."') if wrapped else (net, "")
        test(check, f"golden::check_load<{loaded}>({tests.data(file['path'])}, {weights_path}{prefix});")
    if "keys" in case:
        keys = text_literal("".join(key + "\n" for key in case["keys"]))
        test("keys", f"golden::check_keys(lamina::state_dict_keys<{net}>, {keys});")
    if "repr" in checks:
        if "repr" in case:
            test("repr", f"golden::check_text_of_file(lamina::to_string({net}()), {tests.data(case['repr'])});")
        else:
            test("repr", f"golden::check_text(lamina::to_string({net}()), {text_literal(case['repr_text'])});")
    if "forward" in checks:
        forward(case, tests, test, model, net, weights_path)
    for check in ("grad", "losses", "final"):
        if check in checks and tests.device == "cpu":
            tests.skip(f"golden/{name}/{check}", TRAINING)


def forward(case, tests, test, model, net, weights_path):
    name = case["name"]
    if "eval" in case["modes"]:
        arguments = f"{weights_path}, {tests.data(case['io'])}, {case['tol']!r}"
        specs = "".join(f", {spec(element, shape)}" for element, shape in model.inputs) if model else ""
        for reading in READINGS[tests.device]:
            reason = model.forward_problem if model else None
            body = f"golden::check_{reading}<{net}{specs}>({arguments});"
            if model and model.with_numbers:
                body = f"golden::with_numbers([](auto) {{ {body} }});"
            test(f"forward/{reading}", body, reason)
        tests.weight += 12 + 2 * (model.layers if model else 0)
    for mode in case["modes"]:
        if mode != "eval" and tests.device == "cpu":
            tests.skip(f"golden/{name}/forward/{mode}", TRAINING)


def spec(element, shape):
    """How compile<...> names an input."""
    extents = f"lamina::Shape<{', '.join(map(str, shape))}>"
    return extents if element == "float" else f"lamina::Tensor<{element}, {extents}>"


def saved_by_data_parallel(root, file, keys):
    """Whether the names in a file begin with the prefix of DataParallel, `module.`, which the case's keys lack."""
    data = (root / file["path"]).read_bytes()
    return bool(keys) and (b"torch.nn.parallel.data_parallel" in data or f"module.{keys[0]}".encode() in data)


def tensors_case(case, tests):
    keys = text_literal("".join(key + "\n" for key in case["keys"]))
    for file in case["files"]:
        name = f"golden/{case['name']}/{os.path.basename(file['path'])}"
        optional = file.get("optional", case.get("optional", False))
        arguments = [tests.data(file["path"]), tests.data(case["weights"]), keys, "true" if optional else "false"]
        tests.add(name, f"golden::check_tensors({', '.join(arguments)});")


def repr_case(case, tests):
    for row in json.loads((tests.root / case["file"]).read_text(encoding="utf-8")):
        name = f"golden/{case['name']}/{row['expr']}"
        try:
            module = module_of(row["expr"])
            text = Types({}, None).type_of(module)
        except Lacking as problem:
            tests.skip(name, f"{class_of(row['expr'])}: {problem}")
        else:
            tests.add(name, f"golden::check_text(lamina::to_string({text}()), {text_literal(row['repr'])});")
            tests.weight += 1


def hostile_case(case, tests):
    canary = text_literal(case.get("canary_dir", ""))
    for file in case["files_hostile"]:
        optional = "false" if file["expect"] == "refuse" else "true"
        body = f"golden::check_refused({tests.data(file['path'])}, {optional}, {canary});"
        tests.add(f"golden/{case['name']}/{os.path.basename(file['path'])}", body)


def strict_case(case, tests):
    """A strict load lists the names that PyTorch lists."""
    missing, unexpected = case["missing"] or [], case["unexpected"] or []
    mismatched = re.findall(r"size mismatch for (\S+):", case["message"])
    names = ", ".join(text_literal("".join(name + "\n" for name in each)) for each in (missing, unexpected, mismatched))
    for file in case["files"]:
        name = f"golden/{case['name']}/{os.path.basename(file['path'])}"
        try:
            net = Types({}, None).type_of(module_of_text(case["net_repr"]))
        except Lacking as lacking:
            tests.fail(name, lacking)
        else:
            tests.add(name, f"golden::check_strict<{net}>({tests.data(file['path'])}, {names});")
            tests.weight += 4


KINDS = {
    "layer": golden_case,
    "net": golden_case,
    "train": golden_case,
    "tensors": tensors_case,
    "repr": repr_case,
    "strict": strict_case,
    "hostile": hostile_case,
}


def is_computed(case):
    return case["kind"] in ("layer", "net", "train") and "forward" in case["check"] and "eval" in case["modes"]


def tests_of(case, root, used, device):
    tests = Tests(root, used, device)
    tests.parts.append(f"\n// ---- {case['name']}" + (f": {case['expr']}" if "expr" in case else ""))
    try:
        if case["kind"] not in KINDS:
            raise Lacking(f"no test of cases of kind {case['kind']}")
        KINDS[case["kind"]](case, tests)
    except Lacking as problem:
        tests.fail(f"golden/{case['name']}", problem)
    except (LookupError, OSError, TypeError, ValueError) as problem:
        tests.fail(f"golden/{case['name']}", f"no test can be made of this case: {type(problem).__name__}: {problem}")
    return tests


def shards_of(all_tests, count):
    """Shards of like weight: the heaviest cases first, each into the lightest shard."""
    shards = [[0, number, []] for number in range(count)]
    for tests in sorted(all_tests, key=lambda tests: -tests.weight):
        lightest = min(shards)
        lightest[0] += tests.weight
        lightest[2].append(tests)
    return [shard[2] for shard in shards]


def main():
    manifest, outdir, count = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    device = sys.argv[4] if len(sys.argv) > 4 else "cpu"
    used = set()
    cases = json.loads(manifest.read_text(encoding="utf-8"))["cases"]
    if device == "gpu":
        cases = [case for case in cases if is_computed(case)]
    prefix, header = {"cpu": ("golden", "golden.hpp"), "gpu": ("gpu_golden", "golden_gpu.hpp")}[device]
    all_tests = [tests_of(case, manifest.parent, used, device) for case in cases]
    for number, shard in enumerate(shards_of(all_tests, count)):
        parts = [f'#include "{header}"'] + [part for tests in shard for part in tests.parts]
        (outdir / f"{prefix}_{number}.cpp").write_text("\n".join(parts) + "\n", encoding="utf-8")


main()
