#!/usr/bin/env python3
"""Tests of scripts/planner_digest.py."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import planner_digest  # noqa: E402  (its folder had to be added)

TREE = {
    "host/base/div.h": "inline int div(int a, int b) { return a / b; }\n",
    "host/base/other.h": "int other();\n",
    "host/base/other.cpp": "int other() { return 1; }\n",
    "host/cores/one/one.h": '#include "host/base/div.h"\n#include "host/integer/sum.h"\n',
    "host/cores/one/one.cpp": '#include "host/cores/one/one.h"\nint one() { return div(2, 1); }\n',
    "host/integer/sum.h": "int sum();\n",
    "host/integer/sum.cpp": "int sum() { return 0; }\n",
    "host/integer/network.h": "int network();\n",
    "host/integer/network.cpp": "int network() { return 0; }\n",
    "host/variant/rules.cpp": "int rules;\n",
    "host/network/layer.h": "int layer;\n",
    "host/network/layer.cpp": '#include "host/network/layer.h"\n',
    "host/network/graph.cpp": "int graph;\n",
}


class Planner(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        for name, text in TREE.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def tearDown(self):
        self.folder.cleanup()

    def changes(self, name, text):
        """Whether the hash is another while `name` ends in `text` too."""
        before = planner_digest.planner_hash(self.root)
        (self.root / name).write_text(TREE.get(name, "") + text)
        after = planner_digest.planner_hash(self.root)
        if name in TREE:
            (self.root / name).write_text(TREE[name])
        else:
            (self.root / name).unlink()
        self.assertEqual(planner_digest.planner_hash(self.root), before)
        return before != after

    def test_every_source_of_the_planner_counts(self):
        for name in TREE:
            if name in ("host/base/other.h", "host/base/other.cpp", "host/network/graph.cpp", "host/integer/network.h",
                        "host/integer/network.cpp"):
                self.assertFalse(self.changes(name, "int x;\n"), name)
            else:
                self.assertTrue(self.changes(name, "int x;\n"), name)

    def test_headers_that_are_included_from_elsewhere_count(self):
        self.assertTrue(self.changes("host/cores/one/one.cpp", '#include "host/base/other.h"\n'))
        self.assertIn("host/base/div.h", planner_digest.planner_sources(self.root))

    def test_a_new_file_counts(self):
        self.assertTrue(self.changes("host/cores/two.cpp", "int two;\n"))

    def test_comments_and_white_space_do_not(self):
        self.assertFalse(self.changes("host/cores/one/one.cpp", "  // a remark\n\n"))

    def test_file_is_written_only_when_the_hash_changes(self):
        file = self.root / "generated/planner_hash.cpp"
        self.assertEqual(planner_digest.main([str(file), str(self.root)]), 0)
        text = file.read_text()
        self.assertTrue(re.search(r'std::string bittern::planner_hash\(\) \{ return "[0-9a-f]{64}"; \}', text))
        os.utime(file, (1, 1))
        planner_digest.main([str(file), str(self.root)])
        self.assertEqual(file.stat().st_mtime, 1)
        (self.root / "host/integer/sum.cpp").write_text("int changed;\n")
        planner_digest.main([str(file), str(self.root)])
        self.assertNotEqual(file.read_text(), text)

    def test_a_source_that_does_not_end_is_an_error_that_names_the_script(self):
        (self.root / "host/integer/sum.cpp").write_text("/* open")
        done = subprocess.run([sys.executable, str(ROOT / "scripts/planner_digest.py"), str(self.root / "x.cpp"),
                               str(self.root)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("comment that does not end", done.stderr)

    def test_the_real_tree(self):
        sources = planner_digest.planner_sources(ROOT)
        for name in ("host/cores/core.cpp", "host/cores/matrix/matrix_planner.cpp", "host/network/layer.cpp", "host/base/ceil_div.h"):
            self.assertIn(name, sources)
        self.assertNotIn("host/network/network.cpp", sources)


if __name__ == "__main__":
    unittest.main()
