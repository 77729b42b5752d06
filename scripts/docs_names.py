"""Looks up what pages name, for check_docs.py: links, files, options, functions, counters and columns. Nothing is run but
`--help`."""

import functools
import pathlib
import re
import threading
import subprocess

from docs_blocks import shown_commands

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("agent", "apps", "bench", "cmake", "configs", "docs", "host", "include", "rtl", "scripts", "sim", "tests")
SOURCES = (".h", ".cpp", ".sv", ".in", ".py", ".sh", ".json", ".yaml", ".cmake", ".txt", ".cc", ".md")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
# Options of programs that are not ours.
FOREIGN = {"cmake", "ctest", "git", "python3", "verilator", "sqlite3", "apt-get", "man", "source", "ssh", "socat", "nc"}
FOREIGN_OPTIONS = {"--prefix"}


def anchors_of(text):
    """The anchors that Markdown gives to the headings of a page."""
    out = set()
    for heading in re.findall(r"^#+ +(.*)$", text, re.M):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        out.add(plain.replace(" ", "-"))
    return out


def check_links(page, text):
    """Links to files of the repository and to their headings."""
    failures = []
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            path = (ROOT / page).parent / file if file else ROOT / page
            if not path.exists():
                failures.append(f"{page}:{number}: link to {target}: there is no such file")
            elif anchor and anchor not in anchors_of(path.read_text()):
                failures.append(f"{page}:{number}: link to {target}: there is no such heading")
    return failures


@functools.lru_cache(maxsize=None)
def sources():
    """Words of all files but the pages, without the comments that this check lives on."""
    words = set()
    for folder in FOLDERS:
        if folder == "docs":
            continue
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in SOURCES:
                words |= set(re.findall(r"\w+", path.read_text(errors="replace")))
    for name in ("CMakeLists.txt", "CMakePresets.json"):
        words |= set(re.findall(r"\w+", (ROOT / name).read_text()))
    return words


def options_in(help_text):
    """The options that a help lists: at the start of a line, up to what describes them. Examples are not meant."""
    listed = re.findall(r"(?m)^ +(-\S.*?)(?:  |$)", help_text)
    return set(OPTION.findall(" ".join(listed).replace("!", " ")))


def known_name(name):
    """Whether a source has this name, or the part of it to which a number (`random_17`) or a unit (`run_pct`) is added."""
    return name in sources() or re.sub(r"_(?:\d+|pct)$", "", name) in sources()


def glob_of(path):
    """A path as a page writes it, `host/model/stream_model.{h,cpp}` or `rtl/<core>/*_top.sv`, as patterns for glob."""
    path = re.sub(r"<[^>]*>", "*", path)
    braces = re.match(r"(.*)\{([^}]*)\}(.*)", path)
    if braces:
        return [braces.group(1) + part + braces.group(3) for part in braces.group(2).split(",")]
    return [path]


def check_names(page, text, built):
    """Code in running text: files of the repository, functions, and names with an underscore."""
    failures = []
    for number, line in enumerate(text.splitlines(), 1):
        for code in CODE.findall(line):
            code = code.strip()
            if re.fullmatch(r"(?:%s)/[\w./<>{},*+-]*" % "|".join(FOLDERS), code):
                for pattern in glob_of(code.rstrip("/")):
                    if not list(ROOT.glob(pattern)) and not built(pattern):
                        failures.append(f"{page}:{number}: `{code}`: there is no such file")
            elif re.fullmatch(r"(?:\w+::)*\w+\(\)", code):
                for word in re.findall(r"\w+", code):
                    if word not in sources():
                        failures.append(f"{page}:{number}: `{code}`: {word} is in no source file")
            elif re.fullmatch(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+", code) and not known_name(code):
                failures.append(f"{page}:{number}: `{code}` is in no source file")
    return failures


class Help:
    """The options of commands, asked for once. For several threads."""

    def __init__(self, run):
        self._run = run  # (command line) -> output of a command, both streams
        self._lock = threading.RLock()
        self._options = {}
        self._commands = None

    def options(self, command):
        """All options that `command --help` or a script's text names."""
        with self._lock:
            if command not in self._options:
                self._options[command] = self._look_up(command)
            return self._options[command]

    def _look_up(self, command):
        if command.startswith("scripts/"):
            text = (ROOT / command).read_text()
            twin = (ROOT / command).with_suffix(".py")
            return set(OPTION.findall(text)) | (set(OPTION.findall(twin.read_text())) if twin.exists() else set())
        return options_in(self._run(command + " --help"))

    def commands(self):
        """The commands of bittern, by their path: "measure", "store ls", ..."""
        with self._lock:
            if self._commands is None:
                self._commands = self._list_commands()
            return self._commands

    def _list_commands(self):
        def listed(text):
            part = re.split(r"(?mi)^(?:Sub)?commands:\s*$", text)
            return re.findall(r"(?m)^  ([a-z][a-z-]*)\b", part[1].split("\n\n")[0]) if len(part) > 1 else []
        out = []
        for name in listed(self._run("bittern --help")):
            out.append(name)
            if name not in ("help", "completion"):
                out += [f"{name} {sub}" for sub in listed(self._run(f"bittern {name} --help"))]
        return out

    def known(self):
        """Options of everything that we have."""
        out = set(self.options("bittern"))
        for command in self.commands():
            out |= self.options("bittern " + command)
        for script in (ROOT / "scripts").iterdir():
            if script.suffix in (".sh", ".py"):
                out |= self.options(f"scripts/{script.name}")
        return out | self.options("bittern-device-bismo_tiny")


def program_of(words):
    """The command whose help has the options, from the words of a command line; None for programs that are not ours."""
    words = [word for word in words if not re.fullmatch(r"[A-Z_]+=\S*", word)]
    if not words:
        return None
    name = words[0].removeprefix("build/release/bin/")
    if name == "bittern":
        path = [word for word in words[1:3] if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
        return ("bittern", path)
    if name.startswith("bittern-device-"):
        return ("bittern-device-bismo_tiny", [])
    if name.startswith("scripts/"):
        return (name, [])
    return None


def check_commands(blocks, help_of):
    """Every command that is shown, run or not: the program and its options are there."""
    failures = []
    for block in blocks:
        for command in shown_commands(block) + block.instead:
            for part in re.split(r"\|\||&&|\$\(|[|;&)\n]", command.replace("\\\n", " ")):
                words = re.sub(r"(^|\s)#.*", "", part).split()
                found = program_of(words)
                if found is None:
                    continue
                program, path = found
                if program == "bittern":
                    known = help_of.commands()
                    while path and " ".join(path) not in known:
                        path.pop()
                    if not path and len(words) > 1 and not words[1].startswith("-"):
                        failures.append(f"{block.place}: bittern has no command '{words[1]}'")
                        continue
                    program = " ".join(["bittern", *path])
                elif program.startswith("scripts/") and not (ROOT / program).exists():
                    failures.append(f"{block.place}: there is no {program}")
                    continue
                allowed = help_of.options(program) | help_of.options("bittern") | {"--help"}
                for option in OPTION.findall(" ".join(words)):
                    if option not in allowed:
                        failures.append(f"{block.place}: {program} has no option {option}")
    return failures


def check_options(page, text, help_of):
    """Options in running text exist somewhere. Options of other programs stand behind the program's name in one code span."""
    failures = []
    for number, line in enumerate(text.splitlines(), 1):
        for code in CODE.findall(line):
            if code.split()[0] in FOREIGN:
                continue
            for option in OPTION.findall(code):
                if option not in help_of.known() | FOREIGN_OPTIONS:
                    failures.append(f"{page}:{number}: `{code}`: nothing of ours has the option {option}")
    return failures


def first_cells(block):
    """The code spans of a table's first column."""
    names = []
    for row in block.lines[2:]:
        names += CODE.findall(row.strip("|").split("|")[0])
    return names


def numbers_in(cells):
    """(text, value, decimals in that value's unit) of every number in cells that hold nothing else but signs and units."""
    out = []
    for cell in cells:
        parts = [part.strip() for part in cell.split(",")]
        if not all(re.fullmatch(r"[+-]?\d[\d ]*(?:\.\d+)?(?: M| %)?", part) for part in parts):
            continue
        for part in parts:
            digits = re.match(r"[+-]?[\d .]*", part).group().replace(" ", "")
            scale = 1e6 if part.endswith(" M") else 1.0
            out.append((part, float(digits) * scale, scale * 10.0 ** -len(digits.partition(".")[2])))
    return out


def missing_numbers(block, printed):
    """Numbers of a table that no printed number rounds to."""
    have = [float(number) for number in re.findall(r"[+-]?\d+(?:\.\d+)?", printed)]
    cells = [cell.strip() for row in block.lines[2:] for cell in row.strip().strip("|").split("|")]
    return [text for text, value, step in numbers_in(cells)
            if not any(abs(abs(number) - abs(value)) <= 0.501 * step for number in have)]


def keys_read(files):
    """All keys that sources read from YAML: the lists given to YamlMap."""
    keys = set()
    for file in files:
        text = (ROOT / file).read_text()
        for listed in re.findall(r"YamlMap\s+\w+\(\s*[^{;]*\{([^}]*)\}", text):
            keys |= set(re.findall(r'"([^"]+)"', listed))
    return keys
