"""scripts/report_picture.py: pictures of the right size, and errors that say what there is."""

import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "report_picture.py"
CHROMIUM = any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
PAGE = "<!doctype html><title>t</title><body><h1>One</h1><p>first</p><h2>Two <b>words</b></h2><p>second</p>"


def picture(*words):
    return subprocess.run([sys.executable, "-B", SCRIPT, *map(str, words)], capture_output=True, text=True, timeout=110,
                          check=False)


def size_of(png):
    data = png.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


class ReportPicture(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.page = pathlib.Path(self.folder.name) / "page.html"
        self.page.write_text(PAGE)
        self.png = pathlib.Path(self.folder.name) / "page.png"

    @unittest.skipUnless(CHROMIUM, "no Chromium here")
    def test_is_as_large_as_asked_for_and_begins_where_asked_for(self):
        done = picture(self.page, self.png, "--width", 640, "--height", 300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(size_of(self.png), (640, 300))
        other = self.png.with_name("two.png")
        done = picture(self.page, other, "--width", 640, "--height", 300, "--from", "Two words")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotEqual(self.png.read_bytes(), other.read_bytes())

    @unittest.skipUnless(CHROMIUM, "no Chromium here")
    def test_a_heading_that_is_not_there_is_an_error_that_names_the_others(self):
        done = picture(self.page, self.png, "--from", "Three")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'One', 'Two words'", done.stderr)
        self.assertFalse(self.png.exists())

    def test_a_report_that_is_not_there_is_an_error(self):
        self.assertNotEqual(picture(self.page.with_name("none.html"), self.png).returncode, 0)


if __name__ == "__main__":
    unittest.main()
