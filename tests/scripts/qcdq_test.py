"""QCDQ files are executed by onnxruntime-web: every layer gives the golden codes, the network the same classes."""

import pathlib
import subprocess
import sys
import tempfile

from exports import bittern, trained

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def check(model, golden):
    # Debian's Python has the package onnx; another that is first in PATH need not.
    for python in ("/usr/bin/python3", sys.executable):
        if pathlib.Path(python).exists():
            return subprocess.run([python, "-B", str(ROOT / "scripts" / "check_qcdq.py"), str(model), str(golden)],
                                  capture_output=True, text=True, check=False)
    return None


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        network = trained(folder)
        for options in (["--wbits", "8", "--abits", "8"], ["--wbits", "3", "--abits", "4", "--per-channel"]):
            for kind in ("qcdq", "golden"):
                bittern("export", *network, *options, "--format", kind, "--images", "100", "--out", folder / f"net.{kind}")
            done = check(folder / "net.qcdq", folder / "net.golden")
            print(" ".join(options), ":", done.stdout.strip(), done.stderr.strip())
            if done.returncode != 0:
                return done.returncode
        # Vectors of other codes: the comparison can fail.
        manifest = folder / "net.golden" / "manifest.json"
        bittern("export", *network, "--wbits", "3", "--abits", "4", "--format", "golden", "--images", "100", "--out",
                folder / "other.golden")
        (folder / "other.golden" / "manifest.json").write_text(manifest.read_text())
        if check(folder / "net.qcdq", folder / "other.golden").returncode != 1:
            print("other codes were not noticed")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
