#!/usr/bin/env python3
"""How often the planted causes of virtual fabs are found, and what fabs are accused of without cause.

Usage: scoreboard.py BIN_DIR [--size small|medium] [--seeds 1-5] [--scenarios a,b | --group layout]
                     [--fab other] [--from DIR] [--keep DIR] [-o FILE.json] [--markdown]

For every scenario and seed: simulate, ingest, `findings --json` and `suggest --json`, one process
after the other; then compare with truth.json. A finding matches a cause when its kind is the
cause's, or another that names the same thing to mend, and every subject field that the cause names
with a text or whole number (times excepted) is the same in the finding. A finding that matches no
cause is wrong, unless it names only what a cause is confounded with. `--fab other` takes the fabs
of tests/bench/other_fab.py instead of `simulate`; `--from` takes folders that are there already
(each with its truth.json). --markdown prints the table of docs/benchmarks.md.

Shares are of causes (rank 1, first 3, action), of data sets (wrong, undecided right, null) or of
layout causes found (precision and recall of places within 0.5 um, interval covers the true rate,
decoys reported). The exit status is 0 whatever they are: judging is for the reader.
"""
import argparse
import json
import math
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
    "sensor_drift": {"sensor_drift", "chamber"},
    "layout_pattern": {"layout_pattern"},
    "tool": {"tool"},
}
NOT_COMPARED = {"from", "to", "pattern_id", "feature", "sensor", "parameter"}
GROUPS = {
    "layout": ["hotspot", "single_via", "hotspot_interaction", "single_via_open", "cmp_density", "decoy",
               "registration", "two_patterns", "null"],
    "process": ["chamber", "reticle", "probe_site", "queue_time", "tool_scratch", "fdc_drift",
                "confounded_tools", "slot_position", "two_causes", "probe_card_wear", "recipe_change",
                "lot_split", "chiplet_assembly", "ecid_errors", "intermittent_tool", "null"],
}
REACH_UM = 0.5


def compared(subject, feature_counts):
    for key, wanted in subject.items():
        if key in NOT_COMPARED and not (key == "feature" and feature_counts):
            continue
        if isinstance(wanted, float) and not wanted.is_integer():
            continue
        yield key, str(wanted)


def matches(finding, cause):
    kinds = SAME_KIND.get(cause["kind"], {cause["kind"]})
    if finding["kind"] not in kinds:
        return False
    fields = compared(cause["subject"], cause["kind"] == "layout_feature")
    return all(str(finding["subject"].get(k)) == v for k, v in fields)


def same_subject(candidate, subject):
    return all(str(candidate.get(k)) == v for k, v in compared(subject, False))


def undecided_right(document, cause):
    """Every subject of the truth's group is in one undecided group, or a finding confounded with it."""
    wanted = cause["undecided"]
    groups = [(u["candidates"], bool(u.get("deciding_experiment"))) for u in document.get("undecided", [])]
    for f in document["findings"]:
        groups.append(([f["subject"], *f.get("confounded_with", [])], True))
    return any(decides and all(any(same_subject(c, w) for c in candidates) for w in wanted)
               for candidates, decides in groups)


def is_echo(finding, causes):
    """Names one of the subjects that no data can tell from a cause's."""
    return any(same_subject(finding["subject"], w) for c in causes for w in c.get("undecided", []))


class Places:
    """Centres of boxes in um, found by square cells."""

    def __init__(self, rows):
        self.centres = [(r["x"] + r["w"] / 2, r["y"] + r["h"] / 2) for r in rows]
        self.cells = {}
        for x, y in self.centres:
            self.cells.setdefault((math.floor(x), math.floor(y)), []).append((x, y))

    def near(self, x, y):
        i, j = math.floor(x), math.floor(y)
        return any(abs(px - x) <= REACH_UM and abs(py - y) <= REACH_UM
                   for a in (-1, 0, 1) for b in (-1, 0, 1) for px, py in self.cells.get((i + a, j + b), ()))

    def share_near(self, other):
        return sum(other.near(x, y) for x, y in self.centres) / len(self.centres) if self.centres else None


def judge_places(finding, cause):
    """Precision and recall of the places, decoys reported, and whether the interval covers the rate."""
    out = {}
    whole = cause["locations_total"] <= len(cause.get("locations", []))
    if whole and finding.get("locations") and cause["kind"] != "layout_feature":
        planted, said = Places(cause["locations"]), Places(finding["locations"])
        out["precision"], out["recall"] = said.share_near(planted), planted.share_near(said)
        if cause.get("decoys"):
            out["decoys"] = Places(cause["decoys"]).share_near(said)
    rate = cause["parameters"].get("reported_rate_per_occurrence")
    said = finding.get("rate_per_opportunity")
    if rate and said:
        low, high = said["ci95"]
        out["covers"] = low <= rate <= high
        out["rate_ratio"] = round(said["value"] / rate, 3)
    return out


def registration_error(document, truth):
    """Largest distance of a tool's estimated shift from the true one, um; None when none is stated."""
    said = {r.get("tool"): r for r in document.get("registration", [])}
    errors = [math.hypot(said[t["tool"]]["dx_um"] - t["dx_um"], said[t["tool"]]["dy_um"] - t["dy_um"])
              for t in truth.get("inspection", {}).get("tools", []) if t["tool"] in said]
    return max(errors) if errors else None


def judge(document, suggestions, truth):
    findings, causes = document["findings"], truth["causes"]
    row = {"causes": [], "findings": len(findings), "undecided": len(document.get("undecided", []))}
    for cause in causes:
        found = next((f for f in findings if matches(f, cause)), None)
        actions = set(cause.get("expected_actions", truth.get("expected_actions", [])))
        entry = {"kind": cause["kind"], "subject": cause["subject"], "rank": found["rank"] if found else None,
                 "action": any(s["action"] in actions for s in suggestions)}
        if found and cause.get("locations"):
            entry.update(judge_places(found, cause))
        if cause.get("undecided"):
            entry["undecided_right"] = undecided_right(document, cause)
        row["causes"].append(entry)
    wrong = [f for f in findings if not any(matches(f, c) for c in causes) and not is_echo(f, causes)]
    row["wrong"] = len(wrong)
    row["wrong_are"] = [f"{f['kind']} {f['subject']}" for f in wrong][:5]
    # What stands before a cause and is no cause takes its rank; another true cause does not.
    true_ranks = sorted(e["rank"] for e in row["causes"] if e["rank"])
    for entry in row["causes"]:
        if entry["rank"]:
            entry["rank"] -= sum(r < entry["rank"] for r in set(true_ranks))
    row["registration_um"] = registration_error(document, truth)
    row["top"] = findings[0]["statement"] if findings else ""
    return row


class Runner:
    def __init__(self, arguments):
        self.a = arguments
        self.binary = str(pathlib.Path(arguments.bin) / "yieldloop")

    def call(self, *words):
        return subprocess.run([self.binary, *words], check=True, capture_output=True, text=True).stdout

    def make(self, scenario, seed, fab):
        if self.a.fab == "other":
            script = pathlib.Path(__file__).with_name("other_fab.py")
            subprocess.run([sys.executable, script, str(fab), "--seed", str(seed)], check=True, capture_output=True)
        else:
            self.call("simulate", scenario, "--seed", str(seed), "--size", self.a.size, "-o", str(fab))

    def analyse(self, fab, store):
        truth = json.loads((fab / "truth.json").read_text())
        mapping = ["--mapping", str(fab / "mapping.toml")] if (fab / "mapping.toml").exists() else []
        started = time.time()
        done = subprocess.run([self.binary, "--store", str(store), "--quiet", "ingest", str(fab), *mapping],
                              capture_output=True, text=True)
        ingested = time.time()
        document = json.loads(self.call("--store", str(store), "--quiet", "--json", "findings"))
        analysed = time.time()
        suggested = json.loads(self.call("--store", str(store), "--quiet", "--json", "suggest"))
        row = judge(document, suggested["suggestions"], truth)
        row.update(ingest_s=round(ingested - started, 2), findings_s=round(analysed - ingested, 2),
                   ingest_status=done.returncode)
        return row

    def run_one(self, scenario, seed, folder):
        self.make(scenario, seed, folder / "fab")
        return {"scenario": scenario, "seed": seed, **self.analyse(folder / "fab", folder / "store")}

    def scenarios(self):
        if self.a.fab == "other":
            return ["other"]
        if self.a.scenarios:
            return self.a.scenarios.split(",")
        if self.a.group:
            return GROUPS[self.a.group]
        return [s["name"] for s in json.loads(self.call("--json", "simulate", "--list"))["scenarios"]]

    def rows(self):
        if self.a.from_folder:
            for fab in sorted(pathlib.Path(self.a.from_folder).iterdir()):
                if not (fab / "truth.json").exists():
                    continue
                with tempfile.TemporaryDirectory() as scratch:
                    truth = json.loads((fab / "truth.json").read_text())
                    yield {"scenario": truth["scenario"], "seed": truth["seed"],
                           **self.analyse(fab, pathlib.Path(scratch) / "store")}
            return
        for scenario in self.scenarios():
            for seed in seeds_of(self.a.seeds):
                with tempfile.TemporaryDirectory() as scratch:
                    folder = pathlib.Path(self.a.keep or scratch) / f"{scenario}-{seed}"
                    shutil.rmtree(folder, ignore_errors=True)
                    folder.mkdir(parents=True)
                    yield self.run_one(scenario, seed, folder)


def seeds_of(text):
    seeds = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds.extend(range(int(first), int(last or first) + 1))
    return seeds


def share(values):
    values = [v for v in values if v is not None]
    return f"{sum(bool(v) for v in values)}/{len(values)}" if values else "-"


def mean(values):
    values = [v for v in values if v is not None]
    return f"{sum(values) / len(values):.2f}" if values else "-"


def summary(rows):
    """Cells of one line of the table."""
    causes = [c for r in rows for c in r["causes"]]
    null = [r for r in rows if not r["causes"]]
    return [share([c["rank"] == 1 for c in causes]), share([(c["rank"] or 99) <= 3 for c in causes]),
            f"{sum(r['wrong'] for r in rows) / len(rows):.2f}", share([c["action"] for c in causes]),
            share([c.get("undecided_right") for c in causes]), mean([c.get("precision") for c in causes]),
            mean([c.get("recall") for c in causes]), share([c.get("covers") for c in causes]),
            mean([c.get("decoys") for c in causes]), mean([r["registration_um"] for r in rows]),
            share([r["findings"] == 0 for r in null]),
            mean([r["ingest_s"] for r in rows]), mean([r["findings_s"] for r in rows])]


HEAD = ["scenario", "rank 1", "first 3", "wrong a set", "action", "undecided right", "precision", "recall",
        "interval covers", "decoys reported", "registration um", "null silent", "ingest s", "findings s"]


def print_table(rows, markdown):
    names = list(dict.fromkeys(r["scenario"] for r in rows))
    lines = [[n, *summary([r for r in rows if r["scenario"] == n])] for n in names]
    lines.append(["all", *summary(rows)])
    if markdown:
        print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
        for line in lines:
            print("| " + " | ".join(line) + " |")
        return
    widths = [max(len(line[i]) for line in [HEAD, *lines]) for i in range(len(HEAD))]
    for line in [HEAD, *lines]:
        print("  ".join(cell.ljust(w) for cell, w in zip(line, widths)))


def print_row(row):
    ranks = [c["rank"] for c in row["causes"]]
    more = {k: v for c in row["causes"] for k, v in c.items() if k not in ("kind", "subject", "rank")}
    print(f"{row['scenario']:20} seed {row['seed']:3} ranks {ranks} wrong {row['wrong']} {more} "
          f"{row['ingest_s']}+{row['findings_s']} s  {row['top'][:100]}", flush=True)
    for text in row["wrong_are"]:
        print(f"    wrong: {text}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", help="folder of the program")
    parser.add_argument("--size", default="small", choices=["small", "medium"])
    parser.add_argument("--seeds", default="1-5", help="as 1-5 or 2,7,9-12")
    parser.add_argument("--scenarios", default="")
    parser.add_argument("--group", choices=sorted(GROUPS))
    parser.add_argument("--fab", default="own", choices=["own", "other"])
    parser.add_argument("--from", dest="from_folder", help="folder of fabs made before")
    parser.add_argument("--keep")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("-o", "--output")
    a = parser.parse_args()
    rows = []
    for row in Runner(a).rows():
        rows.append(row)
        print_row(row)
        if a.output:
            pathlib.Path(a.output).write_text(json.dumps(rows, indent=1))
    if rows:
        print_table(rows, a.markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
