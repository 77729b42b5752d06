#!/usr/bin/env python3
"""Looks at HTML pages in headless Chromium: python3 scripts/check_pages.py [options] PAGE...

Each page (a file, or a http://127.0.0.1 address) is opened 500 and 1400 pixels wide, with a light and with a dark theme.
A page fails that writes an error to the console, throws, asks for anything from the network but its own origin, is wider
than the window, shows a chart without a size, or looks the same in both themes. Exits 0 when all is well, 1 when a page fails,
2 for wrong usage, 77 where there is no Chromium.

  --out FOLDER     keep screenshots there: NAME-WIDTH-THEME.png
  --wait SECONDS   time that a page has to do what it does by itself [0.1]
  --expect TEXT    the page has to show this text (may be repeated), 10 s after that at the latest
"""

import argparse
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

WIDTHS = (500, 1400)
THEMES = ("light", "dark")
LIMIT_S = 60.0  # for one answer of the browser
EXPECT_S = 10.0  # for what a page fetches
MOST_HEIGHT = 16000  # of a screenshot
MEASURE = """(() => {
  const wide = [...document.querySelectorAll('body *')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.right > document.documentElement.clientWidth + 1 && !e.closest('.scroll, pre, svg');
  }).map(e => e.tagName + '.' + e.getAttribute('class'));
  const charts = [...document.querySelectorAll('svg.chart')];
  return {width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight, wide: wide.slice(0, 5),
          charts: charts.length,
          empty: charts.filter(c => c.getBoundingClientRect().width < 100 || c.getBoundingClientRect().height < 60).length,
          text: document.body.innerText, background: getComputedStyle(document.body).backgroundColor,
          ink: getComputedStyle(document.body).color};
})()"""


class Browser:
    """Chromium that is spoken to over a pipe: messages are JSON with a zero byte behind each."""

    def __init__(self, program, folder):
        to_read, self.to_write = os.pipe()
        self.from_read, from_write = os.pipe()

        def as_three_and_four():
            # By way of high numbers: one of them may be 3 or 4 already.
            high = [os.dup2(to_read, 100), os.dup2(from_write, 101)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
             f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=as_three_and_four, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.rest = b""
        self.number = 0
        self.events = []

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def message(self, limit_s):
        end = time.monotonic() + limit_s
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.from_read], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return None
            part = os.read(self.from_read, 1 << 20)
            if not part:
                raise RuntimeError("Chromium ended")
            self.rest += part
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        text = json.dumps(request).encode() + b"\0"
        while text:
            text = text[os.write(self.to_write, text):]
        while True:
            message = self.message(LIMIT_S)
            if message is None:
                raise RuntimeError(f"Chromium does not answer {method}")
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
            self.events.append(message)

    def wait(self, seconds, until=None):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            message = self.message(left)
            if message is None:
                return
            self.events.append(message)
            if until and message.get("method") == until:
                return


def problems_of(events, address):
    origin = urllib.parse.urlsplit(address)
    found = []
    for event in events:
        method, what = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled" and what["type"] in ("error", "assert"):
            found.append(f"console: {what['args']}")
        elif method == "Runtime.exceptionThrown":
            found.append(f"exception: {what['exceptionDetails'].get('exception', what['exceptionDetails'])}")
        elif method == "Log.entryAdded" and what["entry"]["level"] == "error":
            found.append(f"log: {what['entry']['text']} {what['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            url = what["request"]["url"]
            asked = urllib.parse.urlsplit(url)
            same = url == address or (origin.scheme == "http" and asked[:2] == origin[:2])
            if not same and asked.scheme not in ("data", "about", "blob"):
                found.append(f"asks for {url}")
    return found


def look(browser, address, name, arguments):
    failures, backgrounds = [], {}
    for width in WIDTHS:
        for theme in THEMES:
            target = browser.call("Target.createTarget", url="about:blank")["targetId"]
            session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                browser.call(domain + ".enable", session)
            browser.call("Emulation.setDeviceMetricsOverride", session, width=width, height=900, deviceScaleFactor=1,
                         mobile=False)
            browser.call("Emulation.setEmulatedMedia", session, features=[{"name": "prefers-color-scheme", "value": theme}])
            browser.events.clear()
            browser.call("Page.navigate", session, url=address)
            if not any(e.get("method") == "Page.loadEventFired" for e in browser.events):
                browser.wait(LIMIT_S, "Page.loadEventFired")
            browser.wait(arguments.wait)
            end = time.monotonic() + EXPECT_S
            while True:
                seen = browser.call("Runtime.evaluate", session, expression=MEASURE, returnByValue=True)["result"]["value"]
                if all(text in seen["text"] for text in arguments.expect) or time.monotonic() > end:
                    break
                browser.wait(0.1)
            where = f"{name} at {width} px, {theme}"
            failures += [f"{where}: {text}" for text in problems_of(browser.events, address)]
            if seen["width"] > width or seen["wide"]:
                failures.append(f"{where}: is {seen['width']} px wide ({', '.join(seen['wide'])})")
            if seen["charts"] == 0:
                failures.append(f"{where}: has no chart")
            if seen["empty"]:
                failures.append(f"{where}: {seen['empty']} of {seen['charts']} charts have no size")
            failures += [f"{where}: does not show '{text}'" for text in arguments.expect if text not in seen["text"]]
            backgrounds.setdefault(theme, (seen["background"], seen["ink"]))
            if arguments.out:
                picture = browser.call("Page.captureScreenshot", session, captureBeyondViewport=True, clip={
                    "x": 0, "y": 0, "width": width, "height": min(seen["height"], MOST_HEIGHT), "scale": 1})
                (arguments.out / f"{name}-{width}-{theme}.png").write_bytes(base64.b64decode(picture["data"]))
            browser.call("Target.closeTarget", targetId=target)
    if backgrounds["light"] == backgrounds["dark"]:
        failures.append(f"{name}: looks the same in both themes: {backgrounds['light']}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", metavar="PAGE")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--wait", type=float, default=0.1)
    parser.add_argument("--expect", action="append", default=[])
    arguments = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        print("check_pages: no Chromium here (apt-get install chromium)")
        return 77
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
    failures = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, folder)
        try:
            for number, page in enumerate(arguments.pages):
                if page.startswith("http://127.0.0.1"):
                    address, name = page, f"live{number}"
                else:
                    path = pathlib.Path(page).resolve()
                    if not path.is_file():
                        print(f"check_pages: {page}: there is no such file", file=sys.stderr)
                        return 2
                    address, name = path.as_uri(), f"{path.parent.name}-{path.stem}"
                failures += look(browser, address, name, arguments)
        finally:
            browser.close()
    for failure in failures:
        print(failure)
    print(f"check_pages: {len(arguments.pages)} pages, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
