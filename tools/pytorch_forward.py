"""The forward of one PyTorch module, recorded by torch.fx, as the body of a C++ call operator.

Every name of the library is written `lamina::name`; who prints the text shortens it where nothing else has the name.
"""

import ast
import dataclasses
import functools
import inspect
import itertools
import linecache

from torch import fx

from pytorch_layers import Lacking, is_identifier, leaf_type, local_name, real

# Stands for an operand in the text of an expression.
X = "\0"

ATOM, PRODUCT, SUM = range(3)


class Unknown(Exception):
    """An operand could not be translated; it has been reported where it is made."""


@dataclasses.dataclass(eq=False)
class Expression:
    """A piece of C++ that gives a tensor, or a tuple of `results` tensors."""

    text: str
    operands: list = dataclasses.field(default_factory=list)
    node: fx.Node = None
    fuses: str = ""  # producer, norm, sum or activation: what the library computes in one pass if it stands in one call
    precedence: int = ATOM
    results: int = 0
    number: int = dataclasses.field(default_factory=itertools.count().__next__)  # in the order of Python


@dataclasses.dataclass(eq=False)
class Value:
    """A tensor of Python. Names share it; an operation in place gives it another expression."""

    expression: Expression
    base: "Value" = None  # what it is a view of
    views: list = dataclasses.field(default_factory=list)
    stale: bool = False  # changed in place in a way that is not followed


@dataclasses.dataclass(frozen=True)
class Extent:
    """An extent of a tensor as a number: ("size", tensor, dim), or an operation on numbers."""

    operation: str
    left: object
    right: object


@dataclasses.dataclass(frozen=True)
class Extents:
    """tensor.shape"""

    tensor: Value


OPERATIONS = {}
# Where functions come from; one of these names from elsewhere is something else.
PACKAGES = ("torch", "torchvision", "_operator", "builtins")


def operation(*names):
    def register(function):
        OPERATIONS.update({name: function for name in names})
        return function

    return register


# ---- statements of the source


@functools.lru_cache(maxsize=None)
def statements_of(file):
    """The simple statements of a Python file."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return []
    kinds = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def statement_of(node):
    """The statement that a node comes from, or None, and the name that it assigns, or None."""
    file, *place = node.meta["line"] or ("", 0, 0)
    for each in statements_of(file):
        if [each.lineno, each.col_offset] <= place < [each.end_lineno, each.end_col_offset]:
            target = each.targets[0] if isinstance(each, ast.Assign) else getattr(each, "target", None)
            return each, target.id if isinstance(target, ast.Name) else None
    return None, None


# ---- the translation


class Forward:
    """Translates the graph of one module. `model` answers what its children are (see from_pytorch.Model)."""

    def __init__(self, model, path, module, graph, inputs):
        self.model, self.path, self.module = model, path, module
        self.values, self.inputs, self.arguments, self.results = {}, [], [], 0
        self.changes_input = False
        self.statements = []
        live = live_nodes(graph)
        for node in graph.nodes:
            if node not in live:
                continue
            self.node = node
            try:
                self.values[node] = self.value_of(node, inputs)
            except Lacking as problem:
                model.report(node.meta.get("line") or model.line_of_forward(module), path, problem)
                self.values[node] = None
            except Unknown:
                self.values[node] = None

    def value_of(self, node, inputs):
        if node.op == "placeholder":
            if node not in inputs:
                return None
            self.arguments.append(Expression(node.target))
            self.inputs.append(Value(self.arguments[-1]))
            return self.inputs[-1]
        if node.op == "get_attr":
            return Value(Expression(self.model.access(self.module, self.path, node.target)))
        if node.op == "output":
            return self.output(node.args[0])
        if node.op == "call_module":
            return self.call_module(node)
        name = node.target if node.op == "call_method" else node.target.__name__
        return self.call_function(name, node)

    def resolve(self, argument):
        if isinstance(argument, fx.Node):
            value = self.values.get(argument)
            if value is None:
                raise Unknown
            if isinstance(value, Value) and value.stale:
                raise Lacking("no lamina equivalent of using a tensor after something else changed it in place")
            return value
        if isinstance(argument, (list, tuple)):
            return [self.resolve(each) for each in argument]
        return argument

    def call_module(self, node):
        child = self.module.get_submodule(node.target)
        called = self.model.called(child)
        arguments = [self.resolve(each) for each in self.model.operands(child, node)]
        if called.passes_on:
            return arguments[0]
        access = self.model.access(self.module, self.path, node.target)
        text = f"{access}({', '.join([X] * len(arguments))})"
        if called.is_view:
            return self.view(text, *arguments)
        result = self.call(text, *arguments, fuses=called.fuses)
        result.expression.results = called.results
        if called.in_place == "result":
            return self.in_place(arguments[0], result)
        if called.in_place:
            self.spoil(arguments[0])
        return result

    def call_function(self, name, node):
        self.name = name
        function = OPERATIONS.get(name)
        module = getattr(node.target, "__module__", None)
        if function is None or module and module.partition(".")[0] not in PACKAGES:
            raise Lacking(f"no lamina equivalent of operation {name}")
        arguments = self.resolve(node.args), {key: self.resolve(each) for key, each in node.kwargs.items()}
        try:
            bound = inspect.signature(function).bind(self, *arguments[0], **arguments[1])
        except TypeError as problem:
            raise Lacking(f"no lamina equivalent of operation {name} with these arguments: {problem}") from None
        result = function(*bound.args, **bound.kwargs)
        if changes_operand(node) and isinstance(result, Value):
            return self.in_place(arguments[0][0], result)
        return result

    def output(self, result):
        if isinstance(result, (list, tuple)):
            values = [self.tensor(self.resolve(each), "returning") for each in result]
            self.results = len(values)
            self.statements.append(Expression(f"std::tuple({', '.join([X] * len(values))})", values))
        else:
            self.statements.append(self.tensor(self.resolve(result), "returning"))
            self.results = self.statements[-1].results

    # ---- what the operations are made of

    def tensor(self, value, what=None):
        if not isinstance(value, Value):
            raise Lacking(f"no lamina equivalent of {what or f'operation {self.name} on'} anything but tensors")
        return value.expression

    def call(self, text, *operands, fuses="", precedence=ATOM):
        """A new tensor."""
        return Value(Expression(text, [self.tensor(each) for each in operands], self.node, fuses, precedence))

    def view(self, text, operand):
        """The elements of a tensor, in other extents."""
        view = self.call(text, operand)
        view.base = operand
        operand.views.append(view)
        return view

    def in_place(self, value, result):
        """An operation that writes over its operand: all names of the operand see the result."""
        self.spoil(value)
        value.expression, value.stale = result.expression, False
        return value

    def spoil(self, value):
        """Something writes over a tensor: what shares its memory must not be read any more."""
        for shared in [value, value.base, *value.views]:
            if shared is not None:
                shared.stale = True
                self.changes_input = self.changes_input or shared in self.inputs

    def lacks(self, what):
        raise Lacking(f"no lamina equivalent of operation {self.name} {what}")

    def require(self, name, value, *allowed):
        if value not in allowed:
            self.lacks(f"with {name}={value!r}")

    def integer(self, name, value):
        if not isinstance(value, int) or isinstance(value, bool):
            computed = isinstance(value, (Value, Extent, Extents))
            self.lacks(f"with {name} computed from other extents" if computed else f"with {name}={value!r}")
        return value

    def layer(self, class_name, x, **options):
        """A function that the library has as a layer without weights."""
        for name, value in options.items():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, (Value, Extent, Extents)):
                    self.lacks(f"with {name} computed from other extents")
        return self.call(f"{leaf_type(class_name, options)}{{}}({X})", x)

    # ---- text

    def lines(self, taken):
        """The statements in C++; names of local variables avoid `taken`."""
        result = self.statements[-1]
        needed = {}
        collect(result, needed)
        expressions = sorted((e for e in needed if e.node), key=lambda e: e.number)
        statements = {e: statement_of(e.node) for e in expressions}
        named = [e for e in expressions if e is not result and not stands_inside(e, needed[e], result, statements)]
        bases = {e: local_name(statements[e][1] or "y") for e in named}
        names, taken = {}, set(taken)
        for e in self.arguments:
            names[e] = unused(local_name(e.text), taken, ())
        for e in named:
            names[e] = unused(bases[e], taken, bases.values())
        lines = [f"auto {names[e]} = {text_of(e, names)};" for e in named]
        arguments = ", ".join(f"auto {names[e]}" if e in needed else "auto" for e in self.arguments)
        body = [*lines, f"return {names.get(result) or text_of(result, names)};"]
        if len(body) == 1 and len(body[0]) < 70:
            return [f"constexpr auto operator()({arguments}) const {{ {body[0]} }}"]
        return [f"constexpr auto operator()({arguments}) const {{", *("  " + line for line in body), "}"]


IN_PLACE = ("iadd", "isub", "imul", "itruediv")


def changes_operand(node):
    """Whether a function or method writes over its first operand."""
    name = node.target if node.op == "call_method" else getattr(node.target, "__name__", "")
    return name in IN_PLACE or name.endswith("_") and name[-2:] != "__" or node.kwargs.get("inplace") is True


def live_nodes(graph):
    """The nodes that the output depends on, or that change a tensor."""
    live = set()
    for node in reversed(graph.nodes):
        acts = node.op in ("placeholder", "output", "call_module")
        if acts or node in live or node.op != "get_attr" and changes_operand(node):
            live.update([node, *node.all_input_nodes])
    return live


def collect(expression, needed):
    """{expression: those that use it, once for each use} of all that an expression needs."""
    if expression not in needed:
        needed[expression] = []
        for operand in expression.operands:
            collect(operand, needed)
    for operand in expression.operands:
        if expression not in needed[operand]:
            needed[operand].extend([expression] * expression.operands.count(operand))


FUSED = {"norm": ("producer",), "sum": ("producer", "norm"), "activation": ("producer", "norm", "sum")}


def stands_inside(expression, users, result, statements):
    """Whether an expression stands inside its user's: as it does in Python, or so that one pass computes both."""
    if len(users) != 1:
        return False
    user = users[0]
    if expression.fuses and expression.fuses in FUSED.get(user.fuses, ()):
        return True
    if user not in statements:  # the tuple that is returned
        return False
    # behind it in the same statement; a loop repeats statements
    behind = user.node.meta["instruction"] > expression.node.meta["instruction"]
    return user.node is expression.node or behind and statements[user] == statements[expression]


def text_of(expression, names):
    pieces = expression.text.split(X)
    text = pieces[0]
    for number, (operand, piece) in enumerate(zip(expression.operands, pieces[1:])):
        inner = names[operand] if operand in names else text_of(operand, names)
        weaker = operand.precedence > expression.precedence
        if expression.precedence and operand not in names:
            if weaker or number and operand.precedence == expression.precedence:
                inner = f"({inner})"
        text += inner + piece
    return text


def unused(base, taken, bases):
    """A name like `base`: x, x1, x2, ... or x1, x1_2, ..."""
    name, number = base, 1
    while name in taken or name != base and name in bases:
        name = f"{base}_{number + 1}" if base[-1].isdigit() else f"{base}{number}"
        number += 1
    taken.add(name)
    return name


# ---- activations


@operation("relu", "relu_", "sigmoid", "sigmoid_", "tanh", "tanh_", "silu", "silu_")
def activation(f, input, inplace=False):
    return f.call(f"lamina::{f.name.rstrip('_')}({X})", input, fuses="activation")


@operation("leaky_relu", "leaky_relu_")
def leaky_relu(f, input, negative_slope=0.01, inplace=False):
    slope = "" if negative_slope == 0.01 else f"<{real(negative_slope)}>"
    return f.call(f"lamina::leaky_relu{slope}({X})", input, fuses="activation")


@operation("gelu")
def gelu(f, input, approximate="none"):
    f.require("approximate", approximate, "none")
    return f.call(f"lamina::gelu({X})", input, fuses="activation")


@operation("softmax", "log_softmax")
def softmax(f, input, dim=None, _stacklevel=3, dtype=None):
    f.require("dtype", dtype, None)
    return f.call(f"lamina::{f.name}<{f.integer('dim', dim)}>({X})", input)


@operation("dropout")
def dropout(f, input, p=0.5, training=True, inplace=False):
    f.require("training", training, False)
    return same(f, input)


@operation("stochastic_depth")  # of torchvision.ops
def stochastic_depth(f, input, p, mode, training=True):
    return dropout(f, input, p, training)


# ---- other extents


@operation("flatten")
def flatten(f, input, start_dim=0, end_dim=-1):
    dims = [f.integer("start_dim", start_dim), f.integer("end_dim", end_dim)]
    arguments = ", ".join(map(str, dims if end_dim != -1 else dims[:1]))
    return f.view(f"lamina::flatten<{arguments}>({X})", input)


@operation("unsqueeze")
def unsqueeze(f, input, dim):
    return f.view(f"lamina::unsqueeze<{f.integer('dim', dim)}>({X})", input)


@operation("reshape", "view")
def reshape(f, input, *shape):
    extents = list(shape[0]) if shape and isinstance(shape[0], list) else list(shape)
    f.tensor(input)
    kept = 0  # x.view(x.size(0), ...)
    while kept < len(extents) and extents[kept] == Extent("size", input, kept):
        kept += 1
    if kept and extents[kept:] == [-1]:
        return f.view(f"lamina::flatten<{kept}>({X})", input)
    if kept == 1 and -1 not in extents:
        extents[0] = -1
    texts = [str(f.integer("extent", extent)) for extent in extents]
    return f.view(f"lamina::reshape<{', '.join(texts)}>({X})", input)


@operation("contiguous", "detach")
def same(f, input):
    f.tensor(input)
    return input


@operation("clone")
def clone(f, input):
    return Value(f.tensor(input))


@operation("pad")
def pad(f, input, pad, mode="constant", value=None):
    f.require("mode", mode, "constant")
    like = padded_to(input, pad)
    if like and not value:
        return f.call(f"lamina::pad_to({X}, {X})", input, like)
    amounts = ", ".join(str(f.integer("amount", amount)) for amount in pad)
    if not value:
        return f.call(f"lamina::pad<{amounts}>({X})", input)
    return f.call(f"lamina::pad<lamina::padding_amounts<{amounts}>, {real(value)}>({X})", input)


def padded_to(x, amounts):
    """The tensor whose height and width x gets: amounts are [d // 2, d - d // 2] with the differences of widths, then
    of heights. None for other amounts."""
    if len(amounts) != 4 or not isinstance(amounts[1], Extent):
        return None
    likes = []
    for before, after, dims in zip(amounts[::2], amounts[1::2], ((3, -1), (2, -2))):
        difference = getattr(after, "left", None)
        like = getattr(getattr(difference, "left", None), "left", None)
        differences = [Extent("sub", Extent("size", like, a), Extent("size", x, b)) for a in dims for b in dims]
        half = Extent("floordiv", difference, 2)
        if difference not in differences or before != half or after != Extent("sub", difference, half):
            return None
        likes.append(like)
    return likes[0] if likes[0] is likes[1] else None


@operation("mean")
def mean(f, input, dim=None, keepdim=False, dtype=None):
    f.require("dtype", dtype, None)
    f.require("dim", dim, [2, 3])  # the pixels of images
    pooled = f.layer("AdaptiveAvgPool2d", input, output_size=1)
    return pooled if keepdim else f.call(f"lamina::flatten<1>({X})", pooled)


@operation("cat", "concat", "concatenate")
def cat(f, tensors, dim=0):
    return f.call(f"lamina::cat<{f.integer('dim', dim)}>({', '.join([X] * len(tensors))})", *tensors)


# ---- arithmetic

SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "div": "/"}


@operation("add", "sub", "mul", "truediv", "div", "floordiv")
@operation("iadd", "isub", "imul", "itruediv", "add_", "sub_", "mul_", "div_")
def arithmetic(f, input, other, alpha=1, rounding_mode=None):
    f.require("alpha", alpha, 1)
    f.require("rounding_mode", rounding_mode, None)
    if not any(isinstance(each, Value) for each in (input, other)):
        return Extent(f.name, input, other)
    name = f.name[1:] if f.name in IN_PLACE else f.name.rstrip("_")
    if name not in SYMBOLS or name.endswith("div") and not isinstance(input, Value):
        f.lacks("with a number on the left" if name in SYMBOLS else "on tensors")
    text, tensors = [], []
    for each in (input, other):
        if isinstance(each, (int, float)) and not isinstance(each, bool):
            text.append(real(each) + "f")
        else:
            text.append(X)
            tensors.append(each)
    sums = name in ("add", "sub")
    fuses = "sum" if name == "add" and len(tensors) == 2 else ""
    result = f"{text[0]} {SYMBOLS[name]} {text[1]}"
    return f.call(result, *tensors, fuses=fuses, precedence=SUM if sums else PRODUCT)


@operation("neg")
def neg(f, input):
    return f.call(f"-{X}", input, precedence=PRODUCT)


@operation("matmul", "bmm", "mm")
def matmul(f, input, other):
    return f.call(f"lamina::matmul({X}, {X})", input, other)


# ---- extents as numbers, results of several


@operation("size")
def size(f, input, dim=None):
    f.tensor(input)
    return Extents(input) if dim is None else item(f, Extents(input), dim)


@operation("getattr")
def attribute(f, input, name):
    f.require("name", name, "shape")
    return size(f, input)


@operation("getitem")
def item(f, input, index):
    if isinstance(input, Extents):
        return Extent("size", input.tensor, f.integer("index", index))
    if f.tensor(input).results and isinstance(index, int):
        return f.call(f"std::get<{index % input.expression.results}>({X})", input)
    return f.lacks("on a tensor")


# ---- layers as functions


@operation("max_pool2d")
def max_pool2d(f, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    options = dict(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    return f.layer("MaxPool2d", input, **options, ceil_mode=ceil_mode, return_indices=return_indices)


@operation("avg_pool2d")
def avg_pool2d(f, input, kernel_size, stride=None, padding=0, *more, **options):
    names = ("ceil_mode", "count_include_pad", "divisor_override")
    options.update(zip(names, more), kernel_size=kernel_size, stride=stride, padding=padding)
    return f.layer("AvgPool2d", input, **options)


@operation("adaptive_avg_pool2d")
def adaptive_avg_pool2d(f, input, output_size):
    return f.layer("AdaptiveAvgPool2d", input, output_size=output_size)


@operation("interpolate", "upsample")
def interpolate(f, input, size=None, scale_factor=None, mode="nearest", align_corners=None, **more):
    options = dict(size=size, scale_factor=scale_factor, mode=mode, align_corners=align_corners)
    return f.layer("Upsample", input, **options, **more)
