#!/usr/bin/env python3
"""Tests of what scripts/check_docs.py is made of: reading pages, comparing, looking names up."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import docs_names  # noqa: E402
from docs_blocks import PageError, commands_of, read_page, samples_of, shown_commands  # noqa: E402
from docs_compare import Masks, form, matches, renewed  # noqa: E402


def page(text):
    return read_page("page.md", text)


class Pages(unittest.TestCase):
    def test_sample_needs_no_comment(self):
        (block,) = page("Text:\n\n    $ bittern networks\n    lenet\n")
        self.assertEqual(block.kind, "sample")
        self.assertEqual(samples_of(block), [("bittern networks", ["lenet"], 1)])
        self.assertEqual(block.line, 3)

    def test_two_commands_and_their_outputs(self):
        (block,) = page("```\n$ a \\\n  b\none\n\n$ c\n```\n")
        self.assertEqual(samples_of(block), [("a \\\n  b", ["one"], 2), ("c", [], 5)])

    def test_block_without_comment_is_refused(self):
        with self.assertRaisesRegex(PageError, "page.md:3: a block of code that nothing checks"):
            page("Text:\n\n    bittern networks\n")
        with self.assertRaisesRegex(PageError, "nothing checks"):
            page("```yaml\nname: x\n```\n")

    def test_indented_lines_of_a_paragraph_are_no_code(self):
        self.assertEqual(page("1. Text\n    goes on\n"), [])

    def test_comment_without_block_is_refused(self):
        for text in ("<!-- run -->\nText\n", "<!-- run -->\n", "<!-- run -->\n<!-- json -->\n    {}\n"):
            with self.assertRaisesRegex(PageError, "no block follows `run`"):
                page(text)

    def test_other_comments_are_left_alone(self):
        self.assertEqual(page("<!-- a remark -->\n\nText\n"), [])

    def test_unknown_modifier_is_refused(self):
        with self.assertRaisesRegex(PageError, "unknown modifier 'sow'"):
            page("<!-- run, sow -->\n    a\n")

    def test_text_where_it_is_needed(self):
        for text in ("<!-- none -->\n    a\n", "<!-- run: a -->\n    a\n", "<!-- setup -->\n"):
            with self.assertRaises(PageError):
                page(text)

    def test_modifiers_and_instead(self):
        (block,) = page("<!-- run, slow, exit 2\n     instead: b -->\n    a  # text\n    c \\\n      d\n")
        self.assertTrue(block.has("slow"))
        self.assertEqual(block.status, 2)
        self.assertEqual(block.instead, ["b"])
        self.assertEqual(commands_of(block.lines), ["a  # text", "c \\\n  d"])
        self.assertEqual(shown_commands(block), commands_of(block.lines))

    def test_file_with_and_without_block(self):
        hidden, shown = page("<!-- file: a.yaml\nx:\n  - 1\n-->\n<!-- file, keys a.cpp b.cpp: b.yaml -->\n```yaml\ny: 1\n```\n")
        self.assertEqual((hidden.text, hidden.lines), ("a.yaml", ["x:", "  - 1"]))
        self.assertEqual((shown.text, shown.lines, shown.key_sources), ("b.yaml", ["y: 1"], ["a.cpp", "b.cpp"]))

    def test_table_behind_its_comment(self):
        (block,) = page("<!-- columns: a -->\n| column | meaning |\n|---|---|\n| `x`, `y` | z `w` |\n")
        self.assertEqual(docs_names.first_cells(block), ["x", "y"])

    def test_numbers_of_a_table_are_printed_ones_rounded(self):
        (block,) = page("<!-- numbers: a -->\n| what | x |\n|---|---|\n| 3 of 7 | 0.98, 2.293 M |\n| b | +4.8 % |\n| c | 14 733 519 |\n")
        self.assertEqual(docs_names.missing_numbers(block, "0.9835 2293000 4.81 14733519"), [])
        self.assertEqual(docs_names.missing_numbers(block, "0.9735 2293600 4.81 14733519"), ["0.98", "2.293 M"])


class Comparing(unittest.TestCase):
    def setUp(self):
        self.here = Masks({"/tmp/w": "/home/me"}, hashes=True, trained=True)
        self.elsewhere = Masks({}, hashes=False, trained=False)

    def test_times_rates_and_paths_are_masked(self):
        for one, other in (("took 3.2 s", "took 12 s"), ("0:12 left", "1:00 left"), ("2.6 M cycles/s", "1 cycles/s"),
                           ("in /tmp/w/out", "in /home/me/out"), ("2026-11-29T02:50:06Z", "2027-01-01T00:00:00Z")):
            self.assertEqual(self.here.line(one), self.here.line(other))

    def test_cycles_energies_and_accuracies_are_not(self):
        for one, other in (("fc1 4125 20.6", "fc1 4126 20.6"), ("4.561e-05 s", "4.562e-05 s"), ("0.0816 mJ", "0.0817 mJ"),
                           ("97.80 %", "97.85 %"), ("RTL 93e465d8d56c0e50", "RTL 93e465d8d56c0e51"), ("35.5 us", "35.6 us")):
            self.assertNotEqual(self.here.lines([one], True), self.here.lines([other], True))

    def test_elsewhere_hashes_are_masked_and_cycles_are_not(self):
        self.assertEqual(self.elsewhere.line("RTL 93e465d8d56c0e50"), self.elsewhere.line("RTL 03e465d8d56c0e51"))
        self.assertNotEqual(self.elsewhere.line("conv1 12345678"), self.elsewhere.line("conv1 12345679"))

    def test_elsewhere_only_costs_of_fixed_policies_are_left_of_what_was_trained(self):
        here = ["found      0.0456  97.80 +- 0.46  97.45 +- 0.35", "uniform 2  0.0340  97.20 +- 0.5  96.95 +- 0.4", "verdict"]
        there = ["found      0.0450  98.80 +- 0.46  98.45 +- 0.35", "uniform 2  0.0340  98.20 +- 0.5  96.90 +- 0.3"]
        slower = ["uniform 2  0.0341  98.20 +- 0.5  96.90 +- 0.3"]
        self.assertEqual(self.elsewhere.lines(here, True), self.elsewhere.lines(there, True))
        self.assertNotEqual(self.elsewhere.lines(here, True), self.elsewhere.lines(slower, True))
        self.assertNotEqual(self.elsewhere.lines(here, False), self.elsewhere.lines(there, False))
        self.assertNotEqual(self.here.lines(here, True), self.here.lines(there, True))
        self.assertEqual(self.elsewhere.lines(["w6/a4  0.1  97.2  -"], True), self.elsewhere.lines(["w6/a4  0.1  97.3  97.4"], True))

    def test_ellipses(self):
        printed = ["a 1", "b 2", "c 3", "d 4"]
        for shown in (["a 1", "..."], ["...", "d 4"], ["a 1", "...", "c 3", "..."], ["..."], printed):
            self.assertTrue(matches(shown, printed), shown)
        for shown in (["a 1"], ["...", "c 3"], ["b 2", "..."], ["...", "c 3", "b 2", "..."], ["a 1", "b 2", "c 3", "d 4", "e"]):
            self.assertFalse(matches(shown, printed), shown)

    def test_update_keeps_ellipses(self):
        printed = ["a 9", "b 8", "c 7", "d 6"]
        self.assertEqual(renewed(["a 1", "...", "c 3", "..."], printed), ["a 9", "...", "c 7", "..."])
        self.assertEqual(renewed(["a 1", "...", "d 4"], printed), ["a 9", "...", "d 6"])
        self.assertEqual(renewed(["a 1"], printed), printed)
        self.assertIsNone(renewed(["...", "x 3", "..."], printed))

    def test_form_is_how_rows_begin(self):
        self.assertEqual(form(["name: lenet on x", "policy      latency  of 8/8", "uniform 2   0.0340   0.2", "a verdict, 3 words"]),
                         ["policy latency of", "uniform"])


class Names(unittest.TestCase):
    def check(self, text):
        return docs_names.check_names("docs/page.md", text, lambda pattern: False)

    def test_files_functions_and_counters_must_be_there(self):
        self.assertEqual(self.check("`docs/*.md` `host/base/file.{h,cpp}` `rtl/<core>/` `exec_run` `fail_usage()`"), [])
        for wrong in ("`host/base/nothing.h`", "`rtl/bismo/bismo_gone.sv`", "`exec_" + "walked`", "`fail_" + "never()`"):
            self.assertEqual(len(self.check(wrong)), 1, wrong)

    def test_links(self):
        self.assertEqual(docs_names.check_links("README.md", "[a](docs/model.md) [b](https://x.org)"), [])
        self.assertEqual(len(docs_names.check_links("README.md", "[a](docs/gone.md) [b](docs/model.md#no-such-heading)")), 2)

    def test_options_of_shown_commands(self):
        texts = {"bittern --help": "  --log-level TEXT  a\nSubcommands:\n  measure  text\n",
                 "bittern measure --help": "  -w,--wbits INT  of --that\n  --on,!--off  text\n\nExample:\n  bittern measure --gone 4\n"}
        help_of = docs_names.Help(lambda command: texts[command])
        good = page("<!-- run -->\n    bittern measure --wbits 4 --off | head  # --text\n")
        self.assertEqual(docs_names.check_commands(good, help_of), [])
        for wrong in ("bittern measure --that 4", "bittern measure --gone 4", "bittern gauge", "scripts/gone.sh"):
            self.assertEqual(len(docs_names.check_commands(page(f"<!-- none: x -->\n    {wrong}\n\n<!-- run -->\n    {wrong}\n"), help_of)), 2)


if __name__ == "__main__":
    unittest.main()
