"""Reads the Markdown pages for check_docs.py: code blocks and tables, and the comments that say how each is checked.

A comment directly before a block reads `<!-- KIND[, MODIFIER...][: TEXT] -->`; Markdown does not show it.

  sample            the lines after `$` are commands, what follows each is its output (needs no comment)
  output: COMMAND   the block is what COMMAND prints
  run               every line is a command that succeeds; what it prints is not compared
  file: NAME        the block is put into the file NAME in the folder in which the page's commands run
  compile           C++ that compiles; #include and using lines come first, the rest is the body of a function
  json              a JSON document
  excerpt: FILE     these lines stand in a file of the repository
  columns: COMMAND  the table's first column names the columns of the CSV that COMMAND prints, all of them
  options: COMMAND  the table's first column names the options of COMMAND, all of them
  numbers: COMMAND  every number of the table is one that COMMAND prints, rounded (`1.5 M` is 1 500 000)
  keys: FILE...     the block has every key that these sources read with YamlMap; also with another kind: `file, keys FILE: NAME`
  none: REASON      not checked

Two kinds need no block: `setup` runs the commands on the comment's following lines, and `file: NAME` with following lines
makes a file that the reader does not see. Modifiers:

  slow              only with --slow; otherwise the commands of `instead` run, and of what they print is compared how
                    the rows of the tables begin
  trained           the output depends on trained weights: compared in full only where it was made
  exit N            the exit status that is expected; what is written to standard error then belongs to the output

A line `instead: COMMAND` in the comment names a command that runs in place of the one that is shown (with `run` always, with
`slow` where the shown one takes too long); options of the shown one are looked up in the help all the same.
"""

import dataclasses
import re

KINDS = ("sample", "output", "run", "file", "compile", "json", "excerpt", "columns", "options", "numbers", "keys", "none", "setup")
NEED_TEXT = ("output", "file", "excerpt", "columns", "options", "numbers", "keys", "none")
TABLES = ("columns", "options", "numbers")


class PageError(Exception):
    """A page that cannot be read: a comment without its block, a block of code without a comment."""


@dataclasses.dataclass
class Block:
    page: str
    kind: str
    line: int = 0  # of the first line of the content, from 1
    text: str = ""  # behind the colon
    modifiers: list = dataclasses.field(default_factory=list)
    extra: list = dataclasses.field(default_factory=list)  # further lines of the comment
    indent: str = ""
    lines: list = dataclasses.field(default_factory=list)  # the content without its indentation

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    @property
    def instead(self):
        return [line.partition(":")[2].strip() for line in self.extra if line.startswith("instead:")]

    @property
    def status(self):
        return next((int(m.split()[1]) for m in self.modifiers if m.startswith("exit ")), 0)

    @property
    def key_sources(self):
        if self.kind == "keys":
            return self.text.split()
        return [word for m in self.modifiers if m.startswith("keys ") for word in m.split()[1:]]

    def has(self, modifier):
        return modifier in self.modifiers


def read_comment(page, line, text):
    """The block that a comment announces, still without content, or None for an ordinary comment."""
    first, *extra = [part.strip() for part in text.strip().splitlines()]
    head, _, argument = first.partition(":")
    kind, *modifiers = [word.strip() for word in head.split(",")]
    if kind not in KINDS:
        return None
    for modifier in modifiers:
        if modifier not in ("slow", "trained") and not re.fullmatch(r"exit \d+|keys [\w./ -]+", modifier):
            raise PageError(f"{page}:{line}: unknown modifier '{modifier}'")
    if (kind in NEED_TEXT) != bool(argument.strip()):
        raise PageError(f"{page}:{line}: `{kind}` " + ("needs something behind a colon" if kind in NEED_TEXT else "takes no text"))
    if kind == "setup" and not extra:
        raise PageError(f"{page}:{line}: `setup` needs commands on the following lines")
    # A file's content keeps its indentation.
    raw = [part.rstrip() for part in text.strip("\n").splitlines()[1:]]
    return Block(page, kind, line, argument.strip(), modifiers, raw if kind == "file" else [e for e in extra if e])


def is_code_start(lines, i):
    """An indented block begins after an empty line, a comment or a heading, not inside of a list item."""
    if not lines[i].startswith("    ") or not lines[i].strip():
        return False
    before = lines[i - 1].strip() if i > 0 else ""
    return before == "" or before.endswith("-->") or before.startswith("#")


def take_code(lines, i):
    """(indentation, content, number of its first line, index of the line behind) of the code block at i, or None."""
    fence = re.match(r"(\s*)```", lines[i])
    if fence:
        end = i + 1
        while end < len(lines) and not lines[end].strip().startswith("```"):
            end += 1
        content, first, after = lines[i + 1:end], i + 2, end + 1
        indent = fence.group(1)
    elif is_code_start(lines, i):
        end = i
        while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
            end += 1
        after = end
        while not lines[end - 1].strip():
            end -= 1
        content, first, indent = lines[i:end], i + 1, "    "
    else:
        return None
    return indent, [line[len(indent):] if line.strip() else "" for line in content], first, after


def read_page(page, text):
    """All blocks of a page in their order. Raises PageError."""
    lines = text.splitlines()
    blocks = []
    pending = None
    i = 0
    while i < len(lines):
        line = lines[i]
        if line.strip().startswith("<!--"):
            end = i
            while "-->" not in lines[end]:
                end += 1
                if end == len(lines):
                    raise PageError(f"{page}:{i + 1}: the comment does not end")
            comment = "\n".join(lines[i:end + 1]).strip().removeprefix("<!--").removesuffix("-->")
            block = read_comment(page, i + 1, comment)
            if block is not None:
                if pending is not None:
                    raise PageError(f"{pending.place}: no block follows `{pending.kind}`")
                if block.kind == "setup":
                    blocks.append(block)
                elif block.kind == "file" and block.extra:
                    block.lines, block.extra = block.extra, []
                    blocks.append(block)
                else:
                    pending = block
            i = end + 1
            continue
        code = take_code(lines, i)
        if code is not None:
            indent, content, first, after = code
            block = pending or Block(page, "sample")
            if block.kind in TABLES:
                raise PageError(f"{block.place}: `{block.kind}` is about a table, not about code")
            block.line, block.indent, block.lines = first, indent, content
            if block.kind == "sample" and not any(c.startswith("$ ") for c in content):
                raise PageError(f"{page}:{first}: a block of code that nothing checks: put <!-- KIND --> before it; the "
                                "kinds are in scripts/docs_blocks.py, `none: REASON` among them")
            blocks.append(block)
            pending = None
            i = after
            continue
        if pending is not None and pending.kind in TABLES and line.startswith("|"):
            end = i
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            pending.line, pending.lines = i + 1, lines[i:end]
            blocks.append(pending)
            pending = None
            i = end
            continue
        if pending is not None and line.strip():
            raise PageError(f"{pending.place}: no block follows `{pending.kind}`")
        i += 1
    if pending is not None:
        raise PageError(f"{pending.place}: no block follows `{pending.kind}`")
    return blocks


def commands_of(lines):
    """The commands of a block of kind `run`, one a line, lines that end in a backslash joined."""
    commands, open_command = [], ""
    for line in lines:
        if not open_command and (not line.strip() or line.lstrip().startswith("#")):
            continue
        open_command += line
        if open_command.endswith("\\"):
            open_command += "\n"
        else:
            commands.append(open_command)
            open_command = ""
    return commands + ([open_command] if open_command else [])


def samples_of(block):
    """(command, output lines, index of the first of these in block.lines) for every command of a sample."""
    if block.kind == "output":
        return [(block.text, block.lines, 0)]
    out = []
    i = 0
    while i < len(block.lines):
        if not block.lines[i].startswith("$ "):
            raise PageError(f"{block.page}:{block.line + i}: a sample begins with a command, `$ ...`")
        command = block.lines[i][2:]
        while command.endswith("\\"):
            i += 1
            command += "\n" + block.lines[i]
        start = i + 1
        end = start
        while end < len(block.lines) and not block.lines[end].startswith("$ "):
            end += 1
        last = end
        while last > start and not block.lines[last - 1].strip():
            last -= 1
        out.append((command, block.lines[start:last], start))
        i = end
    return out


def shown_commands(block):
    """Every command that the reader sees in a block, whether it is run or not."""
    if block.kind in ("sample", "output"):
        return [sample[0] for sample in samples_of(block)]
    return commands_of(block.lines) if block.kind in ("run", "none") else []
