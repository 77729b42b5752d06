#!/usr/bin/env python3
"""Runs every command and sample of README.md and docs/*.md and compares what they print with what the pages show.

    scripts/check_docs.py                        all pages, without what takes minutes
    scripts/check_docs.py --slow README.md       all of one page
    scripts/check_docs.py --list                 what is checked, and what is not and why
    scripts/check_docs.py --update [PAGE...]     writes what the commands print into the pages

How a page says what a block of code is: scripts/docs_blocks.py. Besides, links, files, options, functions, counters and
columns that pages name are looked up (scripts/docs_names.py), and every block of code must be checked or say why not.

Each page has a folder, a home and a measurement store of its own, so that nothing depends on what is in the user's; MNIST
is a stand-in of noise. Times, rates and paths are not compared; hashes and what follows from trained weights only on the
platform that scripts/docs_platform.json describes, which --update writes. Exit status 1 when a page differs.
"""

import argparse
import concurrent.futures
import contextlib
import csv
import difflib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import docs_names
from docs_blocks import PageError, commands_of, read_page, samples_of
from docs_compare import Masks, form, matches, renewed

ROOT = docs_names.ROOT
PLATFORM_FILE = ROOT / "scripts" / "docs_platform.json"
TIMEOUT_S = 600
PRELUDE = re.compile(r"\s*(#include|using |//|$)")


class Workshop:
    """Where the commands of one page run."""

    def __init__(self, folder, build, data):
        self.folder = folder / "work"
        self.build = build
        self.data = data
        self.homes = {"page": folder / "home", "slow": folder / "home-slow"}
        for home in self.homes.values():
            home.mkdir(parents=True)
        (self.folder / "build").mkdir(parents=True)
        (self.folder / "build" / "release").symlink_to(build)
        for name in ("configs", "scripts", "docs"):
            (self.folder / name).symlink_to(ROOT / name)

    def run(self, command, home="page"):
        """(exit status, standard output, standard error)"""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("BITTERN_", "XDG_", "COLUMNS", "NO_COLOR"))}
        environment.update(HOME=str(self.homes[home]), BITTERN_DATA=str(self.data), LC_ALL="C.UTF-8", TZ="UTC", TERM="dumb",
                           PATH=f"{self.build}/bin:{os.environ['PATH']}")
        # Into files: a device that a command leaves in the background would hold a pipe open.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], cwd=self.folder, env=environment,
                                       stdout=out, stderr=err, stdin=subprocess.DEVNULL, start_new_session=True)
            try:
                status = process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                status = 124
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what is left in the background
            process.wait()
            texts = []
            for stream in (out, err):
                stream.seek(0)
                texts.append(stream.read().decode(errors="replace"))
        if status == 124:
            texts[1] += f"did not end within {TIMEOUT_S} s\n"
        return status, *texts

    def folders(self):
        return {str(self.folder): "/home/me", str(self.homes["page"]): "~", str(self.homes["slow"]): "~", str(ROOT): "/opt/bittern"}


def write_data(folder):
    """Four files in the format of MNIST, full of noise: enough for all that looks at the data and does not learn."""
    noise = random.Random(1)
    (folder / "mnist").mkdir(parents=True)
    for part, count in (("train", 6000), ("t10k", 500)):
        sizes = b"".join(size.to_bytes(4, "big") for size in (count, 28, 28))
        (folder / "mnist" / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + sizes + noise.randbytes(count * 784))
        labels = bytes(noise.randrange(10) for _ in range(count))
        (folder / "mnist" / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + count.to_bytes(4, "big") + labels)


def platform_of(shop):
    """What decides hashes (Verilator) and trained weights (LibTorch, the processor)."""
    _, identity, _ = shop.run("bittern-device-bismo_tiny --identity")
    _, agent, _ = shop.run("bittern-agent --version")
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    field = {key: (re.search(rf"^{key}\s*: (.*)$", cpuinfo, re.M) or [None, "unknown"])[1]
             for key in ("model name", "cpu family", "model", "stepping")}
    return {"verilator": (re.search(r"Verilator \S+", identity) or ["unknown"])[0],
            "libtorch": (re.search(r"LibTorch (\S+)", agent) or [None, "unknown"])[1],
            "processor": "{model name}, family {cpu family}, model {model}, stepping {stepping}".format(**field)}


def difference(command, shown, printed):
    lines = list(difflib.unified_diff(shown, printed, "the page", "the command", lineterm="", n=1))
    return f"prints something else than the page shows: {command}\n" + "\n".join(lines[:60])


class Checker:
    def __init__(self, shop, masks, arguments, help_of):
        self.shop, self.masks, self.arguments, self.help_of = shop, masks, arguments, help_of
        self.failures = []
        self.compared = 0
        self.replaced = []  # (first line, number of lines, new lines) for --update

    def fail(self, block, message):
        self.failures.append(f"{block.place}: {message}")

    def ran(self, block, command, home="page", status=0):
        """What a command printed, as lines, or None after a failure. Standard error belongs to it where failing is the point."""
        code, out, err = self.shop.run(command, home)
        if code != status:
            self.fail(block, f"exit status {code}, expected {status}: {command}\n" + (out[-1500:] + err[-1500:]).rstrip())
            return None
        lines = (out + err if status != 0 else out).rstrip("\n").split("\n")
        return [self.masks.named(line).rstrip() for line in lines]

    def check_sample(self, block):
        real = self.arguments.slow or not block.has("slow")
        home = "slow" if block.has("slow") else "page"
        alternatives = block.instead
        for i, (command, shown, start) in enumerate(samples_of(block)):
            if not real and i >= len(alternatives):
                continue
            printed = self.ran(block, command if real else alternatives[i], home, block.status)
            if printed is None:
                continue
            self.compared += 1
            if not real:
                if form(shown) != form(printed):
                    self.fail(block, difference(alternatives[i], form(shown), form(printed)))
                continue
            pages, prints = (self.masks.lines(lines, block.has("trained")) for lines in (shown, printed))
            if not self.arguments.update:
                if not matches(pages, prints):
                    self.fail(block, difference(command, pages, prints))
            elif not matches(pages, prints):
                fresh = renewed(shown, printed)
                if fresh is None:
                    self.fail(block, f"what stands between the ellipses is no longer printed: {command}")
                else:
                    fresh = [(block.indent + line).rstrip() for line in fresh]
                    self.replaced.append((block.line + start, len(shown), fresh))

    def check_run(self, block):
        if block.has("slow") and not self.arguments.slow and not block.instead:
            return
        for command in block.instead or commands_of(block.lines):
            if self.ran(block, command, "page", block.status) is not None:
                self.compared += 1

    def check_file(self, block):
        path = self.shop.folder / block.text
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(block.lines) + "\n")
        self.check_keys(block)

    def check_keys(self, block):
        for key in sorted(docs_names.keys_read(block.key_sources)):
            if not re.search(rf"(?<![\w]){re.escape(key)}:", "\n".join(block.lines)):
                self.fail(block, f"the key `{key}` is read but not shown")
        self.compared += bool(block.key_sources)

    def check_compile(self, block):
        split = next((i for i, line in enumerate(block.lines) if not PRELUDE.match(line)), len(block.lines))
        whole = any(re.match(r"int main\(", line) for line in block.lines)
        body = block.lines if whole else block.lines[:split] + ["void sample() {", *block.lines[split:], "}"]
        source = self.shop.folder / "sample.cpp"
        source.write_text("\n".join(body) + "\n")
        self.ran(block, f"g++ -std=c++17 -fsyntax-only -Wall -Wno-unused -I {ROOT} -I {ROOT}/include {source}")
        self.compared += 1

    def check_numbers(self, block):
        printed = self.ran(block, block.text)
        for number in docs_names.missing_numbers(block, "\n".join(printed)) if printed else []:
            self.fail(block, f"the table has {number}, which is not printed by: {block.text}")
        self.compared += 1

    def check_table(self, block):
        names = docs_names.first_cells(block)
        if block.kind == "columns":
            printed = self.ran(block, block.text)
            wanted = next(csv.reader([printed[0]])) if printed else []
        else:
            names = [name for cell in names for name in docs_names.OPTION.findall(cell)]
            wanted = sorted(self.help_of.options(block.text) - {"--help"})
            if block.text.startswith("bittern "):  # those of every command are described once, elsewhere
                wanted = [option for option in wanted if option not in self.help_of.options("bittern")]
        for name in sorted(set(wanted) - set(names)):
            self.fail(block, f"the table lacks `{name}` of: {block.text}")
        for name in sorted(set(names) - set(wanted)):
            self.fail(block, f"the table has `{name}`, which is not there: {block.text}")
        self.compared += 1

    def check(self, block):
        if block.kind in ("sample", "output"):
            self.check_sample(block)
        elif block.kind == "run":
            self.check_run(block)
        elif block.kind == "setup":
            for command in commands_of(block.extra):
                self.ran(block, command)
        elif block.kind == "file":
            self.check_file(block)
        elif block.kind == "keys":
            self.check_keys(block)
        elif block.kind == "compile":
            self.check_compile(block)
        elif block.kind == "numbers":
            self.check_numbers(block)
        elif block.kind in ("columns", "options"):
            self.check_table(block)
        elif block.kind == "excerpt":
            self.compared += 1
            if "\n".join(block.lines) not in (ROOT / block.text).read_text():
                self.fail(block, f"these lines do not stand in {block.text}")
        elif block.kind == "json":
            self.compared += 1
            try:
                json.loads("\n".join(block.lines))
            except ValueError as error:
                self.fail(block, f"no JSON: {error}")


def check_page(page, blocks, scratch, platform, help_of, arguments):
    """(failures, samples compared, seconds)"""
    begun = time.monotonic()
    text = (ROOT / page).read_text()
    shop = Workshop(scratch / page.replace("/", "-"), arguments.build, scratch / "data")
    here, made = platform
    masks = Masks(shop.folders(), here["verilator"] == made.get("verilator"),
                  all(here[key] == made.get(key) for key in ("libtorch", "processor")))
    checker = Checker(shop, masks, arguments, help_of)
    built = lambda pattern: bool(list(arguments.build.glob(pattern)))  # noqa: E731
    checker.failures += docs_names.check_links(page, text) + docs_names.check_names(page, text, built)
    checker.failures += docs_names.check_options(page, text, help_of) + docs_names.check_commands(blocks, help_of)
    for block in sorted(blocks, key=lambda block: block.kind != "file"):  # files first: text shows them behind the commands
        checker.check(block)
    if checker.replaced:
        lines = text.split("\n")
        for line, count, fresh in reversed(checker.replaced):
            lines[line - 1:line - 1 + count] = fresh
        (ROOT / page).write_text("\n".join(lines))
        print(f"updated {page}: {len(checker.replaced)} samples")
    return checker.failures, checker.compared, time.monotonic() - begun


def list_blocks(pages):
    for page, blocks in pages.items():
        for block in blocks:
            what = block.text or (block.lines or block.extra)[0].strip()
            if block.kind == "sample":
                what = ", ".join(sample[0].split("\n")[0] for sample in samples_of(block))
            kind = "not checked" if block.kind == "none" else ", ".join([block.kind, *block.modifiers])
            print(f"{block.place}: {kind}: {what}" + "".join(f"\n    {line}" for line in block.extra if block.kind != "setup"))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="*", help="README.md, docs/measuring.md, ...; all when none is named")
    parser.add_argument("--slow", action="store_true", help="also what takes minutes")
    parser.add_argument("--update", action="store_true", help="write what is printed into the pages")
    parser.add_argument("--list", action="store_true", help="say what is checked, and leave")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="build folder")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="pages at once")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.build = arguments.build.resolve()
    everything = ["README.md"] + sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))
    for page in arguments.pages:
        if page not in everything:
            sys.exit(f"{page}: no page; there are: {', '.join(everything)}")
    try:
        pages = {page: read_page(page, (ROOT / page).read_text()) for page in arguments.pages or everything}
    except PageError as error:
        sys.exit(str(error))
    if arguments.list:
        list_blocks(pages)
        return
    if not (arguments.build / "bin" / "bittern").exists():
        sys.exit(f"{arguments.build}/bin/bittern is not there; scripts/run.sh builds it")

    with tempfile.TemporaryDirectory(prefix="bittern-docs-") as scratch_name:
        scratch = pathlib.Path(scratch_name)
        write_data(scratch / "data")
        first = Workshop(scratch / "first", arguments.build, scratch / "data")
        here = platform_of(first)
        made = json.loads(PLATFORM_FILE.read_text()) if PLATFORM_FILE.exists() else {}
        if arguments.update and here != made:
            if arguments.pages or not arguments.slow:
                sys.exit(f"the samples were made with {made}, this is {here}: update all of them, --update --slow")
            PLATFORM_FILE.write_text(json.dumps(here, indent=2) + "\n")
            made = here
        for key in here:
            if here[key] != made.get(key):
                print(f"note: {key} is {here[key]}, samples were made with {made.get(key)}: what depends on it is not compared")
        help_of = docs_names.Help(lambda command: "\n".join(first.run(command)[1:]))
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(max(1, arguments.jobs)) as pool:
            jobs = {page: pool.submit(check_page, page, blocks, scratch, (here, made), help_of, arguments)
                    for page, blocks in pages.items()}
            for page, job in jobs.items():
                failures, compared, seconds = job.result()
                print(f"{'FAIL' if failures else 'ok':<5} {page}: {compared} samples, {seconds:.0f} s", flush=True)
                for failure in failures:
                    print("  " + failure.replace("\n", "\n      "))
                failed += len(failures)
    skipped = sum(block.kind == "none" for blocks in pages.values() for block in blocks)
    print(f"docs: {failed} failures; {skipped} blocks are not checked, for reasons that --list shows")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
