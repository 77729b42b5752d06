#!/usr/bin/env python3
"""Runs clang-tidy on the sources of host/, agent/, apps/ and sim/, as a build folder compiles them. Prints findings; exit
status 1 when there are any.

    scripts/tidy.py BUILD_FOLDER [expression...] [--tests] [--analyzer] [--jobs N] [--no-cache]

expression   only files whose path matches one of these regular expressions
--tests      the tests instead of the sources
--analyzer   clang's path-sensitive analyzer, too, and the one check that takes a third of the time of all: takes twice as
             long, so scripts/check_deep.sh runs it and continuous integration does not

A file that was clean is not looked at again while nothing changed that it depends on: it, what it includes of the tree, its
command, .clang-tidy and the version of clang-tidy. That is kept in ${XDG_CACHE_HOME:-~/.cache}/bittern/tidy.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ("host/", "agent/", "apps/", "sim/")
# What GCC alone understands. Its precompiled header, too: clang reads the sources without.
DROPPED = re.compile(r"-fpch-preprocess|-Winvalid-pch|-mmem(cpy|set)-strategy=.*|-Werror.*")


def command_for_clang(words):
    """The compiler's arguments of an entry, for clang, without output and source."""
    out = []
    words = iter(words)
    for word in words:
        if word == "-include":
            header = next(words)
            if "cmake_pch" not in header:
                out += [word, header]
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            next(words)
        elif word not in ("-c", "-MD", "-MMD") and not DROPPED.fullmatch(word):
            out.append(word)
    return out


def entries(build, tests):
    """(path in the tree, arguments for clang, folder) of every source."""
    prefixes = ("tests/",) if tests else SOURCES
    seen = set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        try:
            path = file.resolve().relative_to(ROOT).as_posix()
        except ValueError:
            continue
        if path in seen or not path.startswith(prefixes) or not path.endswith(".cpp"):
            continue
        seen.add(path)
        words = shlex.split(entry["command"])
        while words[0].endswith(("ccache", "cmake")) or words[0] in ("-E", "env") or "=" in words[0]:
            words = words[1:]  # a launcher
        yield path, command_for_clang(words[1:-1] if words[-1].endswith(".cpp") else words[1:]), entry["directory"]


def digest(path, command, settings):
    """Of everything in the tree that the outcome depends on."""
    total = hashlib.sha256(json.dumps([command, settings]).encode())
    todo, seen = [path], set()
    while todo:
        name = todo.pop()
        if name in seen or not (ROOT / name).is_file():
            continue
        seen.add(name)
        content = (ROOT / name).read_bytes()
        total.update(name.encode() + b"\0" + content + b"\0")
        todo += sorted(match.decode() for match in re.findall(rb'^\s*#\s*include\s+"([^"]+)"', content, flags=re.M))
    return total.hexdigest()


def tidy(path, command, folder, checks):
    """Findings of a file as text, empty when there are none."""
    with tempfile.TemporaryDirectory() as database:
        entry = {"directory": folder, "file": str(ROOT / path), "arguments": ["clang++", *command, "-c", str(ROOT / path)]}
        (pathlib.Path(database) / "compile_commands.json").write_text(json.dumps([entry]))
        result = subprocess.run(["clang-tidy", "--quiet", "-p", database, f"--checks={checks}", "--warnings-as-errors=*",
                                 str(ROOT / path)], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return ""
    return result.stdout.replace(f"{ROOT}/", "") or result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("expressions", nargs="*")
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--analyzer", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--no-cache", action="store_true")
    options = parser.parse_args()

    checks = "clang-analyzer-*,performance-unnecessary-value-param" if options.analyzer else ""
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    settings = [version, (ROOT / ".clang-tidy").read_text(), checks]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "bittern" / "tidy"
    cache.mkdir(parents=True, exist_ok=True)

    jobs, known = [], 0
    for path, command, folder in entries(options.build, options.tests):
        if options.expressions and not any(re.search(e, path) for e in options.expressions):
            continue
        key = digest(path, command, settings)
        if not options.no_cache and (cache / key).exists():
            known += 1
        else:
            jobs.append((path, command, folder, key))
    if not jobs and not known:
        sys.exit("tidy: no source was found; is the build folder configured?")

    found = 0
    # The largest first, so that the last worker does not run alone for long.
    jobs.sort(key=lambda job: ("-DUSE_C10D_GLOO" not in job[1], -(ROOT / job[0]).stat().st_size))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(tidy, path, command, folder, checks): (path, key) for path, command, folder, key in jobs}
        for done in concurrent.futures.as_completed(running):
            path, key = running[done]
            findings = done.result()
            if findings:
                found += 1
                print(f"{path}:\n{findings}", flush=True)
            else:
                (cache / key).touch()
    print(f"tidy: {len(jobs) + known} files, {known} known to be clean, {found} with findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
