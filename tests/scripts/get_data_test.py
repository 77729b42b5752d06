#!/usr/bin/env python3
"""scripts/get_data.py against a server on this machine."""

import contextlib
import functools
import gzip
import hashlib
import http.server
import io
import os
import pathlib
import sys
import tarfile
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import get_data  # noqa: E402


class Quiet(http.server.SimpleHTTPRequestHandler):
    asked = []

    def log_message(self, *_):
        pass

    def do_GET(self):
        Quiet.asked.append(self.path)
        if self.path.endswith("short.gz"):  # says more than it sends
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"few")
            return
        super().do_GET()


def sum_of(content):
    return hashlib.sha256(content).hexdigest()


class GetData(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.served = pathlib.Path(self.folder.name) / "served"
        self.out = pathlib.Path(self.folder.name) / "out"
        self.served.mkdir()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(self.served)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        os.environ["BITTERN_DATA_URL"] = f"http://127.0.0.1:{self.server.server_port}"
        Quiet.asked = []
        self.sets = {
            "plain": {"url": "http://nowhere.invalid", "files": {"a.gz": sum_of(b"first"), "b.mat": sum_of(b"second")}},
            "packed": {"url": "http://nowhere.invalid", "archive": "all.tar.gz",
                       "files": {"one.bin": sum_of(b"1" * 5000), "two.bin": sum_of(b"2")}},
            "short": {"url": "http://nowhere.invalid", "files": {"short.gz": sum_of(b"few")}},
        }
        (self.served / "a.gz").write_bytes(gzip.compress(b"first"))
        (self.served / "b.mat").write_bytes(b"second")
        with tarfile.open(self.served / "all.tar.gz", "w:gz") as tar:
            for name, content in (("folder/one.bin", b"1" * 5000), ("folder/two.bin", b"2"), ("../evil.bin", b"3")):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        del os.environ["BITTERN_DATA_URL"]
        self.folder.cleanup()

    def run_main(self, *sets):
        self.errors = io.StringIO()
        with contextlib.redirect_stderr(self.errors), contextlib.redirect_stdout(io.StringIO()):
            return get_data.main([*sets, "--out", str(self.out)], self.sets)

    def files(self, name):
        return sorted(path.name for path in (self.out / name).iterdir())

    def test_files_and_archives_are_fetched_and_checked(self):
        self.assertEqual(self.run_main("plain", "packed"), 0)
        self.assertEqual(self.files("plain"), ["a.gz", "b.mat"])
        self.assertEqual(self.files("packed"), ["one.bin", "two.bin"])
        self.assertEqual((self.out / "packed" / "one.bin").read_bytes(), b"1" * 5000)
        self.assertFalse((self.out / "evil.bin").exists())

    def test_good_files_are_kept_and_others_are_fetched_again(self):
        self.run_main("plain")
        Quiet.asked = []
        self.assertEqual(self.run_main("plain"), 0)
        self.assertEqual(Quiet.asked, [])
        (self.out / "plain" / "b.mat").write_bytes(b"spoilt")
        self.assertEqual(self.run_main("plain"), 0)
        self.assertEqual(Quiet.asked, ["/b.mat"])
        self.assertEqual((self.out / "plain" / "b.mat").read_bytes(), b"second")
        self.assertIn("not what it should be", self.errors.getvalue())

    def test_what_is_wrong_is_not_kept(self):
        (self.served / "a.gz").write_bytes(gzip.compress(b"other"))
        self.assertEqual(self.run_main("plain"), 1)
        self.assertIn("a.gz is not what it should be", self.errors.getvalue())
        self.assertEqual(self.files("plain"), [])
        (self.served / "a.gz").write_bytes(gzip.compress(b"first")[:-4])
        self.assertEqual(self.run_main("plain"), 1)
        self.assertEqual(self.files("plain"), [])
        (self.served / "all.tar.gz").write_bytes((self.served / "all.tar.gz").read_bytes()[:60])
        self.assertEqual(self.run_main("packed"), 1)
        self.assertEqual(self.files("packed"), [])

    def test_a_transfer_that_is_cut_off_is_an_error(self):
        self.assertEqual(self.run_main("short"), 1)
        self.assertIn("3 of 1000 bytes", self.errors.getvalue())
        self.assertEqual(self.files("short"), [])

    def test_what_is_not_there_is_named(self):
        (self.served / "b.mat").unlink()
        self.assertEqual(self.run_main("plain"), 1)
        self.assertIn("/b.mat: cannot be fetched (HTTP Error 404", self.errors.getvalue())
        self.assertEqual(self.files("plain"), ["a.gz"])

    def test_an_unknown_set_is_wrong_usage(self):
        with self.assertRaises(SystemExit) as end:
            self.run_main("mnits")
        self.assertEqual(end.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
