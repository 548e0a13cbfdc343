"""A network's modules as lamina types."""

import dataclasses

from pytorch_layers import CONTAINERS, LEAVES, Lacking, is_identifier, leaf_type, local_name, text_literal


@dataclasses.dataclass
class Module:
    """A module of a network: its class, its options, its children by name."""

    path: str
    class_name: str
    options: dict
    children: dict = dataclasses.field(default_factory=dict)


def tree_of(modules):
    """The root of {path: class and options}, which lists parents before their children, children in order."""
    nodes = {}
    for path, described in modules.items():
        options = {name: value for name, value in described.items() if name != "class"}
        nodes[path] = Module(path, described["class"], options)
        if path:
            parent, _, name = path.rpartition(".")
            if parent not in nodes:
                raise Lacking(f"module {path} has no parent in the manifest")
            nodes[parent].children[name] = nodes[path]
    return nodes


def rank_of_result(module, ranks):
    """The number of dimensions that a layer returns; refuses numbers that the library's layer does not take."""
    rank = ranks[0]
    if rank not in LEAVES[module.class_name][1]:
        raise Lacking(f"no lamina equivalent of class nn.{module.class_name} on an input of {rank} dimensions")
    if module.class_name == "Flatten":
        return flattened(rank, module.options.get("start_dim", 1), module.options.get("end_dim", -1))
    if module.class_name.endswith("Loss") and module.options.get("reduction", "mean") != "none":
        return 0
    return rank - 1 if module.class_name == "CrossEntropyLoss" else rank


def flattened(rank, start, end):
    if rank == 0:
        return 1
    return rank - ((end + rank) % rank - (start + rank) % rank)


# ---- networks


class Types:
    """The lamina types of one network: layers and containers as they are, every other class as a struct of its name."""

    def __init__(self, stored, called):
        self.stored = stored  # {path of the module: [Stored]}
        self.called = called  # paths that the graph calls: layers, whatever their class; None without a graph
        self.structs = []  # text, in order of need
        self.known = {}  # declarations of a struct: its name

    def type_of(self, module):
        if module.class_name in CONTAINERS:
            return self.container(module)
        if module.class_name in LEAVES and not module.children:
            return leaf_type(module.class_name, module.options)
        if module.class_name == "DataParallel" and list(module.children) == ["module"]:
            return f"lamina::DataParallel<{self.type_of(module.children['module'])}>"
        if not module.children if self.called is None else module.path in self.called:
            where = f" (module {module.path})" if module.path else ""
            raise Lacking(f"no lamina equivalent of class nn.{module.class_name}{where}")
        return self.aggregate(module)

    def container(self, module):
        if module.path in self.stored:
            raise Lacking(f"no lamina equivalent of parameters of a {module.class_name} (module {module.path})")
        positions = [str(i) for i in range(len(module.children))]
        if module.class_name == "ModuleList" and list(module.children) != positions:
            raise Lacking(f"no lamina equivalent of a ModuleList with names (module {module.path})")
        children = []
        for position, (name, child) in zip(positions, module.children.items()):
            unnamed = name == position and module.class_name != "ModuleDict"
            of = self.type_of(child)
            children.append(of if unnamed else f"lamina::named<{text_literal(name)}, {of}>")
        return f"lamina::{module.class_name}<{', '.join(children)}>"

    def members(self, module):
        """Declarations of the members: parameters, buffers, children."""
        declarations = [entry.declaration() for entry in self.stored.get(module.path, [])]
        names = [entry.name for entry in self.stored.get(module.path, [])] + list(module.children)
        for name in names:
            if not is_identifier(name) or name == module.class_name:
                path = f"{module.path}.{name}" if module.path else name
                raise Lacking(f"no lamina equivalent of module {path}: no C++ member can be named {name}")
        return declarations + [f"{self.type_of(child)} {name};" for name, child in module.children.items()]

    def aggregate(self, module):
        members = self.members(module)
        key = (module.class_name, tuple(members))
        if key not in self.known:
            if not is_identifier(module.class_name):
                raise Lacking(f"no lamina equivalent of the class name {module.class_name}")
            space = "at_" + local_name(module.path)
            self.structs.append(struct_text(module.class_name, members, [], space))
            self.known[key] = f"{space}::{module.class_name}"
        return self.known[key]


def struct_text(name, members, forward, space=None):
    lines = [f"struct {name} {{"] + ["  " + line for line in members + forward] + ["};"]
    return "\n".join([f"namespace {space} {{"] + lines + ["}"] if space else lines)


def access(root, path):
    """The C++ expression of a module or parameter by its dotted path."""
    text, module = "*this", root
    for name in path.split("."):
        if module is None:
            raise Lacking(f"no module or parameter is at {path}")
        if module.class_name in CONTAINERS:
            position = list(module.children).index(name) if name in module.children else None
            if position is None:
                raise Lacking(f"no module is at {path}")
            by_name = module.class_name == "ModuleDict" or name != str(position)
            text = "(*this)" if text == "*this" else text
            text += f"[{text_literal(name)}_m]" if by_name else f"[{position}_c]"
        else:
            text = f"this->{name}" if text == "*this" else f"{text}.{name}"
        module = module.children.get(name)
    return text
