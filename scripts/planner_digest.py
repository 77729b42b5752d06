#!/usr/bin/env python3
"""Writes a source file that defines bittern::planner_hash(), unless it is already there with the same content.

    planner_digest.py FILE [SOURCE_DIR]

The hash covers all that plans are made by: the sources of host/cores, host/variant and host/network/layer, every header of
the house that these include, and of the headers of host/integer among them what they declare (the .cpp beside). Of each its tokens count (source_digest.py), so comments and white space
do not change it.
"""

import hashlib
import pathlib
import re
import sys

import source_digest

FOLDERS = ["host/cores", "host/variant"]
FILES = ["host/network/layer.h", "host/network/layer.cpp"]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def planner_sources(root):
    """Paths relative to `root`, sorted."""
    open_paths = [root / file for file in FILES]
    for folder in FOLDERS:
        open_paths += [path for path in (root / folder).rglob("*") if path.suffix in (".h", ".cpp")]
    found = set()
    while open_paths:
        path = open_paths.pop()
        if path in found:
            continue
        found.add(path)
        if path.parent == root / "host/integer" and path.suffix == ".h" and path.with_suffix(".cpp").exists():
            open_paths.append(path.with_suffix(".cpp"))
        open_paths += [root / name for name in INCLUDE.findall(path.read_text(encoding="utf-8")) if (root / name).exists()]
    return sorted(path.relative_to(root).as_posix() for path in found)


def planner_hash(root):
    hashed = hashlib.sha256()
    for name in planner_sources(root):
        digest = source_digest.digest((root / name).read_text(encoding="utf-8"), source_digest.language_of(name))
        hashed.update(f"{digest}  {name}\n".encode())
    return hashed.hexdigest()


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    file = pathlib.Path(arguments[0])
    root = pathlib.Path(arguments[1]) if len(arguments) == 2 else pathlib.Path(__file__).resolve().parent.parent
    try:
        text = ('#include "host/cores/planner_hash.h"\n\n'
                f'std::string bittern::planner_hash() {{ return "{planner_hash(root)}"; }}\n')
        if not file.exists() or file.read_text() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    except (OSError, UnicodeDecodeError, source_digest.SourceError) as error:
        print(f"planner_digest.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
