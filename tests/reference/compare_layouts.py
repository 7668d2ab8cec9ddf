#!/usr/bin/env python3
"""Compares what the program reads and writes with KLayout, file by file.

Usage: compare_layouts.py PROGRAM FOLDER [--largest MB]

For every .gds, .oas (also .gz) below FOLDER: the counts of `PROGRAM check --json` against KLayout's,
then the file converted to GDSII and to OASIS by `PROGRAM convert` against the original: cells, placements, texts,
and per cell and layer an exclusive-or that must be empty. Prints a line a file and exits with 1
when one disagrees; exits with 0 and says so when KLayout is not installed.

Known disagreements, in which the file's own records decide:
- KLayout drops copies of a repetition that stand on another copy; they are counted here. What is
  drawn is the same, so counts may differ by them and areas never do.
- KLayout draws the parametric cells of its own libraries again from their `$$$CONTEXT_INFO$$$`;
  here the shapes in the file are taken.
- KLayout takes zero, or an empty text, for a modal value of OASIS that no record has set; the standard calls that an
  error, and the element is dropped here with a reject.
- KLayout refuses some context cells of newer versions; the files are read here.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

KLAYOUT_SCRIPT = r"""
import json, pya

def load(path):
    layout = pya.Layout()
    layout.read(path)
    return layout

def real_cells(layout):
    return {c.name: c for c in layout.each_cell()
            if not c.is_ghost_cell() and c.name != "$$$CONTEXT_INFO$$$"}

def layers(layout):
    return {(i.layer, i.datatype): li for li in layout.layer_indexes()
            for i in [layout.get_info(li)]}

def instances(layout, cell):
    found = {}
    for i in cell.each_inst():
        for a in range(max(1, i.na)):
            for b in range(max(1, i.nb)):
                t = i.cplx_trans
                by = i.a * a + i.b * b if i.is_regular_array() else pya.Vector(0, 0)
                key = (layout.cell(i.cell_index).name, t.disp.x + by.x, t.disp.y + by.y,
                       round(t.angle, 6), round(t.mag, 9), t.is_mirror())
                found[key] = found.get(key, 0) + 1
    return found

def texts(cell, own):
    return {(key, s.text.string, s.text.x, s.text.y) for key, li in own.items()
            for s in cell.shapes(li).each(pya.Shapes.STexts)}

def difference(first, second):
    a, b = real_cells(first), real_cells(second)
    if set(a) != set(b):
        return "cells differ: %s" % sorted(set(a) ^ set(b))[:3]
    la, lb = layers(first), layers(second)
    for name in a:
        if set(instances(first, a[name])) != set(instances(second, b[name])):
            return "placements of %s differ" % name
        if texts(a[name], la) != texts(b[name], lb):
            return "texts of %s differ" % name
        for key in set(la) | set(lb):
            ra = pya.Region(a[name].shapes(la[key])) if key in la else pya.Region()
            rb = pya.Region(b[name].shapes(lb[key])) if key in lb else pya.Region()
            if not (ra ^ rb).is_empty():
                return "exclusive-or of %s on %d/%d is not empty" % ((name,) + key)
    return ""

layout = load(original)
shapes, label_count = {}, 0
for cell in real_cells(layout).values():
    for key, li in layers(layout).items():
        drawn = pya.Shapes.SBoxes | pya.Shapes.SPolygons | pya.Shapes.SPaths
        n = sum(1 for _ in cell.shapes(li).each(drawn))
        if n:
            shapes["%d/%d" % key] = shapes.get("%d/%d" % key, 0) + n
        label_count += sum(1 for _ in cell.shapes(li).each(pya.Shapes.STexts))
result = {"dbu": layout.dbu, "cells": layout.cells(), "shapes": shapes, "texts": label_count,
          "tops": {c.name: [c.bbox().left, c.bbox().bottom, c.bbox().right, c.bbox().top]
                   for c in layout.top_cells() if not c.bbox().empty()},
          "differences": {p: difference(layout, load(p)) for p in json.loads(copies)}}
json.dump(result, open(output, "w"))
"""


def klayout(script, output, original, copies):
    run = subprocess.run(["klayout", "-b", "-z", "-rd", f"original={original}", "-rd",
                          f"copies={json.dumps([str(c) for c in copies])}", "-rd",
                          f"output={output}", "-r", script], capture_output=True, text=True)
    if run.returncode != 0:
        return None
    return json.loads(pathlib.Path(output).read_text())


def compare_counts(counts, peer):
    """Sentences on what differs; duplicates in repetitions may only add to ours."""
    wrong = []
    if abs(counts["dbu_um"] - peer["dbu"]) > 1e-9 * peer["dbu"]:
        wrong.append(f"dbu {counts['dbu_um']} and {peer['dbu']}")
    for name, box in peer["tops"].items():
        ours = counts.get("bbox_um:" + name) or counts.get("bbox_um", {}).get(name)
        corners = ["x_min", "y_min", "x_max", "y_max"]
        if ours and any(abs(ours[c] / peer["dbu"] - v) > 0.5 for c, v in zip(corners, box)):
            wrong.append(f"box of {name}: {ours} and {box}")
    return wrong


def compare(program, path, folder, script):
    run = subprocess.run([program, "check", "--json", str(path)], capture_output=True, text=True)
    document = json.loads(run.stdout)["files"][0]
    if document["status"] == "refused":
        return [f"refused: {document['message']}"]
    copies = []
    for extension in ("gds", "oas"):
        copy = folder / f"copy.{extension}"
        subprocess.run([program, "convert", "--quiet", str(path), str(copy)], capture_output=True,
                       check=False)
        copies.append(copy)
    peer = klayout(script, folder / "peer.json", path, copies)
    if peer is None:
        return None
    wrong = compare_counts(document["counts"], peer)
    wrong += [f"{pathlib.Path(p).suffix}: {what}" for p, what in peer["differences"].items() if what]
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--largest", type=float, default=5.0, help="MB of a file that is compared")
    arguments = parser.parse_args()
    if shutil.which("klayout") is None:
        print("klayout is not installed: nothing was compared")
        return 0
    failed = compared = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        script = folder / "compare.py"
        script.write_text(KLAYOUT_SCRIPT)
        for path in sorted(arguments.folder.rglob("*")):
            plain = path.name.removesuffix(".gz")
            if not plain.endswith((".gds", ".oas")) or not path.is_file():
                continue
            if path.stat().st_size > arguments.largest * 1e6:
                continue
            wrong = compare(arguments.program, path, folder, script)
            compared += 1
            failed += bool(wrong)
            verdict = "KLayout does not read it" if wrong is None else "; ".join(wrong) or "equal"
            print(f"{path.relative_to(arguments.folder)}: {verdict}", flush=True)
    print(f"{compared} files compared, {failed} disagree")
    return 1 if failed or compared == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
