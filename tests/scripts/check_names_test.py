"""Tests of scripts/check_names.py."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "scripts"))
import check_names  # noqa: E402


def pairs(body):
    return [(first, second) for _, first, second in check_names.similar_names(f"module m {body} endmodule")]


class CheckNamesTest(unittest.TestCase):
    def test_signal_and_parameter(self):
        self.assertEqual(pairs("#(parameter int unsigned Columns = 1) (input logic clk_i); logic [3:0] columns;"),
                         [("Columns", "columns")])

    def test_second_name_of_a_declaration(self):
        self.assertEqual(pairs("(input logic a); logic [1:0] word, Word;"), [("word", "Word")])

    def test_names_of_a_generate_block(self):
        self.assertEqual(pairs("(); localparam int Planes = 2; if (1) begin : g logic planes; end"), [("Planes", "planes")])

    def test_loops_and_comments_do_not_count(self):
        self.assertEqual(pairs("#(parameter int M = 1) (); // logic m;\n always_comb for (int unsigned m = 0; m < M; m++) x = m;"), [])

    def test_modules_do_not_mix(self):
        text = "module a; logic x; endmodule module b; logic X; endmodule"
        self.assertEqual(list(check_names.similar_names(text)), [])


if __name__ == "__main__":
    unittest.main()
