"""The HTML pages in headless Chromium: those that a campaign and an analysis write, and that of bittern watch; and that
scripts/check_pages.py finds what is wrong with a page. BITTERN_BIN is the folder of the executables."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = ROOT / "scripts" / "check_pages.py"
BITTERN = pathlib.Path(os.environ.get("BITTERN_BIN", ROOT / "build" / "release" / "bin")) / "bittern"
CHROMIUM = any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
# What a page must do: no wider than the window, a chart, two themes.
STYLE = "<style>body{background:#fff}@media(prefers-color-scheme:dark){body{background:#000}}</style>"
CHART = "<svg class='chart' viewBox='0 0 200 100' style='width:200px;height:100px'></svg>"

# Accuracies come from a table, so that a campaign of eight cells takes a second and no LibTorch.
CAMPAIGN = """name: tables
network: lenet
variant: {variant}
cost: model
seed: [1, 2]
constraints:
  - {{resource: latency, ratio: [0.4, 0.7]}}
evaluator: {{kind: table, table: accuracies.csv, full_precision: 95}}
search:
  method: [random, exhaustive]
  mode: w
  min_bits: 2
  bits:
    - {{layers: "*", weights: [2, 4, 8]}}
  pin_first_last: false
  episodes: 12
  exhaustive: {{episodes: 100}}
"""


def check(*words):
    return subprocess.run([sys.executable, "-B", CHECK, *words], capture_output=True, text=True, timeout=110, check=False)


def write_table(folder):
    lines = ["b0,b1,b2,b3,accuracy"]
    for a in (2, 4, 8):
        for b in (2, 4, 8):
            for c in (2, 4, 8):
                for d in (2, 4, 8):
                    lines.append(f"{a},{b},{c},{d},{60 + 2 * a + b + 0.5 * c + 0.25 * d}")
    (folder / "accuracies.csv").write_text("\n".join(lines) + "\n")


@unittest.skipUnless(CHROMIUM, "no Chromium here")
class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        write_table(cls.path)
        # The quickest program that runs campaigns: bittern itself, or the agent that it becomes.
        for variant in ("bismo_edge", "bitfusion_edge"):
            (cls.path / f"{variant}.yaml").write_text(CAMPAIGN.format(variant=variant))
            subprocess.run([BITTERN, "-q", "run", cls.path / f"{variant}.yaml", "--out", cls.path / variant],
                           check=True, stdout=subprocess.DEVNULL, timeout=100)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def passes(self, *words):
        found = check(*words)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)

    def test_the_pages_of_a_campaign_of_a_cell_and_of_an_analysis(self):
        page = self.path / "both.html"
        subprocess.run([BITTERN, "analyze", self.path / "bismo_edge", self.path / "bitfusion_edge", "--report", page],
                       check=True, stdout=subprocess.DEVNULL, timeout=60)
        self.assertIn("Policies on the other machines", page.read_text())
        self.passes(str(page), str(self.path / "bismo_edge" / "report.html"),
                    str(self.path / "bismo_edge" / "exhaustive_latency-0.4_seed-1" / "report.html"))

    def test_the_live_page(self):
        watch = subprocess.Popen([BITTERN, "watch", self.path / "bismo_edge", "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            address = watch.stdout.readline().split()[0]
            self.passes(address, "--expect", "exhaustive_latency-0.4_seed-1",
                        "--expect", "live", "--expect", "Frontier of all policies seen")
        finally:
            watch.send_signal(signal.SIGINT)
            self.assertEqual(watch.wait(20), 0)
            watch.stdout.close()


@unittest.skipUnless(CHROMIUM, "no Chromium here")
class Findings(unittest.TestCase):
    def test_faults_are_found_and_nothing_else(self):
        pages = (
            ("good", STYLE + CHART, None),
            ("console", STYLE + CHART + "<script>console.error('oh')</script>", "console: "),
            ("throws", STYLE + CHART + "<script>throw new Error('oh')</script>", "exception: "),
            ("fetches", STYLE + CHART + "<img src='http://127.0.0.1:9/x.png'>", "asks for http://127.0.0.1:9/x.png"),
            ("wide", STYLE + CHART + "<div style='width:700px'>x</div>", "is 7"),
            ("bare", STYLE, "has no chart"),
            ("empty", STYLE + "<svg class='chart' style='width:0;height:0'></svg>", "charts have no size"),
            ("plain", CHART, "looks the same in both themes"))
        with tempfile.TemporaryDirectory() as folder:
            for name, html, _ in pages:
                (pathlib.Path(folder) / f"{name}.html").write_text("<!doctype html>" + html)
            found = check(*(str(pathlib.Path(folder) / f"{name}.html") for name, _, _ in pages))
        self.assertEqual(found.returncode, 1, found.stdout + found.stderr)
        for name, _, said in pages:
            lines = [line for line in found.stdout.splitlines() if f"-{name}" in line]
            with self.subTest(name):
                if said is None:
                    self.assertEqual(lines, [])
                else:
                    self.assertTrue(any(said in line for line in lines), found.stdout)

    def test_a_page_that_is_not_there_is_wrong_usage(self):
        self.assertEqual(check("/nowhere/page.html").returncode, 2)


if __name__ == "__main__":
    if not CHROMIUM:
        print("skipped: no Chromium here")
        sys.exit(77)
    unittest.main()
