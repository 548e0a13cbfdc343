"""PyTorch's layers and their options as lamina types; names of Python as names of C++."""

import dataclasses
import keyword
import re


class Lacking(Exception):
    """What PyTorch has and the library lacks, as a sentence."""


# ---- spelling of values


def text_literal(text):
    """A C++ string literal."""
    special = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    plain = [special.get(c, c if c >= " " and c != "\x7f" else f"\\{ord(c):03o}") for c in text]
    return '"' + "".join(plain) + '"'


def truth(value):
    return "true" if value else "false"


def real(value):
    text = repr(float(value))
    if "inf" in text or "nan" in text:
        raise Lacking(f"no lamina equivalent of the option value {text}")
    return text


def size(value):
    """A Size2, Padding or Scale2: one number, {height, width}, or a word."""
    if isinstance(value, str):
        return text_literal(value)
    if isinstance(value, (list, tuple)):
        if len(value) == 1:
            return size(value[0])
        return "{" + ", ".join(size(v) for v in value) + "}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "lamina::none" if value is None else str(value) if isinstance(value, int) else real(value)


def with_options(name, fixed, struct, options, defaults):
    """name<fixed..., struct{.option = value}>, leaving out what is at its default."""
    given = [f".{key} = {value}" for key, value in options.items() if value != defaults[key]]
    arguments = list(fixed) + ([f"lamina::{struct}{{{', '.join(given)}}}"] if given else [])
    return f"lamina::{name}<{', '.join(arguments)}>"


class Options:
    """The options of one module; those that nobody asked for are named at the end."""

    def __init__(self, class_name, values):
        self.class_name = class_name
        self.left = dict(values)

    def take(self, name, default=None):
        return self.left.pop(name, default)

    def require(self, name, *allowed):
        value = self.left.pop(name, allowed[0])
        if value not in allowed:
            self.lacks(name, value)
        return value

    def lacks(self, name, value):
        raise Lacking(f"no lamina equivalent of option {name}={value!r} of class nn.{self.class_name}")

    def end(self):
        for name, value in self.left.items():
            self.lacks(name, value)


# ---- one function a class: options to type


def linear(o):
    sizes = [str(o.take("in_features")), str(o.take("out_features"))]
    return f"lamina::Linear<{', '.join(sizes + ([] if o.take('bias', True) else ['false']))}>"


def convolution(o, name, struct, **more):
    o.require("padding_mode", "zeros")
    o.require("transposed", name == "ConvTranspose2d")
    fixed = [str(o.take("in_channels")), str(o.take("out_channels"))]
    options = {
        "kernel_size": size(o.take("kernel_size")),
        "stride": size(o.take("stride", 1)),
        "padding": size(o.take("padding", 0)),
        **{key: size(o.take(key, 0)) for key in more},
        "dilation": size(o.take("dilation", 1)),
        "groups": str(o.take("groups", 1)),
        "bias": truth(o.take("bias", True)),
    }
    if name == "Conv2d" and options["padding"].startswith('"') and options["padding"] not in ('"same"', '"valid"'):
        o.lacks("padding", options["padding"])
    if name == "Conv2d":
        o.require("output_padding", 0, [0, 0], (0, 0))
    else:  # the order of members, which designated initialisers keep
        options["dilation"] = options.pop("dilation")
    defaults = {"kernel_size": "", "stride": "1", "padding": "0", "dilation": "1", "groups": "1", "bias": "true"}
    defaults.update(more)
    return with_options(name, fixed, struct, {key: plain_pair(value) for key, value in options.items()}, defaults)


def plain_pair(value):
    """{2, 2} as 2: convolutions print both as a pair."""
    match = re.fullmatch(r"\{(\d+), (\d+)\}", value)
    return match[1] if match and match[1] == match[2] else value


def conv2d(o):
    return convolution(o, "Conv2d", "conv")


def conv_transpose2d(o):
    return convolution(o, "ConvTranspose2d", "conv_transpose", output_padding="0")


def batch_norm(o):
    affine = o.take("affine", True)
    if bool(o.take("bias", affine)) != bool(affine):
        o.lacks("bias", not affine)
    momentum = o.take("momentum", 0.1)
    options = {
        "eps": real(o.take("eps", 1e-5)),
        "momentum": "lamina::none" if momentum is None else real(momentum),
        "affine": truth(affine),
        "track_running_stats": truth(o.take("track_running_stats", True)),
    }
    defaults = {"eps": "1e-05", "momentum": "0.1", "affine": "true", "track_running_stats": "true"}
    return with_options(o.class_name, [str(o.take("num_features"))], "batch_norm", options, defaults)


def layer_norm(o):
    shape = o.take("normalized_shape")
    extents = ", ".join(map(str, shape if isinstance(shape, (list, tuple)) else [shape]))
    options = {"eps": real(o.take("eps", 1e-5)), "elementwise_affine": truth(o.take("elementwise_affine", True))}
    options["bias"] = truth(o.take("bias", True) or options["elementwise_affine"] == "false")
    defaults = {"eps": "1e-05", "elementwise_affine": "true", "bias": "true"}
    return with_options("LayerNorm", [f"lamina::Shape<{extents}>"], "layer_norm", options, defaults)


def group_norm(o):
    affine = o.take("affine", True)
    if bool(o.take("bias", affine)) != bool(affine):
        o.lacks("bias", not affine)
    options = {"eps": real(o.take("eps", 1e-5)), "affine": truth(affine)}
    fixed = [str(o.take("num_groups")), str(o.take("num_channels"))]
    return with_options("GroupNorm", fixed, "group_norm", options, {"eps": "1e-05", "affine": "true"})


def pool_window(o):
    """kernel_size and stride, which is the kernel's size where none is given."""
    kernel_size, stride = o.take("kernel_size"), o.take("stride")
    return {"kernel_size": size(kernel_size), "stride": size(stride if stride and stride != kernel_size else None)}


def max_pool2d(o):
    o.require("return_indices", False)
    options = pool_window(o)
    options["padding"] = size(o.take("padding", 0))
    options["dilation"] = size(o.take("dilation", 1))
    options["ceil_mode"] = truth(o.take("ceil_mode", False))
    defaults = {"kernel_size": "", "stride": "lamina::none", "padding": "0", "dilation": "1", "ceil_mode": "false"}
    return with_options("MaxPool2d", [], "max_pool", options, defaults)


def avg_pool2d(o):
    options = pool_window(o)
    options["padding"] = size(o.take("padding", 0))
    options["ceil_mode"] = truth(o.take("ceil_mode", False))
    options["count_include_pad"] = truth(o.take("count_include_pad", True))
    options["divisor_override"] = size(o.take("divisor_override"))
    defaults = {"kernel_size": "", "stride": "lamina::none", "padding": "0", "ceil_mode": "false"}
    defaults.update(count_include_pad="true", divisor_override="lamina::none")
    return with_options("AvgPool2d", [], "avg_pool", options, defaults)


def adaptive_avg_pool2d(o):
    output = size(o.take("output_size"))
    return f"lamina::AdaptiveAvgPool2d<{'lamina::Size2' + output if output.startswith('{') else output}>"


def upsample(o):
    o.require("recompute_scale_factor", None, False)
    o.require("antialias", False)
    o.take("name")
    factor = o.take("scale_factor")
    options = {
        "size": size(o.take("size")),
        "scale_factor": "{}" if factor is None else size(factor),
        "mode": text_literal(o.require("mode", "nearest", "bilinear")),
        "align_corners": truth(o.take("align_corners") or False),
    }
    defaults = {"size": "lamina::none", "scale_factor": "{}", "mode": '"nearest"', "align_corners": "false"}
    return with_options("Upsample", [], "upsample", options, defaults)


def inplace(name):
    return lambda o: f"lamina::{name}Inplace" if o.take("inplace", False) else f"lamina::{name}"


def number_and_inplace(name, option, default):
    """Options (number, inplace) as template arguments, as few as it takes."""

    def type_of(o):
        arguments = [real(o.take(option, default)), "true" if o.take("inplace", False) else ""]
        if not arguments[-1]:
            arguments = arguments[:1] if arguments[0] != real(default) else []
        return f"lamina::{name}<{', '.join(arguments)}>"

    return type_of


def gelu(o):
    word = o.require("approximate", "none", "tanh")
    return "lamina::GELU<>" if word == "none" else f"lamina::GELU<lamina::Approximation({text_literal(word)})>"


def softmax(o):
    dim = o.take("dim")
    if not isinstance(dim, int):
        o.lacks("dim", dim)
    return f"lamina::{o.class_name}<{dim}>"


def flatten(o):
    dims = [o.take("start_dim", 1), o.take("end_dim", -1)]
    given = dims if dims[1] != -1 else dims[:1] if dims[0] != 1 else []
    return f"lamina::Flatten<{', '.join(map(str, given))}>"


def plain(o):
    return f"lamina::{o.class_name}"


def identity(o):
    o.left.clear()  # nn.Identity takes any argument and heeds none
    return "lamina::Identity"


def loss_options(o):
    for name in ("size_average", "reduce", "weight", "pos_weight"):
        o.require(name, None)
    return "lamina::Reduction::" + o.require("reduction", "mean", "sum", "none")


def pair_loss(o):
    reduction = loss_options(o)
    return f"lamina::{o.class_name}<{'' if reduction.endswith('mean') else reduction}>"


def cross_entropy_loss(o):
    options = {"reduction": loss_options(o), "ignore_index": str(o.take("ignore_index", -100))}
    options["label_smoothing"] = real(o.take("label_smoothing", 0))
    defaults = {"reduction": "lamina::Reduction::mean", "ignore_index": "-100", "label_smoothing": "0.0"}
    return with_options("CrossEntropyLoss", [], "cross_entropy_options", options, defaults)


IMAGES = range(4, 5)
ONE_IMAGE_TOO = range(3, 5)
ANY = range(0, 7)

# Class: its type, and the numbers of dimensions it takes.
LEAVES = {
    "AdaptiveAvgPool2d": (adaptive_avg_pool2d, ONE_IMAGE_TOO),
    "AvgPool2d": (avg_pool2d, ONE_IMAGE_TOO),
    "BCEWithLogitsLoss": (pair_loss, ANY),
    "BatchNorm1d": (batch_norm, range(2, 4)),
    "BatchNorm2d": (batch_norm, IMAGES),
    "Conv2d": (conv2d, ONE_IMAGE_TOO),
    "ConvTranspose2d": (conv_transpose2d, ONE_IMAGE_TOO),
    "CrossEntropyLoss": (cross_entropy_loss, range(2, 7)),
    "Dropout": (number_and_inplace("Dropout", "p", 0.5), ANY),
    "Flatten": (flatten, ANY),
    "GELU": (gelu, ANY),
    "GroupNorm": (group_norm, range(2, 7)),
    "Identity": (identity, ANY),
    "L1Loss": (pair_loss, ANY),
    "LayerNorm": (layer_norm, range(1, 7)),
    "LeakyReLU": (number_and_inplace("LeakyReLU", "negative_slope", 0.01), ANY),
    "Linear": (linear, range(1, 7)),
    "LogSoftmax": (softmax, range(1, 7)),
    "MSELoss": (pair_loss, ANY),
    "MaxPool2d": (max_pool2d, ONE_IMAGE_TOO),
    "ReLU": (inplace("ReLU"), ANY),
    "SiLU": (inplace("SiLU"), ANY),
    "Sigmoid": (plain, ANY),
    "Softmax": (softmax, range(1, 7)),
    "Tanh": (plain, ANY),
    "Upsample": (upsample, IMAGES),
}
CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


def leaf_type(class_name, options):
    """The lamina type of a layer."""
    if class_name not in LEAVES:
        raise Lacking(f"no lamina equivalent of class nn.{class_name}")
    o = Options(class_name, options)
    text = LEAVES[class_name][0](o)
    o.end()
    return text


# ---- names

# Keywords and alternative tokens of C++20; Python's own can be no names of attributes.
CPP_KEYWORDS = set(
    """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
    compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype
    default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline
    int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template
    this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t
    while xor xor_eq""".split()
)


def is_identifier(name):
    return bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)) and name not in CPP_KEYWORDS


def local_name(name):
    """A name for a local variable or namespace, close to the given one."""
    name = re.sub(r"\W", "_", name)
    return name + "_" if name in CPP_KEYWORDS or keyword.iskeyword(name) or name in ("lamina", "std") else name


# ---- parameters


@dataclasses.dataclass
class Stored:
    """A parameter or buffer of a module that is no layer."""

    name: str
    kind: str  # parameter, buffer or transient
    element: str
    shape: list

    def declaration(self):
        shape = f"lamina::Shape<{', '.join(map(str, self.shape))}>"
        element = "" if self.element == "float" else f", {self.element}"
        if self.kind == "parameter":
            return f"lamina::Parameter<{shape}{element}> {self.name};"
        if self.kind == "transient":
            return f"lamina::Buffer<{shape}, {self.element}, lamina::Persistence::transient> {self.name};"
        return f"lamina::Buffer<{shape}{element}> {self.name};"
