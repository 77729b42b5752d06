#!/usr/bin/env python3
"""Runs clang-tidy on the sources of host/, agent/, apps/ and sim/, as a build folder compiles them. Prints findings; exit
status 1 when there are any.

    scripts/tidy.py BUILD_FOLDER [expression...] [--tests] [--analyzer] [--single] [--jobs N] [--no-cache]

expression   only files whose path matches one of these regular expressions
--tests      the tests instead of the sources
--analyzer   clang's path-sensitive analyzer, too, and the one check that takes a third of the time of all: takes twice as
             long, so scripts/check_deep.sh runs it and continuous integration does not
--single     every file by itself

Most of the time goes into headers that all files share, so that files with equal commands are looked at together: as one file
that includes several of them, as far as their names do not clash. Where that gives a finding, or does not compile, halves are
looked at, down to single files, and what those give is what counts. --analyzer and --tests are always --single.

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
MOST_TOGETHER = 10
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


def run_tidy(file, command, folder, checks, database):
    entry = {"directory": folder, "file": str(file), "arguments": ["clang++", *command, "-c", str(file)]}
    (pathlib.Path(database) / "compile_commands.json").write_text(json.dumps([entry]))
    result = subprocess.run(["clang-tidy", "--quiet", "-p", database, f"--config-file={ROOT / '.clang-tidy'}", f"--checks={checks}",
                             "--warnings-as-errors=*", str(file)], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return ""
    return result.stdout.replace(f"{ROOT}/", "") or result.stderr


def tidy(paths, command, folder, checks):
    """Findings of files with one command, by file; those without any are left out."""
    with tempfile.TemporaryDirectory() as database:
        if len(paths) == 1:
            text = run_tidy(ROOT / paths[0], command, folder, checks, database)
            return {paths[0]: text} if text else {}
        together = pathlib.Path(database) / "together.cpp"
        together.write_text("".join(f'#include "{ROOT / path}"\n' for path in paths))
        # That one includes sources is the point of it.
        if not run_tidy(together, command, folder, f"{checks},-bugprone-suspicious-include".lstrip(","), database):
            return {}
    half = len(paths) // 2
    return {**tidy(paths[:half], command, folder, checks), **tidy(paths[half:], command, folder, checks)}


def names_of(path):
    """Names that a file gives to something outside of functions and classes: two files with one of them cannot be one."""
    text = (ROOT / path).read_text()
    names = set(re.findall(r"^(?:[A-Za-z_][\w:<>,*& ]*[ *&])?(\w+)\(", text, flags=re.M))
    names |= set(re.findall(r"^(?:template <.*>\s+)?(?:class|struct|enum(?: class)?|union) (\w+)", text, flags=re.M))
    names |= set(re.findall(r"^(?:inline |static )*(?:constexpr|const|thread_local|std::atomic)\b[^=;(]*?(\w+)(?:\[\w*\])?(?: =|\{|;)",
                            text, flags=re.M))
    return names | set(re.findall(r"^using (\w+) =", text, flags=re.M))


def batches(jobs, most):
    """Jobs (path, command, folder, key) in groups of at most `most` that can be one file."""
    groups = {}
    for job in jobs:
        groups.setdefault((tuple(job[1]), job[2]), []).append(job)
    out = []
    for group in groups.values():
        made = []  # (jobs, names)
        for job in group:
            names = names_of(job[0])
            place = next((b for b in made if len(b[0]) < most and not names & b[1]), None)
            if place is None:
                made.append(([job], set(names)))
            else:
                place[0].append(job)
                place[1].update(names)
        out += [batch for batch, _ in made]
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("expressions", nargs="*")
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--analyzer", action="store_true")
    parser.add_argument("--single", action="store_true")
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
    single = options.single or options.analyzer or options.tests
    work = batches(jobs, 1 if single else MOST_TOGETHER)
    # Those that take longest first, so that the last worker does not run alone for long.
    work.sort(key=lambda batch: ("-DUSE_C10D_GLOO" not in batch[0][1], -sum((ROOT / job[0]).stat().st_size for job in batch)))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(tidy, [job[0] for job in batch], batch[0][1], batch[0][2], checks): batch for batch in work}
        for done in concurrent.futures.as_completed(running):
            findings = done.result()
            for path, _, _, key in running[done]:
                if path in findings:
                    found += 1
                    print(f"{path}:\n{findings[path]}", flush=True)
                else:
                    (cache / key).touch()
    print(f"tidy: {len(jobs) + known} files, {known} known to be clean, {found} with findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
