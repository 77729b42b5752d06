"""scripts/check_types.py: types of one name in one namespace are found, and nothing else."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check_types.py"


class CheckTypes(unittest.TestCase):
    def check(self, *texts):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for i, text in enumerate(texts):
                files.append(pathlib.Path(folder) / f"f{i}.h")
                files[-1].write_text(text)
            return subprocess.run([sys.executable, "-B", SCRIPT, *map(str, files)], capture_output=True, text=True, check=False)

    def test_two_definitions_in_one_namespace_are_named_with_their_files(self):
        done = self.check("namespace a {\nstruct B { int x; };\n}\n", "namespace a {\nclass B final : public C {};\n}\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a::B is defined in", done.stdout)
        self.assertIn("f0.h and in", done.stdout)

    def test_what_is_not_the_same_type_is_fine(self):
        done = self.check(
            "namespace a {\nstruct B;\nstruct C { struct D {}; };\nconst char* s = \"struct B {\"; // struct E {\n}\n",
            "namespace b {\nstruct C {};\n}\nnamespace a {\nnamespace {\nstruct C {};\n}\nstruct C::D {};\nvoid f() { struct E {}; }\n}\n",
            "namespace a { struct E { char c = '}'; }; }\n")
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
