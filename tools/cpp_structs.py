"""Structs of C++ as text: numbers that differ between modules of one class become template parameters."""

import re

COLUMNS = 120

# A number in a type, and what it is for: the name of a template parameter.
HOLE = re.compile("\1(-?\\d+)\\|(\\w+)\2")
FIXED = {
    "Conv2d": ("In", "Out"),
    "ConvTranspose2d": ("In", "Out"),
    "Linear": ("In", "Out"),
    "BatchNorm1d": ("Channels",),
    "BatchNorm2d": ("Channels",),
    "GroupNorm": ("Groups", "Channels"),
}
# A struct of the header in a type.
REFERENCE = re.compile("\3(\\d+)\3")


def hole(number, role):
    return f"\1{number}|{role}\2"


def with_holes(text):
    """The type of a layer with its numbers marked."""

    def option(match):
        return f".{match[1]} = {hole(match[2], match[1].title().replace('_', ''))}"

    name, bracket, arguments = text.partition("<")
    for role in FIXED.get(name.removeprefix("lamina::"), ()):
        arguments = re.sub(r"(?<![\w.|\1])(\d+)(?=[,>])", lambda match: hole(match[1], role), arguments, count=1)
    return name + bracket + re.sub(r"\.(\w+) = (\d+)(?=[,}])", option, arguments)


class Struct:
    """Modules of one class that differ in numbers at most: one struct, with a template parameter for each number."""

    def __init__(self, of, lines, names):
        self.of, self.lines, self.names = of, lines, names
        self.instances = []  # the numbers of each module
        self.parameters = []  # name of the template parameter of each number; None: the number is the same in all
        self.name = of.__name__

    def name_parameters(self):
        """Decides which numbers become parameters: those that differ."""
        columns = list(zip(*self.instances))
        used = {}
        for column, (_, role) in zip(columns, HOLE.findall("\n".join(self.lines))):
            if len(set(column)) > 1:
                used.setdefault(column, set()).add(role)
        kinds = {column: kind_of(of) for column, of in used.items()}
        names = {}
        for column, kind in kinds.items():
            if kind == "Width" and len(kinds) == 1:
                kind = "Channels"
            elif kind in ("Width", "Channels") and "Out" not in kinds.values() and "Out" not in names.values():
                kind = "Out" if len(kinds) > 1 else kind
            name, number = kind, 2
            while name in names.values():
                name, number = f"{kind}{number}", number + 1
            names[column] = name
        self.parameters = [names.get(column) for column in columns]

    def arguments(self, numbers):
        """What stands behind the name for the module with these numbers."""
        given = {name: number for name, number in zip(self.parameters, numbers) if name}
        return f"<{', '.join(hole(number, name) for name, number in given.items())}>" if given else ""

    def needs(self):
        """The numbers (id) of the structs that stand in this one."""
        return map(int, REFERENCE.findall("\n".join(self.lines)))

    def text(self, structs, space):
        """The definition. structs: {id: Struct} of the header; space: its namespace."""
        numbers = iter(zip(self.parameters, self.instances[0]))

        def fill(_):
            name, number = next(numbers)
            return name or number

        def name_of(match):
            name = structs[int(match[1])].name
            return f"{space}::{name}" if name in hiding else name

        body = HOLE.sub(fill, "\n".join(self.lines))
        hiding = {*self.names, *re.findall(r"auto (\w+)", body)}
        body = REFERENCE.sub(name_of, body)
        body = shortened(body, hiding | {struct.name for struct in structs.values()})
        lines = [wrapped for line in body.split("\n") for wrapped in wrap(line, COLUMNS - 2)]
        if self.name != self.of.__name__:
            lines[:0] = [f'static constexpr std::string_view lamina_name = "{self.of.__name__}";', ""]
        given = dict.fromkeys(name for name in self.parameters if name)
        template = f"template <{', '.join('int ' + name for name in given)}> " if given else ""
        lines = ["  " + line if line else "" for line in lines]
        title = f"/// {self.of.__module__}.{self.of.__qualname__}"
        return "\n".join([title, f"{template}struct {self.name} {{", *lines, "};"])


def kind_of(roles):
    """A name for a number that is used in several roles."""
    mixed = "Width" in roles or "In" in roles and roles & {"Out", "Channels"}
    if mixed:
        return "Width"
    return "Out" if "Out" in roles else min(roles)


def shortened(text, hidden):
    """lamina::name as name, but for hidden names."""
    return re.sub(r"lamina::(\w+)", lambda match: match[0] if match[1] in hidden else match[1], text)


# ---- layout

HEADERS = {
    "lamina/compose/module_dict.hpp": "ModuleDict",
    "lamina/compose/module_list.hpp": "ModuleList",
    "lamina/compose/sequential.hpp": "Sequential",
    "lamina/layers/activations.hpp": "GELU|LeakyReLU|ReLU|ReLUInplace|SiLU|SiLUInplace|Sigmoid|Tanh",
    "lamina/layers/batch_norm.hpp": "BatchNorm1d|BatchNorm2d",
    "lamina/layers/conv2d.hpp": "Conv2d",
    "lamina/layers/conv_transpose2d.hpp": "ConvTranspose2d",
    "lamina/layers/dropout.hpp": "Dropout|Identity",
    "lamina/layers/flatten.hpp": "Flatten",
    "lamina/layers/functional.hpp": r"operator",
    "lamina/layers/group_norm.hpp": "GroupNorm",
    "lamina/layers/layer_norm.hpp": "LayerNorm",
    "lamina/layers/linear.hpp": "Linear",
    "lamina/layers/losses.hpp": "BCEWithLogitsLoss|CrossEntropyLoss|L1Loss|MSELoss",
    "lamina/layers/pooling.hpp": "AdaptiveAvgPool2d|AvgPool2d|MaxPool2d",
    "lamina/layers/softmax.hpp": "LogSoftmax|Softmax",
    "lamina/layers/upsample.hpp": "Upsample",
    "lamina/meta/counts.hpp": "output_shape",
    "lamina/reflect/keys.hpp": "parameter_count",
    "lamina/tensor/parameter.hpp": "Parameter|Buffer",
    "tuple": "tuple",
    "type_traits": "is_same_v",
}


def headers_for(text):
    return [header for header, names in HEADERS.items() if re.search(rf"\b(?:{names})\b", text)]


def arguments_of(text):
    """The arguments of a template at depth 0."""
    depth, start = 0, 0
    for position, letter in enumerate(text):
        depth += (letter in "<({") - (letter in ">)}")
        if letter == "," and depth == 0:
            yield text[start:position]
            start = position + 2
    yield text[start:]


def filled(text, column, columns):
    """A type or a list that begins at a column, its arguments in lines behind one another."""
    if column + len(text) <= columns or not text.endswith((">", ")")):
        return text
    opening = min(text.index(bracket) for bracket in "<(" if bracket in text) + 1
    start = at = column + opening
    result = text[:opening]
    arguments = list(arguments_of(text[opening:-1]))
    for number, argument in enumerate(arguments, 1):
        argument += "," if number < len(arguments) else text[-1]
        if at > start and at + 1 + len(argument) > columns:
            result += "\n" + " " * start
            at = start
        elif at > start:
            result += " "
            at += 1
        argument = filled(argument[:-1], at, columns - 1) + argument[-1]
        result += argument
        at = at + len(argument) if "\n" not in argument else len(argument.rpartition("\n")[2])
    return result


def wrap(line, columns=COLUMNS):
    """A declaration in lines that are not too long."""
    if len(line) <= columns:
        return [line]
    declared = re.fullmatch(r"(.*>) (\w+;)", line)
    if declared:
        return [*filled(declared[1], 0, columns).split("\n"), f"    {declared[2]}"]
    return filled(line, 0, columns).split("\n")
