"""Compares shapes written by lefdef_shapes with those that KLayout makes of the same files.

Run by KLayout: klayout -b -r xor_with_klayout.py -rd shapes=FILE -rd design=X.def -rd lefs=A.lef,B.lef
Prints a line for each group of shapes and layer: area of both and of what only one has, in um2.
Exits with 1 when the difference of any layer exceeds `limit` um2 (0 by default).
"""
import sys

import pya

# KLayout puts vias of cells' pins and of fills beside those of nets, so these are one group.
GROUPS = {"wire": "NET", "via": "VIA", "pin": "PIN", "fill": "VIA", "cell_pin": "VIA",
          "obstruction": "OBS"}


def klayout_regions(design, lefs, dbu):
    options = pya.LoadLayoutOptions()
    config = options.lefdef_config
    config.layer_map = pya.LayerMap()
    config.create_other_layers = True
    config.dbu = dbu
    config.lef_files = lefs
    config.read_lef_with_def = False
    config.macro_resolution_mode = 1
    config.produce_labels = False
    config.produce_cell_outlines = False
    config.produce_placement_blockages = False
    config.produce_blockages = False
    config.produce_regions = False
    config.produce_lef_labels = False
    purposes = [("routing", ".NET", 10), ("special_routing", ".NET", 10),
                ("via_geometry", ".VIA", 11), ("pins", ".PIN", 12), ("lef_pins", ".VIA", 11),
                ("obstructions", ".OBS", 14), ("fills", ".VIA", 11)]
    for name, suffix, datatype in purposes:
        setattr(config, name + "_suffix", suffix)
        setattr(config, name + "_datatype", datatype)
    options.lefdef_config = config
    layout = pya.Layout()
    layout.read(design, options)
    top = max(layout.top_cells(), key=lambda cell: cell.hierarchy_levels())
    regions = {}
    for index in layout.layer_indexes():
        name = layout.get_info(index).name
        if "." not in name:
            continue
        layer, group = name.rsplit(".", 1)
        # Inserted one by one, because a region that refers to a layout does not outlive it.
        regions.setdefault((group, layer), pya.Region()).insert(top.begin_shapes_rec(index))
    return regions


def our_regions(path):
    shapes = {}
    dbu = 0.001
    for line in open(path):
        words = line.split()
        if words[0] == "dbu":
            dbu = 1.0 / float(words[1])
            continue
        numbers = [int(word) for word in words[2:]]
        points = [pya.Point(x, y) for x, y in zip(numbers[::2], numbers[1::2])]
        key = (GROUPS[words[0]], words[1])
        shapes.setdefault(key, pya.Region()).insert(pya.Polygon(points))
    return dbu, shapes


def main():
    dbu, ours = our_regions(shapes)  # noqa: F821 (set by -rd)
    theirs = klayout_regions(design, lefs.split(",") if lefs else [], dbu)  # noqa: F821
    bound = float(globals().get("limit", 0.0))
    worst = 0.0
    for key in sorted(set(ours) | set(theirs)):
        a = ours.get(key, pya.Region()).merged()
        b = theirs.get(key, pya.Region()).merged()
        only_ours, only_theirs = (a - b), (b - a)
        scale = dbu * dbu
        difference = (only_ours.area() + only_theirs.area()) * scale
        worst = max(worst, difference)
        print("%-7s %-10s ours %14.4f klayout %14.4f only ours %12.4f only klayout %12.4f" % (
            key[0], key[1], a.area() * scale, b.area() * scale, only_ours.area() * scale,
            only_theirs.area() * scale))
        if difference > bound:
            box = only_ours.bbox() if only_ours.area() else only_theirs.bbox()
            first = (only_ours if only_ours.area() else only_theirs)[0]
            print("    first difference: %s" % first.bbox())
    sys.stdout.flush()
    if worst > bound:
        sys.exit(1)


main()
