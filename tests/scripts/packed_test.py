"""Packed integers are computed by a C program that knows nothing but the exported header, and give the golden vectors."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from exports import bittern, trained

HERE = pathlib.Path(__file__).resolve().parent


def main():
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        print("skipped: there is no C compiler")
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        network = trained(folder)
        for options in (["--wbits", "3", "--abits", "5", "--per-channel"], ["--wbits", "1", "--abits", "4"]):
            for kind in ("packed", "golden"):
                bittern("export", *network, *options, "--format", kind, "--images", "3", "--out", folder / kind)
            program = folder / "packed_layers"
            subprocess.run([compiler, "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "-DNETWORK=bittern_mixed",
                            f"-I{folder / 'packed'}", str(HERE / "packed_layers.c"), "-o", str(program)], check=True)
            done = subprocess.run([str(program), str(folder / "packed"), str(folder / "golden")], capture_output=True, text=True,
                                  check=False)
            print(" ".join(options), ":", done.stdout.strip())
            if done.returncode != 0 or not done.stdout.startswith("6 layers"):
                print(done.stderr)
                return 1
            # A wrong bit is seen: the comparison can fail.
            weights = folder / "packed" / "weights.bin"
            damaged = bytearray(weights.read_bytes())
            damaged[0] ^= 1
            weights.write_bytes(damaged)
            if subprocess.run([str(program), str(folder / "packed"), str(folder / "golden")], capture_output=True,
                              check=False).returncode != 1:
                print("a damaged file was not noticed")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
