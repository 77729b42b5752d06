#!/usr/bin/env python3
"""Tests of scripts/variant_file.py."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "variant_file.py"
sys.path.insert(0, str(SCRIPT.parent))

import variant_file  # noqa: E402

TEXT = """# a machine
name: mine
core: bismo   # bit-serial
axi_checks: true
rtl:
  Dm: 8       # rows
  # a line of its own
  NumReadPorts: 4
  NumWritePorts: 2
  PortWidth: 64
  MaxBurstBeats: 16
memory:
  size_mib: 64
synthesis:
  family: xc7
  part: Zynq-7020
  budget: {LUT: 53200, DSP: 220}
"""


class VariantFileTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "mine.yaml"

    def read(self, old="", new=""):
        self.path.write_text(TEXT.replace(old, new) if old else TEXT, encoding="utf-8")
        return variant_file.read_variant(self.path)

    def fault(self, old, new):
        with self.assertRaises(variant_file.VariantError) as caught:
            self.read(old, new)
        return str(caught.exception)

    def test_reads_what_build_and_synthesis_need_in_the_order_of_the_file(self):
        variant = self.read()
        self.assertEqual((variant["name"], variant["core"], variant["axi_checks"]), ("mine", "bismo", True))
        self.assertEqual(list(variant["rtl"].items())[:2], [("Dm", 8), ("NumReadPorts", 4)])
        self.assertNotIn("size_mib", variant["rtl"])
        self.assertEqual(variant["synthesis"]["part"], "Zynq-7020")
        self.assertEqual(variant["synthesis"]["budget"], {"LUT": 53200, "DSP": 220})

    def test_faults_name_the_file_and_what_is_wrong(self):
        self.assertIn("mine.yaml:6: cannot read 'Dm: eight' under rtl", self.fault("Dm: 8", "Dm: eight"))
        self.assertIn("name is 'yours', expected 'mine'", self.fault("name: mine", "name: yours"))
        self.assertIn("there is no 'core:'", self.fault("core: bismo", "kern: bismo"))
        self.assertIn("has no NumReadPorts", self.fault("NumReadPorts: 4", "Dn: 4"))
        self.assertIn("PortWidth must be 64 or 256", self.fault("PortWidth: 64", "PortWidth: 128"))

    def test_prints_parameters_for_each_tool_and_refuses_wrong_usage(self):
        self.read()

        def run(*arguments):
            return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)

        self.assertTrue(run(self.path, "--cmake").stdout.startswith("mine;bismo;1;Dm=8;NumReadPorts=4;"))
        self.assertTrue(run(self.path, "--verilator").stdout.startswith("-GDm=8 "))
        self.assertTrue(run(self.path, "--yosys").stdout.startswith("-chparam Dm 8 "))
        self.assertEqual(run(self.path).returncode, 2)
        self.assertEqual(run(self.path.parent / "none.yaml", "--cmake").returncode, 2)


if __name__ == "__main__":
    unittest.main()
