#!/usr/bin/env python3
"""Random kill test: campaigns that are killed again and again end with the results of undisturbed ones.

    scripts/check_kill.py [--campaigns 30] [--kills 5] [--seed N] [--build FOLDER] [--variant bismo_tiny] [--keep]

Each campaign (LeNet, drawn digits, a few episodes, timed on RTL, with a seed of its own) is run once in peace, then once
more with a fresh store while the program or one of its devices is killed at random moments; after each death of the program it
is resumed. Compared are result.json without times, every episode, policy.json, lut.csv and the rows of the stores; no device
may outlive its program. The same --seed repeats the same order of kills (their moments depend on the machine). Prints a
line a campaign; exit status 1 when one differs. Takes about half a minute a campaign.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CAMPAIGN = """name: killed
network: lenet
variant: {variant}
cost: rtl
seed: {seed}
data: {{dataset: synthetic, train_images: 400, validation_images: 100, test_images: 100}}
model: {{epochs: 1}}
evaluator: {{calibration_images: 32}}
constraints:
  - {{resource: latency, ratio: {ratio}}}
search: {{episodes: {episodes}, warmup: 4, min_bits: 2, max_bits: 5, hidden: [32, 32], pin_first_last: false}}
final: {{epochs: 1}}
"""
# Keys of results that say when or how long, at any depth.
TIMES = {"timing", "time", "seconds", "started", "finished", "wall_s"}


class Difference(Exception):
    """What is not as it was in peace."""


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [without_times(item) for item in value]
    return value


def outcome(folder):
    """Everything of a result directory that must not depend on what was killed, by file."""
    out = {"result.json": without_times(json.loads((folder / "result.json").read_text()))}
    lines = (folder / "episodes.jsonl").read_text().splitlines()
    out["episodes.jsonl"] = [without_times(json.loads(line)) for line in lines]
    for name in ("policy.json", "lut.csv"):
        out[name] = (folder / name).read_text()
    return out


def store_rows(file):
    """Every measurement of a store without its times, and without the digest, which covers them; sorted."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        (state,) = connection.execute("PRAGMA integrity_check").fetchone()
        if state != "ok":
            raise Difference(f"{file.name}: {state}")
        cursor = connection.execute("SELECT * FROM measurements")
        names = [column[0] for column in cursor.description]
        kept = [i for i, name in enumerate(names) if not any(word in name for word in ("time", "created", "digest", "seconds", "host"))]
        return sorted(json.dumps([row[i] for i in kept], default=repr) for row in cursor)


def children_of(pid):
    """Processes that `pid` started and that still run."""
    out = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            out += [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    except OSError:
        pass  # it has just ended
    return out


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Run:
    """`bittern run --resume` as a process that can be killed."""

    def __init__(self, bittern, campaign, out, store, log):
        self.log = log
        with open(log, "ab") as stream:
            self.process = subprocess.Popen(
                [bittern, "run", str(campaign), "--out", str(out), "--store", str(store), "--resume", "--workers", "1"],
                stdout=stream, stderr=stream)

    def finish(self, timeout=600):
        status = self.process.wait(timeout)
        if status != 0:
            raise Difference(f"exit status {status}: {pathlib.Path(self.log).read_text()[-1500:]}")

    def kill(self, signal_number):
        """Kills the program; no device may be left a few seconds later."""
        devices = children_of(self.process.pid)
        self.process.send_signal(signal_number)
        self.process.wait()
        until = time.monotonic() + 20
        while any(alive(pid) for pid in devices):
            if time.monotonic() > until:
                raise Difference(f"devices {devices} outlived their program by 20 s")
            time.sleep(0.05)


def disturbed(bittern, campaign, out, store, log, duration, kills, rng):
    """Runs a campaign and kills; the text says what was killed."""
    deeds = []
    run = Run(bittern, campaign, out, store, log)
    while len(deeds) < kills:
        wait = rng.uniform(0.02, 1.0) * duration
        target = rng.choice(["program", "program", "device", "stop"])
        try:
            run.process.wait(wait)
        except subprocess.TimeoutExpired:
            pass
        else:
            break  # it was quicker
        if target == "device":
            devices = children_of(run.process.pid)
            if not devices:
                continue  # none runs now
            os.kill(rng.choice(devices), signal.SIGKILL)
        else:
            run.kill(signal.SIGKILL if target == "program" else signal.SIGTERM)
            run = Run(bittern, campaign, out, store, log)
        deeds.append(f"{target} after {wait:.1f} s")
    run.finish()
    return ", ".join(deeds) if deeds else "nothing, it was too quick"


def compare(peaceful, wounded):
    for name, expected in peaceful.items():
        if wounded[name] != expected:
            raise Difference(f"{name} differs")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campaigns", type=int, default=30)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--variant", default="bismo_tiny")
    parser.add_argument("--keep", action="store_true", help="leave the directories of what differed")
    options = parser.parse_args()
    bittern = options.build.resolve() / "bin" / "bittern"
    if not bittern.exists():
        sys.exit(f"check_kill.py: error: {bittern} is not there; scripts/run.sh builds it")

    print(f"{options.campaigns} campaigns on {options.variant}, seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    failures = kills = 0
    for number in range(options.campaigns):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bittern-kill-"))
        campaign = folder / "campaign.yaml"
        seed = rng.randrange(1, 1 << 31)
        campaign.write_text(CAMPAIGN.format(variant=options.variant, seed=seed, ratio=rng.choice([0.3, 0.4, 0.6]),
                                            episodes=rng.choice([8, 10, 12])))
        start = time.monotonic()
        what = "the undisturbed run"
        try:
            run = Run(bittern, campaign, folder / "whole", folder / "whole.db", folder / "whole.log")
            run.finish()
            duration = time.monotonic() - start
            what = disturbed(bittern, campaign, folder / "parts", folder / "parts.db", folder / "parts.log", duration,
                             rng.randint(1, options.kills), rng)
            compare(outcome(folder / "whole"), outcome(folder / "parts"))
            if store_rows(folder / "whole.db") != store_rows(folder / "parts.db"):
                raise Difference("the stores differ")
            verdict = "equal"
        except (Difference, OSError, ValueError, subprocess.TimeoutExpired) as error:
            verdict = f"DIFFERENT: {error}"
            failures += 1
        kills += what.count(" after ")
        print(f"{number + 1:3} seed {seed}: {verdict}; killed: {what}", flush=True)
        if verdict == "equal" or not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"    left in {folder}", flush=True)
    print(f"{options.campaigns - failures} of {options.campaigns} campaigns equal after {kills} kills (seed {options.seed})")
    return 1 if failures or kills == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
