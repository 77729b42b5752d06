#!/usr/bin/env python3
"""Fetches data sets into ./data, where every command finds them, and checks what came against known SHA-256 sums.

    scripts/get_data.sh mnist                  into data/mnist
    scripts/get_data.sh cifar10 svhn --out D   into D/cifar10 and D/svhn

Files that are there and right are kept, others are fetched again. A file appears under its name when it is whole and right,
never before. Where the usual places cannot be reached, BITTERN_DATA_URL names a folder on a server of yours that has the same
files (mnist: the four .gz files; cifar10: cifar-10-binary.tar.gz; svhn: the two .mat files). Exit status 1 when something could
not be fetched or was not what it should be, 2 for wrong usage.

Terms: MNIST is under CC BY-SA 3.0; cite Krizhevsky (2009) for CIFAR-10; SVHN is for research only.
"""

import argparse
import gzip
import hashlib
import os
import pathlib
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request

TIMEOUT_S = 60
PIECE = 1 << 18

# Sums are of the content, unpacked: a mirror may have packed it anew.
SETS = {
    "mnist": {
        "url": "https://ossci-datasets.s3.amazonaws.com/mnist",
        "files": {
            "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    },
    "cifar10": {
        "url": "https://www.cs.toronto.edu/~kriz",
        "archive": "cifar-10-binary.tar.gz",
        "files": {
            "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
            "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
            "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
            "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
            "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
            "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
        },
    },
    "svhn": {
        "url": "http://ufldl.stanford.edu/housenumbers",
        "files": {
            "train_32x32.mat": "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
            "test_32x32.mat": "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        },
    },
}


class DataError(Exception):
    """What went wrong, for people."""


def content_sum(path):
    """SHA-256 of a file's content, unpacked; None when it cannot be read or unpacked."""
    digest = hashlib.sha256()
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
    except (OSError, EOFError, gzip.zlib.error):
        return None
    return digest.hexdigest()


def download(url, to):
    """Fetches a file, with a line about every two seconds."""
    print(f"fetching {url}", file=sys.stderr)
    start = said = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, open(to, "wb") as file:
            expected = int(answer.headers.get("Content-Length") or 0)
            done = 0
            while piece := answer.read(PIECE):
                file.write(piece)
                done += len(piece)
                now = time.monotonic()
                if now - said > 2:
                    said = now
                    rate = done / (now - start)
                    left = f", {(expected - done) / rate:.0f} s left" if expected else ""
                    print(f"  {done / 1e6:.0f} MB, {rate / 1e6:.1f} MB/s{left}", file=sys.stderr)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise DataError(f"{url}: cannot be fetched ({error}); get it by other means, or name a server that has it with "
                        "BITTERN_DATA_URL") from error
    if expected and done != expected:
        raise DataError(f"{url}: cut off, {done} of {expected} bytes; try again")


def place(source, to, expected, url):
    """Gives a fetched file its name when it is what it should be."""
    found = content_sum(source)
    if found != expected:
        raise DataError(f"{url}: {to.name} is not what it should be (SHA-256 of its content {found}, expected {expected}); "
                        "nothing was kept")
    os.chmod(source, 0o644)
    with open(source, "rb") as file:
        os.fsync(file.fileno())
    os.replace(source, to)


def unpack(archive, name, to, url):
    """Takes the file called `name`, in whatever folder, out of an archive. Nothing else is written, wherever it says."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isfile() and pathlib.PurePosixPath(member.name).name == name:
                    with open(to, "wb") as file, tar.extractfile(member) as source:
                        while piece := source.read(PIECE):
                            file.write(piece)
                    return
    except (tarfile.TarError, EOFError, OSError, gzip.zlib.error) as error:
        raise DataError(f"{url}: no archive, or damaged ({error}); nothing was kept") from error
    raise DataError(f"{url}: has no {name}")


def get(name, out, sets, base=None):
    """Fetches one data set into out/name; what is there and right stays."""
    one = sets[name]
    folder = pathlib.Path(out) / name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = []
    for file, expected in one["files"].items():
        path = folder / file
        if not path.exists():
            wanted.append(file)
        elif content_sum(path) != expected:
            print(f"{path}: not what it should be; it is fetched again", file=sys.stderr)
            wanted.append(file)
    base = (base or one["url"]).rstrip("/")
    # Beside the files, so that giving them their names is one step.
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
        scratch = pathlib.Path(scratch)
        if wanted and "archive" in one:
            url = f"{base}/{one['archive']}"
            download(url, scratch / one["archive"])
            for file in wanted:
                unpack(scratch / one["archive"], file, scratch / file, url)
                place(scratch / file, folder / file, one["files"][file], url)
        elif wanted:
            for file in wanted:
                url = f"{base}/{file}"
                download(url, scratch / file)
                place(scratch / file, folder / file, one["files"][file], url)
    print(f"{folder}: {len(one['files'])} files, all right" + ("" if wanted else " (they were there)"))


def main(words=None, sets=None):
    sets = sets or SETS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", choices=sorted(sets), metavar="SET", help=", ".join(sorted(sets)))
    parser.add_argument("--out", default="data", help="folder for the data sets, a folder each (default: data)")
    arguments = parser.parse_args(words)
    status = 0
    for name in arguments.sets:
        try:
            get(name, arguments.out, sets, os.environ.get("BITTERN_DATA_URL"))
        except (DataError, OSError) as error:
            print(f"get_data: error: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
