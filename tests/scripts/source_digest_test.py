#!/usr/bin/env python3
"""Tests of scripts/source_digest.py."""

import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import source_digest  # noqa: E402  (its folder had to be added)


def verilog(text):
    return source_digest.digest(text, "verilog")


def cpp(text):
    return source_digest.digest(text, "cpp")


class Verilog(unittest.TestCase):
    def same(self, a, b):
        self.assertEqual(source_digest.tokens(a, "verilog"), source_digest.tokens(b, "verilog"))
        self.assertEqual(verilog(a), verilog(b))

    def different(self, a, b):
        self.assertNotEqual(verilog(a), verilog(b))

    def test_comments_and_white_space_do_not_count(self):
        plain = "module m;assign a=b+1;endmodule"
        self.same(plain, "module m ;\n  // a sum: \"not a string\n  assign a = b + 1;  /* end */\n\nendmodule\n")
        self.same(plain, "\tmodule/**/m;assign a=b\r\n+1;endmodule // no newline behind it")
        self.same("a = -1;", "a=-1;")
        self.same("always @(*) x <= y;", "always @ ( * ) x<=y;")
        self.same("8'hff", "8 'h ff".replace("h ff", "hff"))

    def test_every_token_counts(self):
        base = "assign a = b + 1;"
        for other in ("assign a = b - 1;", "assign a = b + 2;", "assign a = c + 1;", "assign a = b + 1",
                      "assign a <= b + 1;", "assign a = bb + 1;", "assign a = b + + 1;", "assign a = b ++ 1;"):
            self.different(base, other)

    def test_white_space_that_parts_tokens_counts(self):
        self.different("a b", "ab")
        self.different("a + +b", "a ++b")
        self.different("a < = b", "a <= b")
        self.different("1 2", "12")
        self.different("x ~ & y", "x ~& y")

    def test_strings_are_kept_as_they_are(self):
        self.different('$display("a // b");', '$display("a ");')
        self.different('$display("a  b");', '$display("a b");')
        self.different('$display("/* a */");', '$display("");')
        self.same('$display("a // b"); // c', '$display ( "a // b" ) ;')
        self.same('x = "say \\"//\\" twice"; // c', 'x="say \\"//\\" twice";')

    def test_a_comment_parts_tokens(self):
        self.same("a/* */b", "a b")
        self.different("a/* */b", "ab")

    def test_comments_for_tools_count(self):
        for comment in ("/*verilator public*/", "// verilator no_inline", "// synopsys translate_off",
                        "// synthesis translate_off", "// pragma translate_off"):
            self.different("logic a; " + comment + "\nlogic b;", "logic a; logic b;")
        self.same("/* verilator  public */", "/*   verilator public  */".replace("/*   ", "/* "))

    def test_a_macro_ends_with_its_line(self):
        self.different("`define A 1\nlogic b;", "`define A 1 logic b;\n")
        self.same("`define A 1 + \\\n  2\n", "`define  A  1+2  // sum\n")
        self.different("`define A(x) x\n", "`define A (x) x\n")
        self.same("`ifdef A\nlogic b;\n`endif", "`ifdef A logic b; `endif")

    def test_escaped_names_end_with_white_space(self):
        self.different("\\a+b ;", "\\a +b ;")

    def test_what_is_no_source_is_an_error(self):
        for text in ("a /* b", 'a "b'):
            with self.assertRaises(source_digest.SourceError):
                verilog(text)


class Cpp(unittest.TestCase):
    def same(self, a, b):
        self.assertEqual(source_digest.tokens(a, "cpp"), source_digest.tokens(b, "cpp"))

    def different(self, a, b):
        self.assertNotEqual(cpp(a), cpp(b))

    def test_comments_and_white_space_do_not_count(self):
        self.same("int f(){return 1;}", "int f()  // '\"\n{\n  return 1; /* 2 */\n}\n")
        self.same("a = -1;", "a=-1;")
        self.same("#include <a.h>\nint b;", "#  include <a.h>  // why\n\nint\nb ;")
        self.same("int a; // b \\\n still a comment\nint c;", "int a; int c;")

    def test_literals_are_kept_as_they_are(self):
        self.different('f("a  b");', 'f("a b");')
        self.different("f('\"');", "f('x');")
        self.same("f('\"'); // c", "f( '\"' );")
        self.same("f('\\''); // c", "f('\\'');")
        self.different('f(R"x(// a)x");', 'f(R"x()x");')
        self.same("a = 1'000'000; // b", "a=1'000'000;")
        self.different("1'000", "1000")

    def test_a_directive_ends_with_its_line(self):
        self.different("#define A 1\nint b;", "#define A 1 int b;\n")
        self.different("#define A(x) x\n", "#define A (x) x\n")
        self.different("#include <a b.h>\n", "#include <ab.h>\n")
        self.same("#define A \\\n 1\n", "#define A 1\n")


class OurSources(unittest.TestCase):
    """Random edits of the files that the RTL hash covers."""

    def setUp(self):
        self.files = [*ROOT.glob("rtl/*/*.sv"), *ROOT.glob("sim/rtl/*"), *ROOT.glob("rtl/common/*.h"),
                      ROOT / "sim/port_memory.h", ROOT / "sim/port_memory.cpp", ROOT / "sim/dpi.cpp"]
        self.assertGreater(len(self.files), 40)
        self.random = random.Random(1)

    def test_more_comments_and_blank_lines_change_nothing(self):
        for path in self.files:
            text = path.read_text()
            language = source_digest.language_of(path)
            edited = []
            for line in text.split("\n"):
                plain = not line.rstrip().endswith("\\") and "//" not in line and '"' not in line
                edited.append(line + "   // seen" if plain and self.random.random() < 0.3 else line)
                if plain and not (edited[-1].lstrip().startswith("`")) and self.random.random() < 0.1:
                    edited.append("\t")
            # Comments of more than one line would have been broken up: leave such files as they were.
            if "/*" in text:
                continue
            self.assertEqual(source_digest.digest(text, language), source_digest.digest("\n".join(edited), language),
                             path)

    def test_a_changed_token_is_seen(self):
        for path in self.files:
            language = source_digest.language_of(path)
            tokens = source_digest.tokens(path.read_text(), language)
            before = source_digest.digest(path.read_text(), language)
            for _ in range(2):
                at = self.random.randrange(len(tokens))
                if not re.fullmatch(r"[A-Za-z_]\w*|[0-9]+", tokens[at]):
                    continue
                changed = "\n".join([*tokens[:at], tokens[at] + "1", *tokens[at + 1:]])
                self.assertNotEqual(before, source_digest.digest(changed, language), path)

    def test_the_command_prints_a_line_for_each_file(self):
        script = ROOT / "scripts/source_digest.py"
        names = [str(path) for path in self.files]
        lines = subprocess.run([sys.executable, script, *names], capture_output=True, text=True,
                               check=True).stdout.splitlines()
        self.assertEqual([line.split("  ", 1)[1] for line in lines], names)
        with tempfile.TemporaryDirectory() as folder:
            other = pathlib.Path(folder) / "notes.txt"
            other.write_text("x")
            for bad in (other, pathlib.Path(folder) / "absent.sv"):
                done = subprocess.run([sys.executable, script, str(bad)], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(str(bad), done.stderr)


if __name__ == "__main__":
    unittest.main()
