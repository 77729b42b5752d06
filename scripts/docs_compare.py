"""Compares what a page shows with what a command prints, for check_docs.py.

Times, rates and paths are masked. What depends on the machine that made the samples (hashes, which cover Verilator's
version; numbers that come from trained weights) is masked as well where the machine is another one.
"""

import re

ELLIPSIS = "..."
NUMBER = r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"

# Seconds, minutes, hours of a clock on the wall: "3.2 s", "1 min 12 s", "0:12". Latencies are in ms or us, or have an exponent.
TIMES = [
    (re.compile(r"(?<![\w.+-])\d+(?:\.\d+)? ?(?:s|min|h)\b"), "<time>"),
    (re.compile(r"(?<![\w.:])\d{1,3}:\d\d(?::\d\d)?(?![\w:])"), "<time>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?"), "<date>"),
]
RATES = [(re.compile(NUMBER + r" ?[kMG]?(?: ?[A-Za-z]+)?/s\b"), "<rate>")]
HASH = re.compile(r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)(?:[0-9a-f]{64}|[0-9a-f]{16}|[0-9a-f]{8,12})\b")
# Rows of a campaign's summary whose costs do not depend on what was found: only the accuracies behind them do.
FIXED_ROW = re.compile(r"\s*(?:uniform \d|w\d/a\d)")
ACCURACY = re.compile(NUMBER + r" \+- " + NUMBER)
# A row of a table: columns with two or more spaces between them.
ROW = re.compile(r"\S {2,}\S.* {2,}\S")


class Masks:
    """What is not compared. `folders` maps folders of this run to what the pages call them; `hashes` and `trained` say
    whether these are compared, which makes sense only on the platform that made the samples."""

    def __init__(self, folders, hashes, trained):
        self.folders = sorted(folders.items(), key=lambda item: -len(item[0]))
        self.hashes = hashes
        self.trained = trained

    def named(self, text):
        """With the names that a page has for folders: what --update writes."""
        for folder, name in self.folders:
            text = text.replace(folder, name)
        return text

    def line(self, text):
        """What is compared of a line."""
        text = self.named(text)
        for pattern, name in TIMES + RATES:
            text = pattern.sub(name, text)
        if not self.hashes:
            text = HASH.sub("<hash>", text)
        # Widths of columns follow from what was masked.
        return re.sub(r"-{3,}", "---", re.sub(r"\s+", " ", text)).strip()

    def lines(self, lines, trained):
        """What is compared of a sample. Elsewhere a search finds something else: only rows that do not hang on it are left."""
        if trained and not self.trained:
            return [self.line(without_accuracies(line)) for line in lines if FIXED_ROW.match(line) or line.strip() == ELLIPSIS]
        return [self.line(line) for line in lines]


def without_accuracies(row):
    """A row of a campaign's summary with its last two columns masked."""
    if ACCURACY.search(row):
        return ACCURACY.sub("<n>", row)
    return re.sub(r"\S+\s+\S+\s*$", "<n> <n>", row)


def form(lines):
    """What is compared where another command ran than the page shows: how the rows of its tables begin."""
    return [first_words(line) for line in lines if ROW.search(line)]


def first_words(line):
    """How a line begins: its words up to the first number, three at most."""
    words = []
    for word in line.split()[:3]:
        if re.search(r"\d", word):
            break
        words.append(word)
    return " ".join(words)


def segments_of(lines):
    """The runs of lines between ellipses."""
    out = [[]]
    for line in lines:
        if line.strip() == ELLIPSIS:
            out.append([])
        else:
            out[-1].append(line)
    return out


def matches(shown, printed):
    """Whether the printed lines are the shown ones, where an ellipsis stands for any lines."""
    segments = segments_of(shown)
    if len(segments) == 1:
        return segments[0] == printed
    first, *middle, last = segments
    if len(first) + len(last) > len(printed) or printed[:len(first)] != first:
        return False
    if last and printed[-len(last):] != last:
        return False
    position, end = len(first), len(printed) - len(last)
    for segment in middle:
        while position + len(segment) <= end and printed[position:position + len(segment)] != segment:
            position += 1
        if position + len(segment) > end:
            return False
        position += len(segment)
    return True


def renewed(shown, printed):
    """The shown lines as --update writes them: the printed ones, with the ellipses where they were. A run of lines between
    two ellipses is found by how its first line begins. None when that cannot be found."""
    segments = segments_of(shown)
    if len(segments) == 1:
        return list(printed)
    first, *middle, last = segments
    if len(first) + len(last) > len(printed):
        return None
    out = list(printed[:len(first)])
    position = len(first)
    for segment in middle:
        if segment:
            while position < len(printed) and first_words(printed[position]) != first_words(segment[0]):
                position += 1
            if position + len(segment) > len(printed):
                return None
        out += [ELLIPSIS, *printed[position:position + len(segment)]]
        position += len(segment)
    return out + [ELLIPSIS] + (list(printed[-len(last):]) if last else [])
