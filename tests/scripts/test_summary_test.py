"""Tests of scripts/test_summary.py: counting, reasons, and skips that are not allowed."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "test_summary.py"

PASSED = '<testcase name="host/base/File.Reads" status="run"><system-out>ok</system-out></testcase>'
FAILED = '<testcase name="host/base/File.Writes" status="fail"><failure message=""/></testcase>'


def skipped(name, output):
    return f'<testcase name="{name}" status="notrun"><skipped message="x"/><system-out>{output}</system-out></testcase>'


def summary(cases, *options, **environment):
    """(exit status, output lines) of the script on these test cases."""
    with tempfile.TemporaryDirectory() as folder:
        junit = pathlib.Path(folder) / "junit.xml"
        junit.write_text(f'<?xml version="1.0"?><testsuite name="x">{"".join(cases)}</testsuite>')
        variables = {key: value for key, value in os.environ.items() if key != "BITTERN_HAQ_LUT"}
        result = subprocess.run([sys.executable, str(SCRIPT), str(junit), *options], capture_output=True, text=True,
                                env={**variables, **environment}, check=False)
        return result.returncode, result.stdout.splitlines()


class SummaryTest(unittest.TestCase):
    def test_counts_stand_alone_in_the_last_line(self):
        status, lines = summary([PASSED, FAILED, skipped("a/B.C", "")])
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "1 passed, 1 failed, 1 skipped")
        self.assertIn("  host/base/File.Writes", lines)

    def test_all_passed(self):
        self.assertEqual(summary([PASSED]), (0, ["1 passed, 0 failed, 0 skipped"]))

    def test_no_test_is_a_failure(self):
        self.assertEqual(summary([])[0], 1)

    def test_skips_are_grouped_by_the_reason_that_google_test_prints(self):
        output = "[ RUN ] A.B\n/x/y_test.cpp:12: Skipped\nno device\nbuild it\n\n[  SKIPPED ] A.B"
        status, lines = summary([PASSED, skipped("a/A.B", output), skipped("a/A.C", output)])
        self.assertEqual(status, 0)
        self.assertIn("  2 x no device build it", lines)
        self.assertIn("      a/A.B, a/A.C", lines)

    def test_parameters_that_have_no_text_are_left_out(self):
        _, lines = summary([PASSED, skipped("a/Known/Zoo.Is/lenet  # GetParam() = 8-byte object &lt;83-05&gt;", "")])
        self.assertIn("      a/Known/Zoo.Is/lenet", lines)

    def test_a_skip_that_is_not_allowed_fails_when_strict(self):
        status, lines = summary([PASSED, skipped("rtl/IverilogTest.UnitIsTheSame", "")], "--strict")
        self.assertEqual(status, 1)
        self.assertTrue(any("may not be skipped" in line for line in lines))
        self.assertEqual(lines[-1], "1 passed, 0 failed, 1 skipped")

    def test_allowed_skips_pass_when_strict(self):
        case = skipped("host/search/PublishedTable.IsReproduced", "")
        self.assertEqual(summary([PASSED, case], "--strict")[0], 0)
        self.assertEqual(summary([PASSED, case], "--strict", BITTERN_HAQ_LUT="x.npy")[0], 1)


if __name__ == "__main__":
    unittest.main()
