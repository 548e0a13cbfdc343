"""PyTorch expressions, such as `nn.Sequential(nn.Linear(2, 3), nn.ReLU())`, as trees of modules. The expressions are
not evaluated: literals are read, and a constructor is translated by its signature."""

import ast

from modules import Module
from pytorch_layers import CONTAINERS, Lacking

# The constructors of PyTorch: what a call gives is the dictionary of its options.
NORM = "eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, **more"
POOL = "kernel_size, stride=None, padding=0"
LEGACY = "size_average=None, reduce=None, reduction='mean'"
SIGNATURES = {
    "AdaptiveAvgPool2d": "output_size",
    "AvgPool2d": f"{POOL}, ceil_mode=False, count_include_pad=True, divisor_override=None",
    "BCEWithLogitsLoss": f"weight=None, {LEGACY}, pos_weight=None",
    "BatchNorm1d": f"num_features, {NORM}",
    "BatchNorm2d": f"num_features, {NORM}",
    "Conv2d": "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, "
    "padding_mode='zeros'",
    "ConvTranspose2d": "in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, "
    "bias=True, dilation=1, padding_mode='zeros'",
    "CrossEntropyLoss": "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', "
    "label_smoothing=0.0",
    "Dropout": "p=0.5, inplace=False",
    "Flatten": "start_dim=1, end_dim=-1",
    "GELU": "approximate='none'",
    "GroupNorm": "num_groups, num_channels, eps=1e-5, affine=True, **more",
    "Identity": "*arguments, **more",
    "L1Loss": LEGACY,
    "LayerNorm": "normalized_shape, eps=1e-5, elementwise_affine=True, bias=True",
    "LeakyReLU": "negative_slope=0.01, inplace=False",
    "Linear": "in_features, out_features, bias=True",
    "LogSoftmax": "dim=None",
    "MSELoss": LEGACY,
    "MaxPool2d": f"{POOL}, dilation=1, return_indices=False, ceil_mode=False",
    "ReLU": "inplace=False",
    "SiLU": "inplace=False",
    "Sigmoid": "",
    "Softmax": "dim=None",
    "Tanh": "",
    "Upsample": "size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None",
}
CONSTRUCTORS = {name: eval(f"lambda {signature}: locals()") for name, signature in SIGNATURES.items()}


def module_of(expression):
    """The module that an expression makes."""
    made = value_of(ast.parse(expression, mode="eval").body, {})
    if not isinstance(made, Module):
        raise Lacking(f"the expression makes no module: {expression}")
    return made


def module_of_text(text):
    """The module that PyTorch prints as this text: the text of a layer is a call of its constructor."""
    lines = iter(text.splitlines())
    return printed_module(next(lines), lines)


def printed_module(head, lines):
    """The module whose text begins with `head`; what it takes more comes from `lines`."""
    if not head.endswith("("):
        return module_of(f"nn.{head}")
    name, children = head[:-1], {}
    for line in lines:
        line = line.strip()
        if line == ")":
            break
        key, found, child = line.partition("): ")
        if not found or not key.startswith("("):
            raise Lacking(f"no translation of the printed text {line}")
        children[key[1:]] = printed_module(child, lines)
    return container(name, [children])


def class_of(expression):
    """The class that an expression constructs: `nn.Linear`."""
    function = getattr(ast.parse(expression, mode="eval").body, "func", None)
    return ast.unparse(function) if function else expression


def value_of(node, names):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -value_of(node.operand, names)
    if isinstance(node, ast.BinOp):
        a, b = value_of(node.left, names), value_of(node.right, names)
        for kind, compute in ARITHMETIC.items():
            if isinstance(node.op, kind):
                return compute(a, b)
    if isinstance(node, (ast.List, ast.Tuple)):
        return [value for each in node.elts for value in starred(each, names)]
    if isinstance(node, ast.Dict):
        return {value_of(key, names): value_of(value, names) for key, value in zip(node.keys, node.values)}
    if isinstance(node, (ast.ListComp, ast.GeneratorExp)) and len(node.generators) == 1 and not node.generators[0].ifs:
        generator = node.generators[0]
        target = generator.target.id if isinstance(generator.target, ast.Name) else "_"
        return [value_of(node.elt, {**names, target: each}) for each in value_of(generator.iter, names)]
    if isinstance(node, ast.Call):
        return call(node, names)
    raise Lacking(f"no translation of the expression {ast.unparse(node)}")


ARITHMETIC = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Pow: lambda a, b: a**b,
}


def starred(node, names):
    return value_of(node.value, names) if isinstance(node, ast.Starred) else [value_of(node, names)]


def call(node, names):
    function = ast.unparse(node.func)
    arguments = [value for each in node.args for value in starred(each, names)]
    options = {keyword.arg: value_of(keyword.value, names) for keyword in node.keywords}
    if function in ("OD", "OrderedDict", "collections.OrderedDict", "dict"):
        return dict(*arguments, **options)
    if function == "range":
        return list(range(*arguments))
    name = function.rpartition(".")[2]
    if name in CONTAINERS:
        return container(name, arguments)
    if name == "DataParallel" and len(arguments) == 1 and isinstance(arguments[0], Module):
        return Module("", name, {}, {"module": arguments[0]})
    if name not in CONSTRUCTORS:
        raise Lacking(f"no lamina equivalent of class nn.{name}")
    for unused in ("device", "dtype"):
        if options.get(unused) is None:
            options.pop(unused, None)
    try:
        described = CONSTRUCTORS[name](*arguments, **options)
    except TypeError as problem:
        raise Lacking(f"no lamina equivalent of nn.{name} with these arguments: {problem}") from None
    described.update(described.pop("more", {}))
    return Module("", name, described)


def container(name, arguments):
    children = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], (list, dict)) else arguments
    if not isinstance(children, dict):
        pairs = name == "ModuleDict"
        children = dict(children) if pairs else {str(i): child for i, child in enumerate(children)}
    if name not in CONTAINERS:
        raise Lacking(f"no lamina equivalent of class {name}")
    for child in children.values():
        if not isinstance(child, Module):
            raise Lacking(f"no translation of {child!r} as a child of {name}")
    return Module("", name, {}, dict(children))
