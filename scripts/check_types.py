#!/usr/bin/env python3
"""Checks that no two files define types of one name in one namespace (the one definition rule): check_types.py [FILE...]

The linker takes one of two inline destructors of such a name for both, whichever it meets first, and says nothing. Types in nameless
namespaces, inside other types, and those that a .cpp defines for its own header (`struct Wall::State`) do not count. Without files:
all that git knows. Prints each name with its files, and exits 1 if there is any.
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Comments and literals, whose braces open nothing.
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])\'', re.S)
TOKEN = re.compile(r"namespace(?P<space>[\s\w:]*)\{|(?:struct|class)\s+(?P<type>[\w:]+)(?:\s+final)?(?:\s*:(?!:)[^;{}()]*)?\s*\{|"
                   r"(?P<open>\{)|(?P<close>\})")
INNER = object()  # a brace that is no namespace


def types_of(text):
    """Qualified names of the types that a file defines for everybody."""
    spaces = []
    for found in TOKEN.finditer(NOISE.sub(" ", text)):
        if found["space"] is not None:
            spaces.append(found["space"].strip() or None)
        elif found["type"]:
            if all(isinstance(space, str) for space in spaces) and "::" not in found["type"]:
                yield "::".join([*spaces, found["type"]])
            spaces.append(INNER)
        elif found["open"]:
            spaces.append(INNER)
        elif spaces:
            spaces.pop()


def main():
    files = sys.argv[1:] or subprocess.run(["git", "ls-files", "*.h", "*.cpp"], cwd=ROOT, capture_output=True, text=True,
                                           check=True).stdout.split()
    defined = collections.defaultdict(set)
    for file in files:
        for name in types_of((ROOT / file).read_text(encoding="utf-8")):
            defined[name].add(file)
    twice = {name: sorted(places) for name, places in defined.items() if len(places) > 1}
    for name, places in sorted(twice.items()):
        print(f"{name} is defined in {' and in '.join(places)}: give one of them another name")
    sys.exit(1 if twice else 0)


if __name__ == "__main__":
    main()
