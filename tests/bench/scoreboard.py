#!/usr/bin/env python3
"""How often the planted cause of a virtual fab is found, and what a fab without one is accused of.

Usage: scoreboard.py BIN_DIR [--size small] [--seeds 1-5] [--scenarios a,b] [--keep DIR] [-o FILE]

For every scenario and seed: simulate, ingest, `findings --json` and `suggest --json`; then compare
with truth.json. A finding matches a cause when its kind is the cause's and every subject field that
the cause names with a text or whole number (times excepted) is the same in the finding. Prints one
row a run and the totals; the exit status is 0 whatever they are: judging is for the reader.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

# A cause may be seen from two sides; both name the same thing to mend.
SAME_KIND = {
    "reticle": {"reticle", "repeater"},
    "repeater": {"reticle", "repeater"},
    "chamber": {"chamber"},
    "via": {"via"},
}


def matches(finding, cause):
    if finding["kind"] not in SAME_KIND.get(cause["kind"], {cause["kind"]}):
        return False
    for key, wanted in cause["subject"].items():
        if key in ("from", "to", "pattern_id", "feature"):
            continue
        if isinstance(wanted, float) and not wanted.is_integer():
            continue
        if str(finding["subject"].get(key)) != str(wanted):
            return False
    return True


def recall_of_locations(finding, truth, tolerance=0.05):
    """Share of the planted places that lie in the finding's, and of the finding's that are planted."""
    def centres(rows):
        return [(r["x"] + r["w"] / 2, r["y"] + r["h"] / 2) for r in rows]
    planted, said = centres(truth["locations"]), centres(finding["locations"])
    if not planted or not said:
        return None
    grid = {}
    for x, y in said:
        grid.setdefault((int(x), int(y)), []).append((x, y))

    def near(x, y, cells, reach):
        return any(abs(px - x) <= reach and abs(py - y) <= reach
                   for i in (-1, 0, 1) for j in (-1, 0, 1)
                   for px, py in cells.get((int(x) + i, int(y) + j), ()))
    recall = sum(near(x, y, grid, 0.5) for x, y in planted) / len(planted)
    cells = {}
    for x, y in planted:
        cells.setdefault((int(x), int(y)), []).append((x, y))
    precision = sum(near(x, y, cells, 0.5) for x, y in said) / len(said)
    return recall, precision


def run_one(binary, scenario, seed, size, folder):
    fab, store = folder / "fab", folder / "store"
    call = lambda *a: subprocess.run([binary, *a], check=True, capture_output=True, text=True).stdout
    call("simulate", scenario, "--seed", str(seed), "--size", size, "-o", str(fab))
    started = time.time()
    subprocess.run([binary, "--store", store, "--quiet", "ingest", fab], capture_output=True, text=True)
    ingested = time.time()
    findings = json.loads(call("--store", str(store), "--quiet", "--json", "findings"))["findings"]
    analysed = time.time()
    suggestions = json.loads(call("--store", str(store), "--quiet", "--json", "suggest"))["suggestions"]
    truth = json.loads((fab / "truth.json").read_text())
    ranks = [next((f["rank"] for f in findings if matches(f, c)), None) for c in truth["causes"]]
    places = None
    if truth["causes"] and ranks[0]:
        found = next(f for f in findings if f["rank"] == ranks[0])
        whole = truth["causes"][0]["locations_total"] <= len(truth["locations"])
        if found["locations"] and truth["locations"] and whole:
            places = recall_of_locations(found, truth)
    wanted = set(truth["expected_actions"])
    answered = any(s["action"] in wanted for s in suggestions)
    return {"scenario": scenario, "seed": seed, "ranks": ranks, "findings": len(findings),
            "causes": len(truth["causes"]), "action": answered if truth["causes"] else None,
            "places": places, "ingest_s": round(ingested - started, 2),
            "findings_s": round(analysed - ingested, 2),
            "top": findings[0]["statement"] if findings else ""}


def seeds_of(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--size", default="small")
    parser.add_argument("--seeds", default="1-5")
    parser.add_argument("--scenarios", default="")
    parser.add_argument("--keep")
    parser.add_argument("-o", "--output")
    a = parser.parse_args()
    binary = str(pathlib.Path(a.bin) / "yieldloop")
    listed = json.loads(subprocess.run([binary, "--json", "simulate", "--list"], check=True,
                                       capture_output=True, text=True).stdout)
    names = a.scenarios.split(",") if a.scenarios else [s["name"] for s in listed["scenarios"]]
    rows = []
    for name in names:
        for seed in seeds_of(a.seeds):
            with tempfile.TemporaryDirectory() as scratch:
                folder = pathlib.Path(a.keep or scratch) / f"{name}-{seed}"
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                row = run_one(binary, name, seed, a.size, folder)
            rows.append(row)
            print(f"{name:14} seed {seed}  ranks {row['ranks']}  of {row['findings']} findings  "
                  f"action {row['action']}  places {row['places']}  {row['ingest_s']}+{row['findings_s']} s  "
                  f"{row['top'][:90]}", flush=True)
    causes = [r for row in rows for r in row["ranks"]]
    null = [row for row in rows if row["causes"] == 0]
    if causes:
        print(f"rank 1: {sum(r == 1 for r in causes)}/{len(causes)}   "
              f"first 3: {sum(r is not None and r <= 3 for r in causes)}/{len(causes)}")
    if null:
        print(f"null without a finding: {sum(row['findings'] == 0 for row in null)}/{len(null)}")
    if a.output:
        pathlib.Path(a.output).write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
