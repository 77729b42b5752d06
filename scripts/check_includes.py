#!/usr/bin/env python3
"""Checks that every #include follows the arrows of docs/architecture.md.

The arrows of host/ and agent/ are the DEPS of bittern_room() in their CMakeLists.txt (an arrow may be followed further);
those of the other folders are the table below. Checks too that a file which uses a name of the standard library includes
its header, itself or in the header of the same name: which headers include others differs between versions of the library.
Prints every line that breaks a rule, and exits 1 if there is any.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Folder -> what it may use beside itself. "rooms" stands for every room of host/ and agent/.
FOLDERS = {
    "sim": ["host/protocol", "host/base"],
    "apps/device": ["sim", "host/variant", "host/device", "host/protocol", "host/base"],
    "apps": ["rooms"],
    "bench": ["rooms", "sim", "apps", "tests"],  # benchmarks run the known problems of the tests
    "tests": ["rooms", "sim", "apps"],
}
# Libraries that only some folders may include, by the first part of <...>.
LIBRARIES = {
    "torch/": ["agent", "tests/agent", "bench", "apps/bittern/agent_main.cpp", "apps/bittern/run.cpp",
               "apps/bittern/train.cpp"],
    "systemc": ["sim", "tests/sim", "tests/rtl", "bench", "apps/device"],
    "verilated": ["sim", "tests/sim", "tests/rtl", "bench"],
}

# Names of the standard library, by the header that has to be included for them. A "(" after a list: functions, looked for
# with their parenthesis.
STANDARD = {
    "algorithm": "adjacent_find|all_of|any_of|binary_search|clamp|copy|copy_if|copy_n|count|count_if|equal|equal_range|fill|"
                 "fill_n|find|find_if|for_each|generate|is_sorted|lexicographical_compare|lower_bound|max|max_element|min|"
                 "min_element|minmax_element|mismatch|none_of|nth_element|partial_sort|remove|remove_if|replace|reverse|"
                 "rotate|search|shuffle|sort|stable_sort|swap_ranges|transform|unique|upper_bound(",
    "array": "array",
    "atomic": "atomic",
    "chrono": "chrono",
    "cmath": "abs|ceil|exp|floor|isfinite|isnan|llround|log|log2|lround|pow|round|sqrt|tanh(",
    "condition_variable": "condition_variable",
    "cstdlib": "abort|getenv|strtol(",
    "cstring": "memcmp|memcpy|memmove|memset|strcmp|strerror|strlen(",
    "functional": "bind|cref|function|hash|ref",
    "limits": "numeric_limits",
    "map": "map|multimap",
    "memory": "make_shared|make_unique|shared_ptr|unique_ptr|weak_ptr",
    "mutex": "lock_guard|mutex|scoped_lock|unique_lock",
    "numeric": "accumulate|gcd|inner_product|iota|lcm|partial_sum|reduce(",
    "optional": "nullopt|optional",
    "random": "mt19937|mt19937_64",
    "set": "set",
    "thread": "this_thread|thread",
    "tuple": "make_tuple|tie|tuple",
    "variant": "get_if|holds_alternative|variant|visit",
}


def standard_names(path, text, own_header):
    """Problems of a file with names of the standard library; `own_header` is the text of its header, or empty."""
    included = set(re.findall(r"#\s*include\s+<([^>]+)>", text + own_header))
    code = [re.sub(r"//.*", "", line) for line in text.splitlines()]
    for header, names in STANDARD.items():
        if header in included:
            continue
        pattern = r"\bstd::(%s)%s" % (names.rstrip("("), r"(<[^()]*>)?\(" if names.endswith("(") else r"\b")
        for number, line in enumerate(code, 1):
            used = re.search(pattern, line)
            if used:
                yield f"{path}:{number}: std::{used.group(1)} without #include <{header}>"
                break


def read_rooms():
    """Room -> (DEPS, TEST_DEPS) as CMake has them. The library bittern_torch is the header agent/torch.h."""
    rooms = {}
    for file in ("host/CMakeLists.txt", "agent/CMakeLists.txt"):
        for call in re.findall(r"bittern_room\(([^)]*)\)", (ROOT / file).read_text()):
            words = call.split()
            lists = {"DEPS": [], "TEST_DEPS": [], "LIBS": []}
            current = None
            for word in words[1:]:
                if word.isupper():
                    current = word
                elif current in lists:
                    lists[current].append(word)
            if "bittern_torch" in lists["LIBS"]:
                lists["DEPS"].append("agent/torch.h")
            rooms[words[0]] = (lists["DEPS"], lists["TEST_DEPS"])
    return rooms


def closure(start, rooms):
    """Everything that can be reached from these rooms."""
    seen = set()
    todo = list(start)
    while todo:
        room = todo.pop()
        if room not in seen:
            seen.add(room)
            todo += rooms.get(room, ([], []))[0]
    return seen


def within(path, folder):
    return path == folder or path.startswith(folder + "/")


def allowed_for(path, rooms):
    """Folders that the file may include from, or None when no rule is known for it."""
    for room, (_, test_deps) in rooms.items():
        if within(path, room):
            return closure([room], rooms)
        if within(path, "tests/" + room):
            reached = closure([room] + test_deps, rooms)
            return reached | {"tests/" + used for used in reached}
    for folder, uses in FOLDERS.items():
        if within(path, folder):
            allowed = {folder} | {use for use in uses if use != "rooms"}
            return allowed | set(rooms) if "rooms" in uses else allowed
    return None


def main():
    rooms = read_rooms()
    known = sorted({room.split("/")[0] for room in rooms} | {f.split("/")[0] for f in FOLDERS})
    problems = []
    count = 0
    for file in sorted(ROOT.rglob("*")):
        path = file.relative_to(ROOT).as_posix()
        if file.suffix not in (".h", ".cpp") or path.split("/")[0] not in known:
            continue
        allowed = allowed_for(path, rooms)
        text = file.read_text(errors="replace")
        own_header = file.with_suffix(".h")
        problems += standard_names(
            path, text, own_header.read_text() if file.suffix == ".cpp" and own_header.exists() else "")
        for number, line in enumerate(text.splitlines(), 1):
            local = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            system = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            if local and local.group(1).split("/")[0] in known and "/" in local.group(1):
                count += 1
                target = local.group(1)
                if not (ROOT / target).exists():
                    problems.append(f"{path}:{number}: {target} does not exist")
                elif allowed is not None and not any(within(target, folder) for folder in allowed):
                    problems.append(f"{path}:{number}: may not use {target} (no arrow in docs/architecture.md)")
            if system:
                for prefix, folders in LIBRARIES.items():
                    if system.group(1).startswith(prefix) and not any(within(path, f) for f in folders):
                        problems.append(f"{path}:{number}: <{system.group(1)}> may be included only in {', '.join(folders)}")
    for problem in problems:
        print(problem)
    if count == 0:
        print("no include was found: this script looks in the wrong place")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
