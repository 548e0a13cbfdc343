#!/usr/bin/env python3
"""Writes a PyTorch model as a lamina model with the same names: its checkpoints load, its print is the same.

    from_pytorch.py MODEL.py:factory           a factory, a class or a module of a file
    from_pytorch.py torchvision.models:resnet18
    from_pytorch.py 'unet.py:UNet(3, 2, bilinear=False)' --check 1,3,256,256 --output unet.hpp

Needs PyTorch. The modules are traced by torch.fx in evaluation mode, each class on its own, and become one C++ header.
What has no equivalent is named with its line in the source; then nothing is written and the exit status is 1.
"""

import argparse
import ast
import contextlib
import copy
import dataclasses
import importlib
import importlib.util
import inspect
import itertools
import operator
import os
import pathlib
import re
import sys
import warnings

sys.dont_write_bytecode = True  # no __pycache__ beside the user's files
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))

import torch  # noqa: E402
from cpp_structs import HOLE, REFERENCE, Struct, headers_for, shortened, with_holes, wrap  # noqa: E402
from pytorch_forward import Forward  # noqa: E402
from pytorch_layers import LEAVES, Lacking, Stored, is_identifier, leaf_type, text_literal  # noqa: E402
from torch import fx, nn  # noqa: E402

TORCH = os.path.dirname(torch.__file__) + os.sep

ELEMENTS = {
    torch.float64: "double",
    torch.float32: "float",
    torch.float16: "lamina::float16",
    torch.bfloat16: "lamina::bfloat16",
    torch.int64: "std::int64_t",
    torch.int32: "std::int32_t",
    torch.int16: "std::int16_t",
    torch.int8: "std::int8_t",
    torch.uint8: "std::uint8_t",
    torch.bool: "bool",
}

# ---- where things stand in the source


def users_line(frame):
    """(file, line, column) and instruction of the innermost frame that is not PyTorch's."""
    while frame and (frame.f_code.co_filename.startswith((TORCH, "<")) or frame.f_code.co_filename == __file__):
        frame = frame.f_back
    if not frame:
        return None, 0
    line, _, column, _ = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
    return (frame.f_code.co_filename, line or frame.f_lineno, column or 0), frame.f_lasti


@contextlib.contextmanager
def noting_lines(lines):
    """Notes in `lines` where each module is made: {id of the module: (file, line, column)}."""
    make = nn.Module.__init__

    def init(self, *arguments, **options):
        lines[id(self)] = users_line(sys._getframe(1))[0]
        make(self, *arguments, **options)

    nn.Module.__init__ = init
    try:
        yield
    finally:
        nn.Module.__init__ = make


def line_of(problem):
    """Where an exception left the user's code."""
    line, frame = None, problem.__traceback__
    while frame:
        file = frame.tb_frame.f_code.co_filename
        if not file.startswith((TORCH, "<")) and file != __file__:
            line = (file, frame.tb_lineno, 0)
        frame = frame.tb_next
    return line


def in_place(function):
    return lambda proxy, other: proxy.tracer.create_proxy("call_function", function, (proxy, other), {})


class Proxy(fx.Proxy):
    """Records `x += y` as what it is; fx has it as x + y."""

    __iadd__ = in_place(operator.iadd)
    __isub__ = in_place(operator.isub)
    __imul__ = in_place(operator.imul)
    __itruediv__ = in_place(operator.itruediv)


class Tracer(fx.Tracer):
    """Records one module's forward; its children are single nodes."""

    def proxy(self, node):
        return Proxy(node, self)

    def is_leaf_module(self, module, path):
        return True

    def create_node(self, *arguments, **options):
        node = super().create_node(*arguments, **options)
        node.meta["line"], node.meta["instruction"] = users_line(sys._getframe(1))
        return node


# ---- what a module becomes


def is_container(module):
    """Sequential, ModuleList or ModuleDict, or a class derived from them without a forward of its own."""
    kinds = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
    return any(isinstance(module, kind) and type(module).forward is kind.forward for kind in kinds)


def is_layer(module):
    return type(module).__module__.startswith("torch.nn.") and not is_container(module)


def is_struct(module):
    return not is_container(module) and not is_layer(module)


def structs_of(module):
    """The nearest modules inside that become structs."""
    for child in module.children():
        if is_struct(child):
            yield child
        else:
            yield from structs_of(child)


def options_of(layer):
    """The arguments of the constructor, from the attributes."""
    options = {}
    for name in list(inspect.signature(type(layer).__init__).parameters)[1:]:
        if name == "bias":
            options[name] = getattr(layer, "bias", None) is not None
        elif hasattr(layer, name) and name not in ("device", "dtype"):
            options[name] = getattr(layer, name)
    return options


@dataclasses.dataclass
class Called:
    """What a caller must know of a module."""

    fuses: str = ""
    results: int = 0  # of a tuple
    passes_on: bool = False  # returns its operand
    is_view: bool = False  # of its operand
    in_place: str = ""  # "result": writes its result over its operand; "inside": changes its operand


PRODUCERS = ("Conv2d", "ConvTranspose2d", "Linear")
ACTIVATIONS = ("GELU", "LeakyReLU", "ReLU", "SiLU", "Sigmoid", "Tanh")
FUSES = {**dict.fromkeys(PRODUCERS, "producer"), "BatchNorm1d": "norm", "BatchNorm2d": "norm"}
FUSES.update(dict.fromkeys(ACTIVATIONS, "activation"))

# ---- the model


@dataclasses.dataclass
class Traced:
    """The forward of a module as its callers call it."""

    inputs: list  # names of the arguments that are tensors
    constants: dict  # values of others
    graph: fx.Graph = None
    nodes: list = ()  # the inputs in the graph


class Model:
    """A PyTorch model, translated. `problems`: what has no equivalent."""

    def __init__(self, net, made_at):
        self.net, self.made_at = net, made_at
        self.paths = {module: path for path, module in net.named_modules()}
        self.problems = []
        self.traced = {}  # {module: Traced}
        self.forwards = {}  # {module: Forward}
        self.structs = {}  # {(class, text): Struct}
        self.place = {}  # {module: (Struct, numbers)}
        self.refuse_shared()
        if is_struct(net):
            required = [p for p in inspect.signature(net.forward).parameters.values() if p.default is p.empty]
            self.trace(net, [p.name for p in required], {})
        else:
            self.trace_called(net)
        for _, modules in itertools.groupby(sorted(filter(is_struct, self.paths), key=self.height), self.height):
            for module in modules:
                self.translate(module)
            for struct in self.structs.values():
                struct.name_parameters()
        self.name_structs()

    def report(self, line, path, problem):
        self.problems.append((line, path, str(problem)))

    def height(self, module):
        return 1 + max(map(self.height, structs_of(module)), default=0)

    def refuse_shared(self):
        """One module, or one parameter, in two places."""
        for kind, named in (("module", self.net.named_modules), ("parameter", self.net.named_parameters)):
            first = {}
            for path, each in named(remove_duplicate=False):
                other = first.setdefault(id(each), path)
                if other != path and (kind == "parameter" or each.state_dict()):
                    owner = each if kind == "module" else self.net.get_submodule(path.rpartition(".")[0])
                    line = self.made_at.get(id(owner))
                    self.report(line, path, f"no lamina equivalent of one {kind} in two places: {other} and {path}")

    # ---- tracing, from the root down: the caller says which arguments are tensors

    def trace(self, module, inputs, constants):
        known = self.traced.get(module)
        if known:
            if (known.inputs, known.constants) != (inputs, constants):
                problem = "no lamina equivalent of calls of one module with different arguments"
                self.report(self.made_at.get(id(module)), self.paths[module], problem)
            return
        traced = self.traced[module] = Traced(inputs, constants)
        parameters = inspect.signature(module.forward).parameters.values()
        try:
            if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
                raise Lacking("no lamina equivalent of a forward with * or **")
            concrete = {p.name: constants.get(p.name, p.default) for p in parameters if p.name not in inputs}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                traced.graph = Tracer().trace(module, concrete)
        except Exception as problem:  # whatever the user's code raises on fx's proxies
            line = line_of(problem) or self.line_of_forward(module)
            self.report(line, self.paths[module], f"cannot be traced: {problem}")
            return
        nodes = [node for node in traced.graph.nodes if node.op == "placeholder"]
        traced.nodes = [node for node, p in zip(nodes, parameters) if p.name in inputs]
        for node in traced.graph.nodes:
            if node.op == "call_module":
                self.trace_call(module, node)

    def trace_call(self, module, node):
        child = module.get_submodule(node.target)
        if is_container(child):
            self.trace_called(child)
        elif is_struct(child):
            bound = inspect.signature(child.forward).bind(*node.args, **node.kwargs).arguments
            tensors = [name for name, value in bound.items() if isinstance(value, fx.Node)]
            self.trace(child, tensors, {name: value for name, value in bound.items() if name not in tensors})

    def trace_called(self, container):
        """The children of a Sequential: each gets one tensor."""
        if not isinstance(container, nn.Sequential):
            return
        for child in container.children():
            if is_container(child):
                self.trace_called(child)
            elif is_struct(child):
                self.trace(child, list(inspect.signature(child.forward).parameters)[:1], {})

    # ---- what Forward asks

    @staticmethod
    def line_of_forward(module):
        forward = type(module).forward
        return inspect.getsourcefile(forward), inspect.getsourcelines(forward)[1], 0

    def operands(self, child, node):
        """The tensors that a call passes, in the order of the child's forward."""
        bound = inspect.signature(child.forward).bind(*node.args, **node.kwargs).arguments
        known = self.traced.get(child)
        operands = [value for name, value in bound.items() if not known or name in known.inputs]
        if not all(isinstance(operand, fx.Node) for operand in operands):
            raise Lacking("no lamina equivalent of a call of a module with anything but tensors")
        return operands

    def called(self, child):
        kind = type(child).__name__
        if isinstance(child, nn.Sequential) and is_container(child):
            if not len(child):
                return Called(passes_on=True)
            first, last = self.called(child[0]), self.called(child[-1])
            return Called(results=last.results, in_place="inside" if first.in_place else "")
        if is_container(child):
            raise Lacking(f"no lamina equivalent of a call of nn.{kind}")
        if is_layer(child):
            in_place = getattr(child, "inplace", False) and kind != "Dropout"
            return Called(
                FUSES.get(kind, ""),
                passes_on=kind == "Identity",
                is_view=kind == "Flatten",
                in_place="result" if in_place else "",
            )
        forward = self.forwards.get(child)
        if not forward:
            return Called()
        return Called(results=forward.results, in_place="inside" if forward.changes_input else "")

    def access(self, module, path, target):
        """The C++ expression of a child, parameter or buffer by its dotted path."""
        text = ""
        for name in target.split("."):
            if module is None or is_layer(module):
                raise Lacking(f"no lamina equivalent of using {target} outside its layer")
            if is_container(module):
                position = list(module._modules).index(name)
                index = f"{position}_c" if self.unnamed(module, name, position) else f"{text_literal(name)}_m"
                text = f"{text or '(*this)'}[{index}]"
            elif name.startswith("_tensor_constant"):  # fx's name
                raise Lacking("no lamina equivalent of a tensor that is no input, parameter or buffer")
            elif name not in {**module._parameters, **module._buffers, **module._modules}:
                raise Lacking(f"no lamina equivalent of {target}, which is no parameter, buffer or module")
            else:
                text = f"{text}.{name}" if text else name
            module = module._modules.get(name)
        return text

    # ---- types

    @staticmethod
    def unnamed(container, name, position):
        return name == str(position) and not isinstance(container, nn.ModuleDict)

    def type_of(self, module):
        if is_container(module):
            kind = next(k for k in (nn.Sequential, nn.ModuleList, nn.ModuleDict) if isinstance(module, k)).__name__
            if module._parameters or module._buffers:
                raise Lacking(f"no lamina equivalent of parameters of a {kind}")
            children = []
            for position, (name, child) in enumerate(module._modules.items()):
                of = self.checked_type(child)
                named = not self.unnamed(module, name, position)
                children.append(f"lamina::named<{text_literal(name)}, {of}>" if named else of)
            return f"lamina::{kind}<{', '.join(children)}>"
        if is_layer(module):
            if type(module).__name__ not in LEAVES or not type(module).__module__.startswith("torch.nn.modules."):
                raise Lacking(f"no lamina equivalent of class nn.{type(module).__name__}")
            for parameter in module.parameters():
                if parameter.dtype != torch.float32:
                    raise Lacking(f"no lamina equivalent of a layer of type {parameter.dtype}")
            return with_holes(leaf_type(type(module).__name__, options_of(module)))
        struct, numbers = self.place[module]
        return f"\3{id(struct)}\3{struct.arguments(numbers)}"

    def checked_type(self, module):
        try:
            return self.type_of(module)
        except Lacking as problem:
            self.report(self.made_at.get(id(module)), self.paths.get(module, ""), problem)
            return "void"

    def members(self, module):
        """[(type, name)]: parameters, buffers, children."""
        members = []
        for name, tensor in [*module._parameters.items(), *module._buffers.items()]:
            if tensor is not None:
                kind = "parameter" if name in module._parameters else "buffer"
                kind = "transient" if name in module._non_persistent_buffers_set else kind
                stored = Stored(name, kind, ELEMENTS.get(tensor.dtype, str(tensor.dtype)), list(tensor.shape))
                members.append((stored.declaration().removesuffix(f" {name};"), name))
        members += [(self.checked_type(child), name) for name, child in module._modules.items() if child is not None]
        return members

    def translate(self, module):
        """The struct of a module; its numbers are left open until all modules of its height are known."""
        path = self.paths[module]
        members = self.members(module)
        names = [name for _, name in members]
        for name in names:
            if not is_identifier(name):
                line = self.made_at.get(id(module._modules.get(name)), self.made_at.get(id(module)))
                problem = f"no lamina equivalent of the name {name}: it is a word of C++ or no identifier"
                self.report(line, path, problem)
        forward = []
        traced = self.traced.get(module)
        if traced and traced.graph:
            found = len(self.problems)
            self.forwards[module] = Forward(self, path, module, traced.graph, traced.nodes)
            if len(self.problems) == found:
                forward = ["", *self.forwards[module].lines({*names, type(module).__name__})]
        lines = [f"{of} {name};" for of, name in members] + [f"LAMINA_MEMBERS({', '.join(names)})"] + forward
        numbers = tuple(number for number, _ in HOLE.findall("\n".join(lines)))
        key = (type(module), HOLE.sub("\1\2", "\n".join(lines)))
        struct = self.structs.setdefault(key, Struct(type(module), lines, names))
        if numbers not in struct.instances:
            struct.instances.append(numbers)
        self.place[module] = (struct, numbers)

    def name_structs(self):
        """Block, Block2, ... for structs of one class, in the order of the model."""
        first = [self.place[module][0] for module in self.paths if module in self.place]
        taken = {struct.of.__name__ for struct in first}
        known = set()
        for struct in dict.fromkeys(first):
            base, number = struct.of.__name__, 2
            while struct.name in struct.names or struct.name in (known if struct.name == base else taken):
                struct.name, number = f"{base}{number}", number + 1
            known.add(base)
            taken.add(struct.name)

    # ---- the header

    def header(self, title, space, inputs):
        """The text. inputs: shapes whose results a static_assert compares with PyTorch's."""
        structs = {id(struct): struct for struct in self.structs.values()}
        ordered = {}

        def order(struct):
            if struct not in ordered:
                for each in struct.needs():
                    order(structs[each])
                ordered[struct] = struct.text(structs, space)

        blocks = []
        if is_struct(self.net):
            order(self.place[self.net][0])
            root = self.place[self.net][0].name
        else:
            root, of = "Model", HOLE.sub(r"\1", self.type_of(self.net))
            for each in REFERENCE.findall(of):
                order(structs[int(each)])
            of = REFERENCE.sub(lambda match: structs[int(match[1])].name, of)
            of = shortened(of, {struct.name for struct in structs.values()})
            blocks.append("\n".join(wrap(f"using {root} = {of};")))
        blocks = [*ordered.values(), *blocks]
        if inputs:
            blocks.append(self.checks(root, inputs))
        body = "\n\n".join(blocks)
        includes = "\n".join(f"#include <{header}>" for header in headers_for(body))
        return f"""/// {title} as a lamina model, with PyTorch's names. Written by examples/from_pytorch.py.
#pragma once
{includes}

namespace {space} {{
using namespace lamina;

{body}

}}  // namespace {space}
"""

    def checks(self, root, inputs):
        """What PyTorch says of the model, for the compiler to compare."""
        meta = copy.deepcopy(self.net).to("meta")
        result = meta(*(torch.empty(shape, device="meta") for shape in inputs))
        results = [shape_text(each.shape) for each in (result if isinstance(result, (list, tuple)) else [result])]
        output = results[0] if isinstance(result, torch.Tensor) else f"std::tuple<{', '.join(results)}>"
        of = ", ".join([root, *map(shape_text, inputs)])
        count = f"{sum(parameter.numel() for parameter in self.net.parameters()):,}".replace(",", "'")
        return "\n".join(
            [
                *wrap(f"static_assert(std::is_same_v<output_shape<{of}>, {output}>);"),
                f"static_assert(parameter_count<{root}> == {count});",
            ]
        )


def shape_text(extents):
    return f"Shape<{', '.join(map(str, extents))}>"


# ---- the command


def made(text):
    """(the module that MODEL:FACTORY names, where its modules were made)."""
    source, _, expression = text.rpartition(":")
    if not source:
        raise SystemExit(f"{text}: write FILE.py:factory or module:factory")
    if source.endswith(".py"):
        sys.path.insert(0, str(pathlib.Path(source).resolve().parent))
        spec = importlib.util.spec_from_file_location(pathlib.Path(source).stem, source)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(source)
    call = ast.parse(expression, mode="eval").body
    lines = {}
    with noting_lines(lines):
        if isinstance(call, ast.Call):
            options = {each.arg: ast.literal_eval(each.value) for each in call.keywords}
            net = getattr(module, ast.unparse(call.func))(*map(ast.literal_eval, call.args), **options)
        else:
            net = getattr(module, expression)
            net = net if isinstance(net, nn.Module) else net()
    if not isinstance(net, nn.Module):
        raise SystemExit(f"{text} gives a {type(net).__name__}, no torch.nn.Module")
    return net.eval(), lines


def snake_case(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def write(path, text):
    """All of the file or nothing of it."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def told(problems, source):
    """One line for each problem of each line of the source."""
    paths = {}
    for line, path, problem in problems:
        place = f"{os.path.relpath(line[0])}:{line[1]}" if line else source
        paths.setdefault((place, problem), []).append(path)
    for (place, problem), where in paths.items():
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        yield f"{place}: {where[0] + more + ': ' if where[0] else ''}{problem}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    model = "MODEL.py:factory or package.module:factory, with arguments in parentheses if it takes any"
    check = "assert what an input of this shape gives, and the number of parameters; once for each input"
    parser.add_argument("model", help=model)
    parser.add_argument("--output", type=pathlib.Path, help="the header; without it, standard output")
    parser.add_argument("--name", help="the namespace; without it, the factory's name")
    parser.add_argument("--check", action="append", default=[], metavar="N,C,H,W", help=check)
    options = parser.parse_args()
    shapes = [[int(extent) for extent in shape.split(",")] for shape in options.check]
    space = options.name or snake_case(re.sub(r"\(.*", "", options.model.rpartition(":")[2]))
    if not is_identifier(space):
        parser.error(f"--name: {space} is no identifier of C++")
    net, lines = made(options.model)
    with torch.no_grad():
        model = Model(net, lines)
        text = None if model.problems else model.header(options.model, space, shapes)
    if model.problems:
        print(*told(model.problems, options.model), sep="\n", file=sys.stderr)
        sys.exit(1)
    if options.output:
        write(options.output, text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
