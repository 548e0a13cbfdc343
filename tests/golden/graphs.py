"""The forward of a network, from the operations that torch.fx recorded, as the body of a C++ call operator."""

import dataclasses
import inspect

from modules import access, flattened, rank_of_result
from pytorch_layers import LEAVES, Lacking, leaf_type, local_name, real


@dataclasses.dataclass
class Value:
    """What a node of the graph gives."""

    kind: str  # tensor, parameter, extent (a constant number) or extents (the shape of a tensor)
    text: str
    rank: int = 0
    element: str = "float"


@dataclasses.dataclass
class Statement:
    """One call: `auto result = call of the operands;`, or the return statement."""

    result: str
    call: str  # with X for each operand
    operands: list


# Stands for an operand in the text of a call.
X = "\0"

OPERATIONS = {}


def operation(*names):
    def register(function):
        OPERATIONS.update({name: function for name in names})
        return function

    return register


class Forward:
    """Translates one graph. inputs: (C++ element type, shape) of each; parameters: {path: modules.Stored}."""

    def __init__(self, graph, nodes, inputs, parameters):
        self.nodes, self.inputs, self.parameters = nodes, list(inputs), parameters
        self.root = nodes.get("")
        self.values, self.statements, self.arguments = {}, [], []
        self.with_numbers = False  # whether a tensor and a number meet
        self.needed = set()
        for node in reversed(graph):
            if node["op"] in ("output", "input") or node["out"] in self.needed:
                self.needed.update(references([node["args"], node.get("kwargs", {})]))
        for node in graph:
            if node["op"] in ("output", "input") or node["out"] in self.needed:
                self.node(node)
        if self.inputs:
            raise Lacking(f"the forward takes {len(self.arguments)} inputs, the case has {len(self.inputs)} more")

    # ---- one node

    def node(self, node):
        op, args, kwargs = node["op"], node["args"], node.get("kwargs", {})
        if op == "input":
            if not self.inputs:
                raise Lacking(f"the forward has an input {node['out']}, the case has no values for it")
            element, shape = self.inputs.pop(0)
            value = Value("tensor", local_name(node["out"]), len(shape), element)
            self.arguments.append(value.text)
        elif op == "output":
            self.output(self.resolve(args[0]))
            return
        elif op == "param":
            value = self.parameter(node["target"])
        else:
            self.name = local_name(node["out"])
            args, kwargs = self.resolve(args), self.resolve(kwargs)
            value = self.module(node["target"], args, kwargs) if op == "module" else self.function(op, args, kwargs)
        self.values[node["out"]] = value

    def resolve(self, argument):
        if isinstance(argument, str) and argument.startswith("%"):
            return self.values[argument[1:]]
        if isinstance(argument, list):
            return [self.resolve(each) for each in argument]
        if isinstance(argument, dict):
            return {key: self.resolve(each) for key, each in argument.items()}
        return argument

    def parameter(self, path):
        owner, _, name = path.rpartition(".")
        stored = self.parameters.get(path)
        if stored is None and owner in self.nodes and self.nodes[owner].class_name in LEAVES:
            raise Lacking(f"no lamina equivalent of using {path} outside its layer")
        if stored is None or stored.kind == "transient":
            raise Lacking(f"no values of {path} are in the case")
        return Value("parameter", access(self.root, path), len(stored.shape), stored.element)

    def module(self, path, args, kwargs):
        module = self.nodes.get(path)
        if module is None or not args or kwargs:
            raise Lacking(f"no lamina equivalent of this call of module {path}")
        if module.class_name not in LEAVES:
            raise Lacking(f"no lamina equivalent of class nn.{module.class_name} (module {path})")
        what = f"class nn.{module.class_name}"
        for argument in args[:1]:
            self.require_tensor(argument, what)
        if len(args) > 1:
            self.check_target(what, args[1], module.class_name == "CrossEntropyLoss")
        rank = rank_of_result(module, [argument.rank for argument in args])
        places = ", ".join([X] * len(args))
        return self.call(f"{access(self.root, path)}({places})", args, rank)

    def function(self, name, args, kwargs):
        function = OPERATIONS.get(name)
        if function is None:
            raise Lacking(f"no lamina equivalent of operation {name}")
        try:
            bound = inspect.signature(function).bind(self, *args, **kwargs)
        except TypeError as problem:
            raise Lacking(f"no lamina equivalent of operation {name} with these arguments: {problem}") from None
        self.op = name
        return function(*bound.args, **bound.kwargs)

    def output(self, result):
        results = result if isinstance(result, list) else [result]
        for each in results:
            if not isinstance(each, Value) or each.kind != "tensor":
                raise Lacking("no lamina equivalent of a forward that returns anything but tensors")
        places = ", ".join([X] * len(results))
        self.statements.append(Statement("", f"std::make_tuple({places})" if isinstance(result, list) else X, results))

    # ---- what the operations below are made of

    def call(self, text, operands, rank):
        self.statements.append(Statement(self.name, text, operands))
        return Value("tensor", self.name, rank)

    def lacks(self, what):
        raise Lacking(f"no lamina equivalent of operation {self.op} {what}")

    def require(self, name, value, *allowed):
        if value not in allowed:
            self.lacks(f"with {name}={value!r}")
        return value

    def require_tensor(self, value, what=None):
        what = what or f"operation {self.op}"
        if not isinstance(value, Value) or value.kind != "tensor":
            raise Lacking(f"no lamina equivalent of {what} on anything but a tensor")
        if value.element != "float":
            raise Lacking(f"no lamina equivalent of {what} on elements of type {value.element}")

    def check_target(self, what, target, classes):
        if not isinstance(target, Value) or target.kind != "tensor":
            raise Lacking(f"no lamina equivalent of {what} with a target that is no tensor")
        if target.element != ("std::int64_t" if classes else "float"):
            raise Lacking(f"no lamina equivalent of {what} with targets of type {target.element}")

    def unary(self, text, x, rank=None):
        self.require_tensor(x)
        return self.call(text, [x], x.rank if rank is None else rank)

    def dim(self, value, rank):
        if not isinstance(value, int) or not -rank <= value < rank:
            self.lacks(f"with dim={value!r}")
        return value

    def layer(self, class_name, options, x):
        """A function that the library has as a layer without weights."""
        self.require_tensor(x)
        if x.rank not in LEAVES[class_name][1]:
            self.lacks(f"on an input of {x.rank} dimensions")
        return self.call(f"{leaf_type(class_name, options)}{{}}({X})", [x], x.rank)

    def extent(self, value):
        """An extent as a C++ constant."""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, Value) and value.kind == "extent":
            return value.text
        self.lacks("with extents that are computed from elements")

    def text(self):
        """The C++ statements. A value is moved where it is used last, so that what can be fused is."""
        last = {}
        for i, statement in enumerate(self.statements):
            last.update({operand.text: i for operand in statement.operands if movable(operand)})
        lines = []
        for i, statement in enumerate(self.statements):
            texts = [operand.text if isinstance(operand, Value) else literal(operand) for operand in statement.operands]
            if statement.result:
                for k, operand in enumerate(statement.operands):
                    if movable(operand) and last[operand.text] == i and texts.count(operand.text) == 1:
                        texts[k] = f"std::move({operand.text})"
            pieces = statement.call.split(X)
            call = pieces[0] + "".join(text + piece for text, piece in zip(texts, pieces[1:]))
            lines.append(f"auto {statement.result} = {call};" if statement.result else f"return {call};")
        arguments = ", ".join(("" if name in last else "[[maybe_unused]] ") + "auto " + name for name in self.arguments)
        return [f"constexpr auto operator()({arguments}) const {{"] + ["  " + line for line in lines] + ["}"]


def movable(operand):
    return isinstance(operand, Value) and operand.kind == "tensor"


def literal(number):
    return real(number) + "f"


def references(argument):
    if isinstance(argument, str) and argument.startswith("%"):
        yield argument[1:]
    elif isinstance(argument, (list, dict)):
        for each in argument.values() if isinstance(argument, dict) else argument:
            yield from references(each)


# ---- activations


@operation("relu", "relu_")
def relu(f, input, inplace=False):
    return f.unary(f"lamina::relu({X})", input)


@operation("leaky_relu", "leaky_relu_")
def leaky_relu(f, input, negative_slope=0.01, inplace=False):
    return f.unary(f"lamina::leaky_relu<{real(negative_slope)}>({X})", input)


@operation("sigmoid", "sigmoid_")
def sigmoid(f, input):
    return f.unary(f"lamina::sigmoid({X})", input)


@operation("tanh", "tanh_")
def tanh(f, input):
    return f.unary(f"lamina::tanh({X})", input)


@operation("gelu")
def gelu(f, input, approximate="none"):
    f.require("approximate", approximate, "none")
    return f.unary(f"lamina::gelu({X})", input)


@operation("silu")
def silu(f, input, inplace=False):
    return f.unary(f"lamina::silu({X})", input)


@operation("softmax", "log_softmax")
def softmax(f, input, dim=None, _stacklevel=3, dtype=None):
    f.require("dtype", dtype, None)
    f.require_tensor(input)
    return f.unary(f"lamina::{f.op}<{f.dim(dim, input.rank)}>({X})", input)


# ---- other extents


@operation("flatten")
def flatten(f, input, start_dim=0, end_dim=-1):
    f.require_tensor(input)
    return f.unary(f"lamina::flatten<{start_dim}, {end_dim}>({X})", input, flattened(input.rank, start_dim, end_dim))


@operation("unsqueeze")
def unsqueeze(f, input, dim):
    f.require_tensor(input)
    return f.unary(f"lamina::unsqueeze<{f.dim(dim, input.rank + 1)}>({X})", input, input.rank + 1)


@operation("reshape", "view")
def reshape(f, input, *shape):
    extents = shape[0] if shape and isinstance(shape[0], list) else shape
    texts = [f.extent(extent) for extent in extents]
    return f.unary(f"lamina::reshape<{', '.join(texts)}>({X})", input, len(texts))


@operation("pad")
def pad(f, input, pad, mode="constant", value=None):
    f.require("mode", mode, "constant")
    amounts = ", ".join(f.extent(amount) for amount in pad)
    if not value:
        return f.unary(f"lamina::pad<{amounts}>({X})", input)
    return f.unary(f"lamina::pad<lamina::padding_amounts<{amounts}>, {real(value)}>({X})", input)


@operation("pad_to")
def pad_to(f, input, like):
    for x in (input, like):
        f.require_tensor(x)
        if x.rank != 4:
            f.lacks(f"on an input of {x.rank} dimensions")
    return f.call(f"lamina::pad_to({X}, {X})", [input, like], 4)


@operation("cat", "concat", "concatenate")
def cat(f, tensors, dim=0):
    for x in tensors:
        f.require_tensor(x)
    places = ", ".join([X] * len(tensors))
    return f.call(f"lamina::cat<{f.dim(dim, tensors[0].rank)}>({places})", tensors, tensors[0].rank)


@operation("dropout", "contiguous", "clone", "detach")
def unchanged(f, input, *arguments, **options):
    """What changes no element outside training."""
    return input


# ---- arithmetic

SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "div": "/", "floordiv": "/"}


def constant(value):
    return isinstance(value, int) and not isinstance(value, bool) or isinstance(value, Value) and value.kind == "extent"


@operation("add", "sub", "mul", "div", "truediv", "floordiv")
@operation("iadd", "isub", "imul", "itruediv", "add_", "sub_", "mul_", "div_")
def arithmetic(f, input, other, alpha=1, rounding_mode=None):
    f.require("alpha", alpha, 1)
    f.require("rounding_mode", rounding_mode, None)
    name = f.op.rstrip("_")
    symbol = SYMBOLS[name if name in SYMBOLS else name[1:]]
    operands = [input, other]
    if all(constant(operand) for operand in operands):
        if name.endswith("truediv"):
            f.lacks("on extents")
        return Value("extent", f"({f.extent(input)} {symbol} {f.extent(other)})")
    if name == "floordiv" or not any(movable(operand) for operand in operands):
        f.lacks("without a tensor")
    for operand in operands:
        if isinstance(operand, Value):
            if operand.kind not in ("tensor", "parameter") or operand.element != "float":
                f.lacks(f"on elements of type {operand.element}")
        elif isinstance(operand, bool) or not isinstance(operand, (int, float)):
            f.lacks(f"with {operand!r}")
        else:
            f.with_numbers = True
    rank = max(operand.rank if isinstance(operand, Value) else 0 for operand in operands)
    return f.call(f"{X} {symbol} {X}", operands, rank)


@operation("matmul", "bmm", "mm")
def matmul(f, input, other):
    for x in (input, other):
        if not isinstance(x, Value) or x.kind not in ("tensor", "parameter") or x.element != "float":
            f.lacks("on anything but tensors of float")
        if x.rank < 2:
            f.lacks(f"on an operand of {x.rank} dimensions")
    if input.kind == other.kind == "parameter":
        f.lacks("without a tensor")
    return f.call(f"lamina::matmul({X}, {X})", [input, other], max(input.rank, other.rank))


# ---- extents as numbers


@operation("size")
def size(f, input, dim=None):
    if not isinstance(input, Value) or input.kind != "tensor":
        f.lacks("of anything but a tensor")
    return Value("extents", input.text, input.rank) if dim is None else extent_of(f, input, dim)


@operation("getattr")
def attribute(f, input, name):
    f.require("name", name, "shape")
    return size(f, input)


@operation("getitem")
def item(f, input, index):
    if not isinstance(input, Value) or input.kind != "extents":
        f.lacks("on a tensor")
    return extent_of(f, input, index)


def extent_of(f, input, dim):
    return Value("extent", f"golden::extent<decltype({input.text}), {f.dim(dim, input.rank) % input.rank}>")


# ---- layers as functions


@operation("max_pool2d")
def max_pool2d(f, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    options = dict(kernel_size=kernel_size, stride=stride or None, padding=padding, dilation=dilation)
    return f.layer("MaxPool2d", dict(options, ceil_mode=ceil_mode, return_indices=return_indices), input)


@operation("avg_pool2d")
def avg_pool2d(
    f, input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    options = dict(kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode)
    options.update(count_include_pad=count_include_pad, divisor_override=divisor_override)
    return f.layer("AvgPool2d", options, input)


@operation("adaptive_avg_pool2d")
def adaptive_avg_pool2d(f, input, output_size):
    return f.layer("AdaptiveAvgPool2d", dict(output_size=output_size), input)


@operation("interpolate")
def interpolate(
    f,
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    options = dict(size=size, scale_factor=scale_factor, mode=mode, align_corners=align_corners)
    options.update(recompute_scale_factor=recompute_scale_factor, antialias=antialias)
    return f.layer("Upsample", options, input)


# ---- losses


def pair_loss(f, input, target, options, reduction):
    for name, value in options.items():
        f.require(name, value, None)
    f.require("reduction", reduction, "mean", "sum", "none")
    f.require_tensor(input)
    f.check_target(f"operation {f.op}", target, False)
    if target.rank != input.rank:
        f.lacks("with a target of another number of dimensions")
    argument = "" if reduction == "mean" else f"<lamina::Reduction::{reduction}>"
    return f.call(f"lamina::{f.op}{argument}({X}, {X})", [input, target], input.rank if reduction == "none" else 0)


@operation("mse_loss", "l1_loss")
def mse_loss(f, input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    return pair_loss(f, input, target, dict(size_average=size_average, reduce=reduce, weight=weight), reduction)


@operation("binary_cross_entropy_with_logits")
def bce_loss(f, input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
    options = dict(weight=weight, size_average=size_average, reduce=reduce, pos_weight=pos_weight)
    return pair_loss(f, input, target, options, reduction)


@operation("cross_entropy")
def cross_entropy(
    f,
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    for name, value in dict(weight=weight, size_average=size_average, reduce=reduce).items():
        f.require(name, value, None)
    f.require_tensor(input)
    f.check_target("operation cross_entropy", target, True)
    if input.rank < 2:
        f.lacks(f"on an input of {input.rank} dimensions")
    o = dict(reduction=reduction, ignore_index=ignore_index, label_smoothing=label_smoothing)
    argument = leaf_type("CrossEntropyLoss", o).partition("<")[2]
    rank = input.rank - 1 if reduction == "none" else 0
    return f.call(f"lamina::cross_entropy{'<' + argument if argument != '>' else ''}({X}, {X})", [input, target], rank)
