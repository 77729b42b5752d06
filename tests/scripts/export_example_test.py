"""The example of docs/export.md: an exported network in PyTorch gives the golden vectors."""

import pathlib
import subprocess
import sys
import tempfile

from exports import bittern, trained

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "examples" / "export" / "layer_in_pytorch.py"


def python_with_torch():
    for python in ("/usr/bin/python3", sys.executable):
        if pathlib.Path(python).exists() and subprocess.run([python, "-c", "import torch, numpy"], capture_output=True,
                                                            check=False).returncode == 0:
            return python
    print("skipped: Python's torch is missing (Debian: python3-torch)")
    sys.exit(77)


def main():
    python = python_with_torch()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        options = [*trained(folder), "--wbits", "4", "--abits", "5", "--per-channel"]
        bittern("export", *options, "--format", "json", "--out", folder / "net.json")
        bittern("export", *options, "--format", "golden", "--images", "2", "--out", folder / "golden")
        done = subprocess.run([python, "-B", str(EXAMPLE), str(folder / "net.json"), str(folder / "golden")], capture_output=True,
                              text=True, check=False)
        print(done.stdout, done.stderr)
        return 0 if done.returncode == 0 and done.stdout == "6 layers in PyTorch, 0 values differ\n" else 1


if __name__ == "__main__":
    sys.exit(main())
