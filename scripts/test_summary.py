#!/usr/bin/env python3
"""Closing lines of a test run: why tests were skipped, and how many passed, failed and were skipped.

    scripts/test_summary.py JUNIT_FILE [--strict]

JUNIT_FILE is what `ctest --output-junit` wrote. Skipped tests are grouped by the reason they gave. With --strict, a skip that
tests/allowed_skips.txt does not allow is a failure: exit status 1. The last line is 'N passed, N failed, N skipped'.
"""

import argparse
import collections
import os
import pathlib
import re
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = ROOT / "tests" / "allowed_skips.txt"


def allowed_skips(path=ALLOWED):
    """[(condition, compiled regular expression of test names)] of the file; its format is explained there."""
    rules = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        words = line.split()
        if len(words) != 2 or not re.fullmatch(r"always|unset:\w+|missing:\S+", words[0]):
            sys.exit(f"{path}:{number}: expected 'CONDITION TEST_EXPRESSION', with always, unset:VARIABLE or missing:PATH|PATH...")
        rules.append((words[0], re.compile(words[1])))
    return rules


def holds(condition):
    kind, _, rest = condition.partition(":")
    if kind == "always":
        return True
    if kind == "unset":
        return not os.environ.get(rest)
    paths = [os.path.expandvars(path) for path in rest.split("|")]
    return not any((ROOT / path).exists() for path in paths if "$" not in path)


def reason_of(output):
    """What a test said on skipping: the line after GoogleTest's 'file:line: Skipped', or the last line of another program."""
    match = re.search(r"^\S+:\d+: Skipped\n((?:.+\n?)*)", output, flags=re.M)
    if match:
        text = match.group(1)
        return " ".join(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("["))
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("junit")
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()

    passed, failed, skipped = 0, [], []
    for case in xml.etree.ElementTree.parse(options.junit).getroot().iter("testcase"):
        name = case.get("name").split("  # GetParam()")[0]  # bytes in memory say nothing
        if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped.append((name, reason_of(case.findtext("system-out") or "")))
        elif case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            failed.append(name)
        else:
            passed += 1

    groups = collections.defaultdict(list)
    for name, reason in skipped:
        groups[reason].append(name)
    if groups:
        print("skipped:")
    for reason, names in sorted(groups.items()):
        print(f"  {len(names)} x {reason}")
        print(f"      {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}")

    rules = allowed_skips()
    wrong = [name for name, _ in skipped if not any(rule.fullmatch(name) and holds(condition) for condition, rule in rules)]
    if options.strict and wrong:
        print(f"{len(wrong)} tests may not be skipped here (see tests/allowed_skips.txt):")
        for name in wrong:
            print(f"  {name}")
    if failed:
        print("failed:")
        for name in failed:
            print(f"  {name}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or (options.strict and wrong) or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
