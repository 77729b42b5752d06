#!/usr/bin/env python3
"""Checks that no two names of a SystemVerilog module differ only in upper and lower case.

Tools that do not tell them apart take them for one, and newer Verilators warn of them (SIMILARNAME). Names are those of
parameters, ports, signals and variables, nested generate blocks included, but not of loops (for m from 0 to M): those are gone
once the module is elaborated. Prints every pair; exit status 1 if there is any.

    scripts/check_names.py [file.sv ...]     default: every .sv file of rtl/, sim/ and tests/
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The words that a declaration starts with; what follows up to the first name is its type and packed dimensions.
KIND = r"(?:localparam|parameter|input|output|inout|logic|bit|reg|wire|int|integer)"
DECLARATION = re.compile(
    rf"\b{KIND}\b(?:\s+(?:{KIND}|unsigned|signed|var|[a-z_0-9]+::\w+))*\s*(?:\[[^\]]*\]\s*)*([A-Za-z_]\w*)")


def names_of(module):
    """Declared names of a module's text, in their order."""
    names = []
    for match in DECLARATION.finditer(module):
        names.append(match.group(1))
        # Further names of the same declaration: "logic a, b;". Ports and parameters repeat their kind.
        rest = re.match(r"((?:\s*\[[^\]]*\])*\s*,\s*([A-Za-z_]\w*)(?=\s*[,;\[]))+", module[match.end():])
        if rest:
            names += re.findall(r",\s*([A-Za-z_]\w*)", rest.group(0))
    return names


def similar_names(text):
    """(module, first name, second name) of every pair that differs only in case."""
    text = re.sub(r"/\*.*?\*/", " ", re.sub(r"//.*", "", text), flags=re.S)
    text = re.sub(r"\bfor\s*\(\s*(?:genvar|int(?:\s+unsigned)?)\b", "for (", text)
    for match in re.finditer(r"\b(?:module|package|interface)\s+(?:automatic\s+)?(\w+)(.*?)\bend(?:module|package|interface)\b",
                             text, flags=re.S):
        seen = {}
        for name in names_of(match.group(2)):
            first = seen.setdefault(name.lower(), name)
            if first != name:
                yield match.group(1), first, name


def main():
    files = [pathlib.Path(name) for name in sys.argv[1:]]
    if not files:
        files = sorted(file for folder in ("rtl", "sim", "tests") for file in (ROOT / folder).rglob("*.sv*"))
    problems = []
    modules = 0
    for file in files:
        text = file.read_text()
        modules += len(re.findall(r"\bendmodule\b", text))
        for module, first, second in sorted(set(similar_names(text))):
            problems.append(f"{file}: module {module}: '{first}' and '{second}' differ only in case")
    for problem in problems:
        print(problem)
    if modules == 0:
        print("no module was found: this script looks in the wrong place")
    return 1 if problems or modules == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
