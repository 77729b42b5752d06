"""Work of repeat_campaign.sh: runs the campaign with every seed, then compares the found policies with uniform bits.

Differences are taken within a seed (both policies start from the same trained network) and then averaged. Intervals are
Student's t at 95 %. They cover training and search; every run is scored on the same test images.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

# 97.5 % quantile of Student's t for 1, 2, ... degrees of freedom; beyond, the normal one with its first correction.
T975 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
        2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]
VALUE_OF = {"latency": "latency_s", "energy": "energy_j", "model_size": "size_bytes"}


def summary(values):
    """Mean, standard error and half width of the 95 % interval; the last two are None for a single value."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return {"mean": mean, "standard_error": None, "half_interval_95": None}
    error = statistics.stdev(values) / math.sqrt(len(values))
    freedom = len(values) - 1
    quantile = T975[freedom - 1] if freedom <= len(T975) else 1.95996 + 2.37227 / freedom
    return {"mean": mean, "standard_error": error, "half_interval_95": quantile * error}


def best_uniform(result):
    """Of the uniform policies that meet every limit, the one with the highest validation accuracy (ties: the faster):
    chosen as the found one is, without the test set. None when no uniform policy meets the limits."""
    meeting = [u for u in result["uniform"]
               if all(u[VALUE_OF[c["resource"]]] <= c["limit"] * (1 + 1e-12) for c in result["constraints"])]
    return max(meeting, key=lambda u: (u["validation_accuracy_percent"], -u["latency_s"]), default=None)


def bits(outcome):
    return " ".join(f"{layer['weight_bits']}/{layer['activation_bits']}" for layer in outcome["layers"])


def tabulate(results):
    """Every number of the table; `results` are result.json documents of one campaign with different seeds."""
    labels = [outcome["label"] for outcome in results[0]["uniform"]]
    reference = results[0]["reference"]["bits"]
    rows = []
    for label in ["found", *labels, "best uniform", "full precision"]:
        outcomes = []
        for result in results:
            if label == "found":
                outcomes.append(result["best"])
            elif label == "best uniform":
                outcomes.append(best_uniform(result))
            elif label == "full precision":
                outcomes.append(result["baseline"])
            else:
                outcomes.append(result["uniform"][labels.index(label)])
        if None in outcomes:
            continue
        row = {"policy": label}
        if label != "full precision":
            row["latency_ratio"] = summary([o["latency_s"] / r["reference"]["latency_s"] for o, r in zip(outcomes, results)])
            if reference == "8/8":
                row["latency_of_8_8"] = row["latency_ratio"]
        for name in ("validation", "test"):
            values = [o[f"{name}_accuracy_percent"] for o in outcomes]
            row[name] = summary(values)
            if label != "found":
                found = [r["best"][f"{name}_accuracy_percent"] for r in results]
                row[f"found_minus_this_{name}"] = summary([f - v for f, v in zip(found, values)])
        rows.append(row)
    runs = []
    for result in results:
        best, uniform = result["best"], best_uniform(result)
        runs.append({"seed": result["seed"], "bits": bits(best), "met": all(c["met"] for c in result["constraints"]),
                     "ratios": [c["ratio"] for c in result["constraints"]],
                     "validation": best["validation_accuracy_percent"], "test": best["test_accuracy_percent"],
                     "best_uniform": uniform and uniform["label"],
                     "best_uniform_validation": uniform and uniform["validation_accuracy_percent"],
                     "best_uniform_test": uniform and uniform["test_accuracy_percent"]})
    return {"format": "bittern-repeated-1", "campaign": results[0]["campaign"], "seeds": [r["seed"] for r in results],
            "reference": reference,
            "constraints": [{key: c[key] for key in ("resource", "unit", "limit")} for c in results[0]["constraints"]],
            "policies": rows, "runs": runs}


def plus_minus(value, digits):
    text = f"{value['mean']:.{digits}f}"
    return text if value["standard_error"] is None else f"{text} +- {value['standard_error']:.{digits}f}"


def interval(value):
    text = f"{value['mean']:+.3f}"
    if value["half_interval_95"] is None:
        return text
    return f"{text} ({value['mean'] - value['half_interval_95']:+.3f} .. {value['mean'] + value['half_interval_95']:+.3f})"


def verdict(table):
    row = next((r for r in table["policies"] if r["policy"] == "best uniform"), None)
    if row is None:
        return "no uniform policy meets the limits in every run"
    difference = row["found_minus_this_test"]
    if difference["half_interval_95"] is None:
        return "found against the best uniform policy within the limits: one run decides nothing"
    low = difference["mean"] - difference["half_interval_95"]
    high = difference["mean"] + difference["half_interval_95"]
    words = "better" if low > 0 else "worse" if high < 0 else "no difference shown"
    return f"found against the best uniform policy within the limits: {interval(difference)} points on the test set: {words}"


def text_of(table):
    lines = [f"{table['campaign']}: seeds {' '.join(map(str, table['seeds']))}", ""]
    label = max(16, *(len(row["policy"]) for row in table["policies"]))
    of = f"of {table['reference']}"
    widths = (6, 28, 5, 10, 9, 8, label, 9, 8)
    heads = ("seed", "bits (w/a of each layer)", "limit", of, "valid. %", "test %", "best uniform", "valid. %", "test %")
    lines.append("  ".join(f"{h:<{w}}" for h, w in zip(heads, widths)).rstrip())
    for run in table["runs"]:
        cells = (run["seed"], run["bits"], "met" if run["met"] else "NOT", " ".join(f"{r:.3f}" for r in run["ratios"]),
                 f"{run['validation']:.2f}", f"{run['test']:.2f}", run["best_uniform"] or "none meets it",
                 "" if run["best_uniform"] is None else f"{run['best_uniform_validation']:.2f}",
                 "" if run["best_uniform"] is None else f"{run['best_uniform_test']:.2f}")
        lines.append("  ".join(f"{str(c):<{w}}" for c, w in zip(cells, widths)).rstrip())
    lines += ["", f"{'policy':<{label}}  {'latency ' + of:<18}{'validation %':<19}{'test %':<19}"
              "found - policy, test points (95 % interval)"]
    for row in table["policies"]:
        latency = plus_minus(row["latency_ratio"], 3) if "latency_ratio" in row else "-"
        difference = interval(row["found_minus_this_test"]) if "found_minus_this_test" in row else ""
        lines.append(f"{row['policy']:<{label}}  {latency:<18}{plus_minus(row['validation'], 3):<19}"
                     f"{plus_minus(row['test'], 3):<19}{difference}".rstrip())
    lines += ["", "+- is the standard error of the mean over the seeds. The best uniform policy is chosen in each run by "
              "validation,", "among those that meet the limits.", verdict(table)]
    return "\n".join(lines) + "\n"


def main():
    arguments, passed_on = sys.argv[1:], []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, passed_on = arguments[:cut], arguments[cut + 1 :]
    parser = argparse.ArgumentParser(prog="repeat_campaign.sh",
                                     usage="%(prog)s CAMPAIGN SEED SEED... [--out DIR] [-- option of bittern run...]")
    parser.add_argument("bittern", help=argparse.SUPPRESS)
    parser.add_argument("campaign", help="name in configs/campaigns, or a .yaml file")
    parser.add_argument("seeds", nargs="+", type=int, metavar="SEED")
    parser.add_argument("--out", type=pathlib.Path, help="default: out/CAMPAIGN-repeated")
    options = parser.parse_args(arguments)
    if len(set(options.seeds)) != len(options.seeds):
        parser.error("a seed is named twice")
    out = options.out or pathlib.Path("out") / f"{pathlib.Path(options.campaign).stem}-repeated"
    results = []
    for seed in options.seeds:
        folder = out / f"seed-{seed}"
        print(f"== seed {seed}", file=sys.stderr, flush=True)
        command = [options.bittern, "run", options.campaign, "--seed", str(seed), "--out", str(folder), "--resume", *passed_on]
        status = subprocess.run(command, stdout=sys.stderr, check=False).returncode
        if status != 0:
            sys.exit(f"repeat_campaign.sh: seed {seed} ended with status {status}; the same call continues it")
        results.append(json.loads((folder / "result.json").read_text(encoding="utf-8")))
    table = tabulate(results)
    for name, content in (("repeated.json", json.dumps(table, indent=2) + "\n"), ("repeated.txt", text_of(table))):
        scratch = out / (name + ".tmp")
        scratch.write_text(content, encoding="utf-8")
        os.replace(scratch, out / name)
    print(text_of(table), end="")


if __name__ == "__main__":
    main()
