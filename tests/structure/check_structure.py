"""Checks what no compiler checks, and reports it as TAP.   check_structure.py ROOT [OPT_IN_HEADER...]

Folders of include/lamina depend one way; third-party headers stay where they belong; lamina.hpp names every public
header of the CPU library but the opt-in ones; every test and example is in the list of a meson.build; code in README.md
and docs stands in a file that compiles, and every row of docs/containers.md in a test.
"""

import pathlib
import re
import sys

# folder -> the folders that its headers may include, beside their own
ALLOWED = {
    "core": "",
    "threads": "core",
    "ops": "core",
    "tensor": "core ops",
    "reflect": "core ops tensor",
    "init": "core ops tensor reflect",
    "layers": "core ops tensor",
    "io": "core ops tensor reflect",
    "compose": "core ops tensor reflect layers",
    "models": "core ops tensor reflect layers compose",
    "meta": "core ops tensor reflect",
    "plan": "core ops tensor reflect meta",
    "backend/cpu": "core threads ops tensor plan",
    "backend/cuda": "core ops tensor plan",
    "eager": "core ops tensor backend/cpu",
    "engine": "core threads ops tensor reflect meta plan backend/cpu",
    "train": "core ops tensor reflect init layers compose meta plan eager engine backend/cpu io",
    "cuda": "core threads ops tensor reflect meta plan eager engine backend/cpu backend/cuda io parallel",
    "parallel": "core threads ops tensor reflect init layers compose meta plan eager engine backend/cpu io train",
}

# beginning of a third-party header's name -> the only folders that may include it
THIRD_PARTY = {
    "boost/pfr": "reflect",
    "cuda": "cuda",
    "cudnn": "cuda",
    "nvrtc": "cuda",
    "nccl": "cuda",
    "mpi": "parallel",
    "nlohmann/": "io",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def folder_of(header):
    """The row of ALLOWED that a header (its name as in #include) belongs to."""
    parts = header.split("/")
    if parts[0] != "lamina" or len(parts) < 3:
        return None
    return "/".join(parts[1:3]) if parts[1] == "backend" else parts[1]


class Library:
    def __init__(self, root, opt_in):
        self.root = root
        self.opt_in = set(opt_in)
        self.include = root / "include"
        # those of folders: lamina/cuda.hpp is an umbrella as lamina.hpp is
        self.headers = sorted(
            path.relative_to(self.include).as_posix() for path in (self.include / "lamina").glob("*/**/*.hpp")
        )
        self.includes = {}
        for header in self.headers:
            self.includes[header] = INCLUDE.findall((self.include / header).read_text())

    def resolve(self, header, included):
        """The name under include/ of what `header` includes, or None for headers from elsewhere."""
        beside = (self.include / header).parent / included
        if beside.exists():
            return beside.resolve().relative_to(self.include.resolve()).as_posix()
        return included if (self.include / included).exists() else None


def table_has_no_cycle(library):
    allowed = {folder: set(names.split()) for folder, names in ALLOWED.items()}
    for folder, names in allowed.items():
        for name in names - set(allowed):
            yield f"{folder}: {name} has no row"
    remaining = dict(allowed)
    while remaining:
        free = [folder for folder, names in remaining.items() if not names & set(remaining)]
        if not free:
            yield "these depend on each other: " + " ".join(sorted(remaining))
            return
        for folder in free:
            del remaining[folder]


def folders_depend_one_way(library):
    for header in library.headers:
        folder = folder_of(header)
        if folder not in ALLOWED:
            yield f"{header}: no row of the table allows this folder"
            continue
        for included in library.includes[header]:
            name = library.resolve(header, included)
            if name is None:
                if included.startswith("lamina"):
                    yield f"{header}: includes {included}, which does not exist"
            elif folder_of(name) is None:
                yield f"{header}: includes {name}, the headers of folders do not"
            elif folder_of(name) != folder and folder_of(name) not in ALLOWED[folder].split():
                yield f"{header}: {folder} must not include {name}"


def no_header_includes_itself_again(library):
    """Cycles of headers, inside one folder too."""
    state = {}

    def visit(header, path):
        state[header] = "open"
        for included in library.includes[header]:
            name = library.resolve(header, included)
            if name not in library.includes:
                continue
            if state.get(name) == "open":
                yield " -> ".join([*path[path.index(name) :], name]) if name in path else f"{header} -> {name}"
            elif name not in state:
                yield from visit(name, [*path, name])
        state[header] = "done"

    for header in library.headers:
        if header not in state:
            yield from visit(header, [header])


def third_party_headers_stay_in_place(library):
    for header in library.headers:
        for included in library.includes[header]:
            for beginning, folders in THIRD_PARTY.items():
                if included.startswith(beginning) and folder_of(header) not in folders.split():
                    yield f"{header}: {included} belongs to {folders.replace(' ', ' and ')}"


def every_header_has_pragma_once(library):
    for header in library.headers:
        if "#pragma once" not in (library.include / header).read_text():
            yield header


def umbrella_is_complete_and_sorted(library):
    named = [name for name in INCLUDE.findall((library.include / "lamina.hpp").read_text()) if name.startswith("lamina/")]
    public = [header for header in library.headers if header not in library.opt_in]
    for header in sorted(set(public) - set(named)):
        yield f"lamina.hpp does not include {header}"
    for header in sorted(set(named) - set(public)):
        yield f"lamina.hpp includes {header}, which is not one of its headers"
    for first, second in zip(named, named[1:]):
        if not first < second:
            yield f"lamina.hpp: {second} must not come after {first}"


def every_source_is_listed(library):
    for folder in ("tests", "examples"):
        for source in sorted((library.root / folder).rglob("*.cpp")):
            lists = []
            for parent in source.parents:
                if (parent / "meson.build").exists():
                    lists.append((parent, (parent / "meson.build").read_text()))
                if parent == library.root / folder:
                    break
            for parent, text in lists:
                name = source.relative_to(parent).as_posix()
                if f"'{name}'" in text or f"'{name[: -len('.cpp')]}'" in text:
                    break
            else:
                yield f"{source.relative_to(library.root).as_posix()} is in the list of no meson.build"


def code_in_pages_compiles(library):
    """Every block of C++ in README.md and docs stands, but for white space, in a file that a build compiles."""
    def plain(text):
        return "".join(text.split())

    compiled = [
        plain(path.read_text())
        for folder in ("examples", "tests", "include")
        for path in (library.root / folder).rglob("*.[ch]pp")
    ]
    for page in [library.root / "README.md", *sorted((library.root / "docs").glob("*.md"))]:
        for block in re.findall(r"^```cpp\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            if not any(plain(block) in text for text in compiled):
                yield f"{page.relative_to(library.root).as_posix()}: no file has the block that begins {block.splitlines()[0]!r}"


def rows_of_containers_are_tested(library):
    """The code in the second column of the tables of docs/containers.md stands in a test of compose/."""
    tests = ["".join(path.read_text().split()) for path in (library.root / "tests" / "unit" / "compose").glob("*.cpp")]
    for line in (library.root / "docs" / "containers.md").read_text().splitlines():
        cells = line.split(" | ")
        if not line.startswith("| ") or len(cells) < 3 or cells[1] in ("lamina", "-"):
            continue
        for code in re.findall(r"`([^`]+)`", cells[1]) or [cells[1]]:
            if not any("".join(code.split()) in test for test in tests):
                yield f"no test has {code!r}"


CHECKS = [
    table_has_no_cycle,
    folders_depend_one_way,
    no_header_includes_itself_again,
    third_party_headers_stay_in_place,
    every_header_has_pragma_once,
    umbrella_is_complete_and_sorted,
    every_source_is_listed,
    code_in_pages_compiles,
    rows_of_containers_are_tested,
]


def main():
    library = Library(pathlib.Path(sys.argv[1]), sys.argv[2:])
    print("TAP version 13")
    for number, check in enumerate(CHECKS, 1):
        findings = list(check(library))
        print(f"{'not ok' if findings else 'ok'} {number} - {check.__name__.replace('_', ' ')}")
        for finding in findings:
            print("#   " + finding)
    print(f"1..{len(CHECKS)}")


main()
