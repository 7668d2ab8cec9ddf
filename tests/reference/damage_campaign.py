#!/usr/bin/env python3
"""Damages files in many ways and asks what the program says of them.

Usage: damage_campaign.py PROGRAM FILE... [--flips 2000] [--cuts 200] [--seed 1]

For every FILE: cut off at `--cuts` places, `--flips` copies with one byte changed, pairs of bytes
swapped throughout, and 16-bit lengths made a hundred times longer at 100 places. All copies go through
`PROGRAM check --json`. A copy is *told* when a reject, warning or refusal names what the clean file
does not have, *silent* when its counts differ from the clean file's and nothing is told; *broken* when the reader had to be ended or its
worker died. Prints a line a file; exits with 1 when a reader broke.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

# Words of the sentences that a worker leaves which died or had to be ended (PIPE-0003, 8 to 11).
BROKEN = (" failed on ", " crashed on ", " took too long over ", " and was stopped", " handed back what is no data ")
# Counts that a changed digit moves in any format without a checksum: values, not numbers of records.
VALUES = {"ptr_sum", "area_per_test_cm2", "dbu_um", "x_min", "x_max", "y_min", "y_max"}


def copies(data, a):
    rng = random.Random(a.seed)
    for k in range(a.cuts):
        at = (k * len(data)) // a.cuts
        yield "cut", at, data[:at]
    for _ in range(a.flips):
        at = rng.randrange(len(data))
        other = (data[at] + rng.randrange(1, 256)) % 256
        yield "flip", at, data[:at] + bytes([other]) + data[at + 1:]
    even = len(data) // 2 * 2
    swapped = bytearray(data)
    swapped[0:even:2], swapped[1:even:2] = data[1:even:2], data[0:even:2]
    yield "swap", 0, bytes(swapped)
    for _ in range(100):
        at = rng.randrange(max(1, len(data) - 1))
        longer = min(65535, 100 * (int.from_bytes(data[at:at + 2], "little") or 1))
        yield "long", at, data[:at] + longer.to_bytes(2, "little") + data[at + 2:]


def complaints(answer):
    found = {(r["id"], r["message"]) for r in answer["rejects"]} | set(answer["warnings"])
    return found | ({answer["message"]} if answer["message"] else set())


def numbers_of_records(counts):
    return {k: v for k, v in counts.items() if k not in VALUES and not k.startswith("bbox")}


def check(program, files):
    out = subprocess.run([program, "check", "--json", *map(str, files)], capture_output=True, text=True)
    return {f["path"]: f for f in json.loads(out.stdout)["files"]}


def differences(clean, damaged):
    keys = set(clean) | set(damaged)
    return sorted(k for k in keys if clean.get(k) != damaged.get(k))


def campaign(program, file, a):
    data = file.read_bytes()
    clean = next(iter(check(program, [file]).values()))
    tally, silent, broken = {}, [], []
    with tempfile.TemporaryDirectory() as scratch:
        made = {}
        for i, (how, at, content) in enumerate(copies(data, a)):
            path = pathlib.Path(scratch) / f"{i}{''.join(file.suffixes)}"
            path.write_bytes(content)
            made[str(path)] = (how, at)
        answers = {}
        names = list(made)
        for k in range(0, len(names), 500):
            answers.update(check(program, names[k:k + 500]))
        for path, (how, at) in made.items():
            answer = answers.get(path)
            if answer is None or any(words in (answer["message"] or "") for words in BROKEN):
                broken.append((how, at, answer and answer["message"]))
                continue
            changed = differences(numbers_of_records(clean["counts"]), numbers_of_records(answer["counts"]))
            kind = "told" if complaints(answer) - complaints(clean) else "silent" if changed else "same"
            tally[(how, kind)] = tally.get((how, kind), 0) + 1
            if kind == "silent":
                silent.append((how, at, changed))
    return clean, tally, silent, broken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--flips", type=int, default=2000)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="silent copies to print a file")
    a = parser.parse_args()
    worst = 0
    for file in a.files:
        clean, tally, silent, broken = campaign(a.program, file, a)
        words = ", ".join(f"{how} {kind} {n}" for (how, kind), n in sorted(tally.items()))
        print(f"{file.name} ({clean['kind']}): {words}; broken {len(broken)}", flush=True)
        for case in silent[:a.show]:
            print("   silent", *case)
        for case in broken[:10]:
            print("   broken", *case)
        worst |= bool(broken)
    sys.exit(worst)


if __name__ == "__main__":
    main()
