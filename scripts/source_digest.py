#!/usr/bin/env python3
"""Prints a digest of each source file that does not change with comments and white space.

    source_digest.py FILE...        a line for each: "<sha256>  FILE"

A file (SystemVerilog .sv .svh .v .vh or a template of it .in, C++ .h .cpp) is cut into the tokens that its compiler sees,
and the digest is taken over these. Comments are left out, but for those that tell a tool to do something else (verilator,
synthesis, synopsys, pragma). Strings are tokens as they stand. The end of a line is a token where it ends a macro.
"""

import hashlib
import pathlib
import re
import sys

VERILOG = {".sv", ".svh", ".v", ".vh"}
CPP = {".h", ".hpp", ".cpp", ".cc"}

# Operators of more than one character, of both languages; longer ones first. Those that no blank may part in any source
# that compiles, such as '{, need not be here.
OPERATORS = """<<<= >>>= <=> ->> ->* |-> |=> #-# #=# &&& === !== ==? !=? <<< >>> <<= >>= ... <-> -> ++ -- += -= *= /= %= &=
|= ^= == != <= >= << >> && || :: ** ~& ~| ~^ ^~ => *> +: -: ## @@ .* :=""".split()
OPERATORS.sort(key=len, reverse=True)

DIRECTIVE_COMMENT = re.compile(r"\s*(verilator|synopsys|synthesis|pragma)\b")

SPACE = re.compile(r"[ \t\r\f\v]+")
LINE_JOIN = re.compile(r"\\\r?\n")
LINE_COMMENT = re.compile(r"//(?:\\\r?\n|[^\n])*")
BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STRING = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
RAW_STRING = re.compile(r'(?:u8|[uUL])?R"([^ ()\\\t\v\f\n]{0,16})\(.*?\)\1"', re.DOTALL)
CHARACTER = re.compile(r"'(?:\\.[^'\n]*|[^'\\\n])'")
CPP_NUMBER = re.compile(r"\.?[0-9](?:'[0-9A-Za-z_]|[eEpP][+-]|[0-9A-Za-z_.])*")
VERILOG_NUMBER = re.compile(r"[0-9][0-9_]*\.[0-9][0-9_]*(?:[eE][+-]?[0-9_]+)?|[0-9][0-9_]*[eE][+-]?[0-9_]+")
WORD = re.compile(r"[A-Za-z0-9_$]+")
ESCAPED_WORD = re.compile(r"\\[^\s]+")
VERILOG_DIRECTIVE = re.compile(r"`[A-Za-z_][A-Za-z0-9_$]*")
HEADER = re.compile(r"<[^>\n]*>")


class SourceError(Exception):
    """A file that is no source of the language: the message says where."""


def tokens(text, language):
    """Tokens of a text, language "verilog" or "cpp"."""
    out = []
    at = 0
    line_begins = True  # only white space since the last end of a line
    directive = ""  # the directive whose line this is, if the end of the line ends it
    name_next = False  # the next word is the name of a macro that is being defined

    def match(pattern):
        return pattern.match(text, at)

    while at < len(text):
        c = text[at]
        found = match(SPACE) or match(LINE_JOIN)
        if found:
            at = found.end()
            continue
        if c == "\n":
            if directive:
                out.append("\n")
            directive = ""
            name_next = False
            line_begins = True
            at += 1
            continue
        found = match(LINE_COMMENT) or match(BLOCK_COMMENT)
        if found is None and text.startswith("/*", at):
            raise SourceError(f"line {text.count(chr(10), 0, at) + 1}: comment that does not end")
        if found:
            body = found.group()
            if DIRECTIVE_COMMENT.match(body[2:]):
                out.append(" ".join(body.split()))
            at = found.end()
            continue
        first_in_line = line_begins
        line_begins = False
        if language == "cpp":
            if c == "#" and first_in_line and not directive:
                directive = "#"
                out.append("#")
                at += 1
                continue
            found = match(RAW_STRING)
            if found is None and directive == "include":
                found = match(HEADER)
            found = found or match(CHARACTER) or match(CPP_NUMBER)
        else:
            found = match(VERILOG_DIRECTIVE)
            if found and found.group() == "`define":
                directive = "define"
                name_next = True
                out.append(found.group())
                at = found.end()
                continue
            found = found or match(ESCAPED_WORD) or match(VERILOG_NUMBER)
        found = found or match(STRING)
        if found is None and c == '"':
            raise SourceError(f"line {text.count(chr(10), 0, at) + 1}: string that does not end")
        if found:
            out.append(found.group())
            at = found.end()
            name_next = False
            continue
        found = match(WORD)
        if found:
            word = found.group()
            at = found.end()
            if directive == "#":
                directive = word
                name_next = word == "define"
            elif name_next:
                # A parenthesis right behind the name begins a list of parameters, behind a blank the macro's text.
                if text.startswith("(", at):
                    word += "("
                    at += 1
                name_next = False
            out.append(word)
            continue
        operator = next((o for o in OPERATORS if text.startswith(o, at)), c)
        out.append(operator)
        at += len(operator)
    if directive:
        out.append("\n")
    return out


def language_of(path):
    name = pathlib.Path(path)
    suffix = pathlib.Path(name.stem).suffix if name.suffix == ".in" else name.suffix
    if suffix in VERILOG:
        return "verilog"
    if suffix in CPP:
        return "cpp"
    raise SourceError(f"neither SystemVerilog nor C++ by its name ({suffix or 'no ending'})")


def digest(text, language):
    hashed = hashlib.sha256()
    for token in tokens(text, language):
        # With its length, so that no two lists of tokens look the same.
        data = token.encode("utf-8")
        hashed.update(b"%d:" % len(data))
        hashed.update(data)
    return hashed.hexdigest()


def main(paths):
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            print(f"{digest(text, language_of(path))}  {path}")
        except (OSError, UnicodeDecodeError, SourceError) as error:
            print(f"source_digest.py: {path}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
