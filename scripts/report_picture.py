#!/usr/bin/env python3
"""Makes a picture of a report's beginning: scripts/report_picture.py REPORT.html OUT.png [--width N] [--height N] [--from TEXT]

Chromium draws it, headless and without network. --from begins at the first heading that has this text.
"""
import argparse
import html.parser
import pathlib
import shutil
import subprocess
import sys
import tempfile


class Headings(html.parser.HTMLParser):
    """Where headings begin in the text of a page, and what they say."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        if tag in ("h1", "h2", "h3"):
            self.inside = True
            self.found.append([self.getpos(), ""])

    def handle_endtag(self, tag):
        if tag in ("h1", "h2", "h3"):
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1][1] += data


def beginning_at(page, text):
    """The page without what stands between its first heading and the one that has this text."""
    headings = Headings()
    headings.feed(page)
    lines = page.splitlines(keepends=True)

    def offset(place):
        return sum(len(line) for line in lines[: place[0] - 1]) + place[1]

    wanted = [place for place, words in headings.found if text in words]
    if not wanted:
        known = ", ".join(repr(words) for _, words in headings.found)
        raise SystemExit(f"report_picture: no heading has '{text}'; there are: {known}")
    return page[: offset(headings.found[0][0])] + page[offset(wanted[0]):]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--from", dest="heading")
    arguments = parser.parse_args()
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise SystemExit("report_picture: no Chromium here (apt-get install chromium)")
    page = arguments.report.read_text(encoding="utf-8")
    if arguments.heading:
        page = beginning_at(page, arguments.heading)
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "report.html"
        source.write_text(page, encoding="utf-8")
        picture = pathlib.Path(folder) / "report.png"
        done = subprocess.run(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--blink-settings=preferredColorScheme=1",
             f"--user-data-dir={folder}/profile", f"--window-size={arguments.width},{arguments.height}",
             f"--screenshot={picture}", source.as_uri()],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120, check=False)
        if done.returncode != 0 or not picture.is_file():
            sys.stderr.write(done.stderr.decode(errors="replace"))
            raise SystemExit("report_picture: Chromium made no picture")
        shutil.copyfile(picture, arguments.out)
    print(f"{arguments.out}: {arguments.width} x {arguments.height} pixels")


if __name__ == "__main__":
    main()
