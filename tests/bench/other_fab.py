#!/usr/bin/env python3
"""A second virtual fab, made by another hand than `simulate`: 200 mm wafers, another chip, other names.

Usage: other_fab.py DIR [--seed 1] [--cause chamber|hotspot|reticle|queue_time|tool_drift|none]

Writes product.toml, a GDSII layout, KLARF 1.2 (other column order and classes), die_results.csv, a
move log with foreign columns and its mapping.toml, fdc_summary.csv, maintenance.csv and truth.json
(schema yieldloop.truth/1). Without --cause the seed draws one. Plain Python 3; the same seed gives
the same bytes. It shares nothing with engine/simulator, so that analyses are also measured on data
whose model, geometry, names and formats they were not written beside.
"""
import argparse
import datetime
import json
import math
import pathlib
import random
import struct

CAUSES = ["chamber", "hotspot", "reticle", "queue_time", "tool_drift", "none"]
UNIT = 5                      # nm a database unit
MET1, CUT1, MET2, EDGE = 10, 11, 12, 60
ROW = 4000                    # nm, cell height
PITCH = 560                   # nm, MET1 tracks
WIDTH = 220                   # nm, MET1 wires
EPOCH = datetime.datetime(2025, 9, 1, 7, 0, 0)


# ---------------------------------------------------------------- GDSII

def record(kind, payload=b""):
    return struct.pack(">HH", len(payload) + 4, kind) + payload


def text(kind, s):
    raw = s.encode()
    return record(kind, raw + b"\0" * (len(raw) % 2))


def real8(value):
    exponent = 64
    while value >= 1:
        value, exponent = value / 16, exponent + 1
    while value < 1 / 16:
        value, exponent = value * 16, exponent - 1
    return struct.pack(">Q", exponent << 56 | round(value * 2 ** 56))


def units(*nm):
    assert all(v % UNIT == 0 for v in nm), nm
    return struct.pack(f">{len(nm)}i", *(v // UNIT for v in nm))


def boundary(layer, x0, y0, x1, y1):
    xy = units(x0, y0, x0, y1, x1, y1, x1, y0, x0, y0)
    return (record(0x0800) + record(0x0D02, struct.pack(">h", layer)) + record(0x0E02, struct.pack(">h", 0)) +
            record(0x1003, xy) + record(0x1100))


def reference(name, mirrored, half_turn, x, y):
    out = record(0x0A00) + text(0x1206, name)
    if mirrored or half_turn:
        out += record(0x1A01, struct.pack(">H", 0x8000 if mirrored else 0))
        if half_turn:
            out += record(0x1C05, real8(180.0))
    return out + record(0x1003, units(x, y)) + record(0x1100)


def structure(name, body):
    date = struct.pack(">12h", *([2025, 9, 1, 7, 0, 0] * 2))
    return record(0x0502, date) + text(0x0606, name) + body + record(0x0700)


def stream(structures):
    date = struct.pack(">12h", *([2025, 9, 1, 7, 0, 0] * 2))
    head = record(0x0002, struct.pack(">h", 600)) + record(0x0102, date) + text(0x0206, "KESTREL")
    return head + record(0x0305, real8(1e-3 * UNIT) + real8(1e-9 * UNIT)) + b"".join(structures) + record(0x0400)


# ---------------------------------------------------------------- layout

class Leaf:
    """A standard cell: MET1 on six tracks, MET2 risers, cuts; perhaps one tight figure."""

    def __init__(self, rng, name, figure=None, gap=0):
        self.name, self.figure, self.gap, self.boxes = name, figure, gap, []
        self.width = 1000 * rng.randint(6 if figure else 3, 12)
        self.place = None
        window = None
        if figure:
            left = 500 * rng.randint(2, (self.width - 4000) // 500)
            middle = rng.randint(1, 4)
            window = (left, left + 3000, middle)
            self.draw_figure(left + 1500, self.track(middle))
        tracks = {}
        for k in range(6):
            tracks[k] = []
            x = 200 + 100 * rng.randint(0, 4)
            while x + 900 < self.width - 200 and rng.random() < 0.9:
                end = min(self.width - 200, x + 100 * rng.randint(9, 40))
                if not (window and abs(k - window[2]) <= 1 and x < window[1] and end > window[0]):
                    tracks[k].append((x, end))
                    self.bar(MET1, x, self.track(k), end)
                x = end + 100 * rng.randint(4, 12)
        for x in range(500, self.width - 300, 1000):
            if rng.random() < 0.45:
                self.riser(rng, x, tracks)

    @staticmethod
    def track(k):
        return 600 + PITCH * k

    def bar(self, layer, x0, y, x1, w=WIDTH):
        self.boxes.append((layer, x0, y - w // 2, x1, y + w // 2))

    def riser(self, rng, x, tracks):
        low, high = sorted(rng.sample(range(6), 2))
        self.boxes.append((MET2, x - 130, self.track(low) - 200, x + 130, self.track(high) + 200))
        for k in range(low, high + 1):
            if rng.random() < 0.5 and any(a <= x - 150 and x + 150 <= b for a, b in tracks[k]):
                y = self.track(k)
                self.boxes.append((CUT1, x - 80, y - 80, x + 80, y + 80))

    def draw_figure(self, x, y):
        g, w = self.gap, WIDTH // 2
        self.bar(MET1, x - 1300, y, x - g // 2)
        if self.figure == "ends":
            self.bar(MET1, x + g // 2, y, x + 1300)
            self.bar(MET1, x - 1300, y + PITCH, x + 1300)
            self.bar(MET1, x - 1300, y - PITCH, x + 1300)
        else:  # an end before a post
            self.boxes.append((MET1, x + g // 2, y - 700, x + g // 2 + WIDTH, y + 700))
        self.place = (x - g // 2, y - w, x + g // 2, y + w)

    def body(self):
        rails = [(MET1, 0, -150, self.width, 150), (MET1, 0, ROW - 150, self.width, ROW + 150)]
        return b"".join(boundary(*box) for box in rails + self.boxes)


def turned(box, mirrored, half_turn, x, y):
    points = []
    for px, py in ((box[0], box[1]), (box[2], box[3])):
        if mirrored:
            py = -py
        if half_turn:
            px, py = -px, -py
        points.append((px + x, py + y))
    (ax, ay), (bx, by) = points
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


class Chip:
    def __init__(self, rng):
        self.width, self.height = 100 * rng.randint(62, 96) * 1000, 100 * rng.randint(58, 90) * 1000  # nm
        names = ["INVX1", "NAND2X1", "NOR2X1", "AOI21", "MUX2", "DFFX1", "BUFX4", "XOR2", "OAI22", "LATX1"]
        self.leaves = [Leaf(rng, n) for n in names]
        spec = [("ends", 180), ("ends", 200), ("ends", 240), ("post", 180), ("post", 200), ("post", 260)]
        suffix = ["DFFRX2", "AO222", "FAX1", "TBUFX8", "SDFFX1", "CLKMX2"]
        rng.shuffle(suffix)
        self.leaves += [Leaf(rng, n, f, g) for n, (f, g) in zip(suffix, spec)]
        self.weights = [rng.uniform(0.5, 2.0) * (0.4 if l.figure else 1.0) for l in self.leaves]
        self.cores, self.tops = [], []
        for i in range(rng.randint(3, 5)):
            self.add_core(rng, f"MACRO_{chr(81 + i)}")
        self.place_cores(rng)

    def add_core(self, rng, name):
        rows, width = rng.randint(25, 45), 1000 * rng.randint(350, 600)
        placed = []
        for row in range(rows):
            x = 0
            while True:
                leaf = rng.choices(self.leaves, self.weights)[0]
                if x + leaf.width > width:
                    break
                flipped = row % 2 == 1
                placed.append((leaf, flipped, False, x, (row + 1) * ROW if flipped else row * ROW))
                x += leaf.width
        self.cores.append((name, width, rows * ROW, placed))

    def place_cores(self, rng):
        step_x, step_y = 900_000, 500_000
        for j in range((self.height - 300_000) // step_y):
            for i in range((self.width - 300_000) // step_x):
                if rng.random() < 0.35:
                    continue
                core = rng.choice(self.cores)
                x, y = 200_000 + i * step_x, 200_000 + j * step_y
                kind = rng.randrange(4)
                mirrored, half = kind % 2 == 1, kind >= 2
                ox = x + core[1] if half else x
                up = mirrored != half
                self.tops.append((core, mirrored, half, ox, y + core[2] if up else y))

    def gds(self):
        out = [structure(leaf.name, leaf.body()) for leaf in self.leaves]
        for name, _, _, placed in self.cores:
            out.append(structure(name, b"".join(reference(l.name, m, h, x, y) for l, m, h, x, y in placed)))
        body = boundary(EDGE, 0, 0, self.width, self.height)
        body += b"".join(reference(core[0], m, h, x, y) for core, m, h, x, y in self.tops)
        return stream(out + [structure("KESTREL_TOP", body)])

    def places(self, leaf):
        found = []
        for core, m, h, x, y in self.tops:
            for other, lm, lh, lx, ly in core[3]:
                if other is leaf:
                    found.append(turned(turned(leaf.place, lm, lh, lx, ly), m, h, x, y))
        return found


# ---------------------------------------------------------------- fab

STEPS = [  # operation, layer, tool stem, tools, chambers, minutes, usual wait, reticle stem
    ("0100.START", "", "LSR", 1, 0, 20, 30, ""), ("0310.OXIDE", "", "OXF", 2, 0, 180, 120, ""),
    ("0420.AA_PHOTO", "AA", "PHC", 3, 0, 50, 90, "AA"), ("0450.AA_ETCH", "AA", "DRY", 3, 3, 60, 60, ""),
    ("0600.GATE_OX", "", "OXF", 2, 0, 160, 80, ""), ("0700.POLY", "PC", "LPC", 2, 0, 200, 70, ""),
    ("0720.PC_PHOTO", "PC", "PHC", 3, 0, 50, 90, "PC"), ("0750.PC_ETCH", "PC", "DRY", 3, 3, 60, 60, ""),
    ("0900.SD_IMPL", "", "IIP", 2, 0, 70, 90, ""), ("1100.ILD", "", "PCV", 3, 2, 80, 90, ""),
    ("1180.ILD_POL", "", "POL", 2, 0, 80, 100, ""), ("1220.CT_PHOTO", "CT", "PHC", 3, 0, 50, 90, "CT"),
    ("1250.CT_ETCH", "CT", "ODE", 3, 2, 70, 60, ""), ("1270.CT_WET", "CT", "BCH", 2, 0, 40, 60, ""),
    ("1300.PLUG", "CT", "WCV", 2, 3, 90, 100, ""), ("1410.M1_SPUT", "MET1", "SPT", 3, 4, 60, 80, ""),
    ("1420.M1_PHOTO", "MET1", "PHC", 3, 0, 50, 90, "M1"), ("1450.M1_ETCH", "MET1", "MTE", 3, 4, 60, 50, ""),
    ("1470.M1_STRIP", "MET1", "ASH", 2, 2, 40, 70, ""), ("1490.M1_VIS", "MET1", "VIS", 2, 0, 60, 60, ""),
    ("1620.V1_PHOTO", "CUT1", "PHC", 3, 0, 50, 90, "V1"), ("1650.V1_ETCH", "CUT1", "ODE", 3, 2, 60, 60, ""),
    ("1810.M2_SPUT", "MET2", "SPT", 3, 4, 60, 80, ""), ("1820.M2_PHOTO", "MET2", "PHC", 3, 0, 50, 90, "M2"),
    ("1850.M2_ETCH", "MET2", "MTE", 3, 4, 60, 50, ""), ("1890.M2_VIS", "MET2", "VIS", 2, 0, 60, 60, ""),
    ("2000.PASS", "", "PCV", 3, 2, 70, 120, ""), ("9000.SORT", "", "PRB", 2, 0, 300, 400, "")]
NAMES = [s[0] for s in STEPS]
INSPECTIONS = {"1490.M1_VIS": "MET1", "1890.M2_VIS": "MET2"}
SENSORS = {"DRY": ("BIAS_V", 310.0), "ODE": ("CHUCK_T", 22.0), "MTE": ("ENDPT", 64.0), "SPT": ("DC_PWR", 9.5)}
CLASSES = {0: "NOT REVIEWED", 3: "FLAKE", 7: "SHORTED LINES", 11: "MISSING METAL", 20: "STAIN", 31: "FALSE"}
LAYOUT_ORIGIN = (35.0, 25.0)


class Fab:
    def __init__(self, rng):
        self.rng = rng
        self.chip = Chip(rng)
        self.die_w, self.die_h = self.chip.width / 1000 + 70.0, self.chip.height / 1000 + 50.0
        self.columns, self.rows = int(190_000 // self.die_w), int(190_000 // self.die_h)
        self.centre = ((1 + self.columns / 2) * self.die_w, (1 + self.rows / 2) * self.die_h)
        self.field = (max(1, int(22_000 // self.die_w)), max(1, int(22_000 // self.die_h)))
        self.field_origin = (rng.randrange(3), rng.randrange(3))
        self.die = [(i, j, self.radius(i, j)) for j in range(1, self.rows + 1)
                    for i in range(1, self.columns + 1) if self.is_whole(i, j)]
        self.sigma = rng.uniform(0.2, 0.5)
        self.tool_shift = {f"VIS{k}": (rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5)) for k in (1, 2)}
        self.lots, self.wafers, self.runs, self.events = [], [], [], []
        self.run_lots()

    def corner(self, i, j):
        return i * self.die_w - self.centre[0], j * self.die_h - self.centre[1]

    def radius(self, i, j):
        x, y = self.corner(i, j)
        return math.hypot(x + self.die_w / 2, y + self.die_h / 2) / 100_000

    def is_whole(self, i, j):
        x, y = self.corner(i, j)
        return all(math.hypot(a, b) <= 96_000 for a in (x, x + self.die_w) for b in (y, y + self.die_h))

    def run_lots(self):
        rng, busy = self.rng, {}
        queue = []
        for n in range(14):
            lot = f"KD{rng.randint(100, 999)}{n:02d}.{rng.choice('AB')}"
            self.lots.append(lot)
            wafers = [{"lot": lot, "id": f"{lot[:7]}-{k:02d}", "slot": k, "visits": {}} for k in range(1, 21)]
            chosen = set(rng.sample(range(20), 9))
            for k, w in enumerate(wafers):
                w["inspected"] = k in chosen
            self.wafers += wafers
            queue.append([EPOCH + datetime.timedelta(hours=20 * n + rng.uniform(0, 6)), n, 0, wafers])
        while queue:
            queue.sort(key=lambda q: (q[0], q[1]))
            ready, n, s, wafers = queue.pop(0)
            end = self.run_step(ready, s, wafers, busy)
            if s + 1 < len(STEPS):
                queue.append([end, n, s + 1, wafers])

    def run_step(self, ready, s, wafers, busy):
        rng = self.rng
        name, _, stem, tools, chambers, minutes, wait, reticle = STEPS[s]
        tool = f"{stem}{rng.randint(1, tools)}"
        waited = ready + datetime.timedelta(minutes=wait * math.exp(rng.gauss(0, 0.7)))
        start = max(waited, busy.get(tool, ready)).replace(microsecond=0)
        end = start + datetime.timedelta(minutes=minutes)
        busy[tool] = end
        shared = {"tool": tool, "start": start, "end": end, "queue": (start - ready).total_seconds() / 60,
                  "recipe": f"{name[5:]}/{rng.choice('PPPQ')}", "reticle": f"KST-{reticle}-{rng.choice('ABC')}" if reticle else ""}
        order = rng.sample(range(1, chambers + 1), chambers)
        offset = rng.randrange(max(1, chambers))
        for k, w in enumerate(wafers):
            chamber = f"PM{order[(k + offset + k // max(1, chambers)) % chambers]}" if chambers else ""
            w["visits"][name] = {**shared, "chamber": chamber}
        return end


# ---------------------------------------------------------------- causes

class Cause:
    """hit(wafer) -> chance factor for its die; the rest says how die and defects suffer."""

    kind, subject, parameters, actions, locations = None, {}, {}, [], []
    start = None

    def __init__(self, fab):
        self.fab, self.rng = fab, fab.rng

    def many(self, step, key, least=3):
        """Values of a visit's field that `least` lots or more met and `least` did not."""
        lots = {}
        for w in self.fab.wafers:
            lots.setdefault(w["visits"][step][key], set()).add(w["lot"])
        return sorted(v for v, s in lots.items() if least <= len(s) <= len(self.fab.lots) - least)

    def strike(self, wafer, die):
        """Whether the die is lost, and the defect it leaves: (layer, x, y, class) or None."""
        return False, None

    def at_random(self, layer, number):
        return layer, self.rng.uniform(0, self.fab.die_w), self.rng.uniform(0, self.fab.die_h), number


class BadChamber(Cause):
    def __init__(self, fab):
        super().__init__(fab)
        rng = self.rng
        self.step = rng.choice(["0450.AA_ETCH", "0750.PC_ETCH", "1250.CT_ETCH", "1450.M1_ETCH", "1850.M2_ETCH", "1410.M1_SPUT"])
        self.tool = rng.choice(self.many(self.step, "tool"))
        here = sorted({w["visits"][self.step]["chamber"] for w in fab.wafers if w["visits"][self.step]["tool"] == self.tool})
        self.chamber, self.loss = rng.choice(here), rng.uniform(0.06, 0.11)
        self.ring = rng.random() < 0.5
        self.kind, self.actions = "chamber", ["maintain_tool", "hold_tool"]
        self.subject = {"step": self.step, "tool": self.tool, "chamber": self.chamber}
        self.parameters = {"loss_fraction": self.loss, "ring": int(self.ring)}

    def hit(self, wafer):
        v = wafer["visits"][self.step]
        return v["tool"] == self.tool and v["chamber"] == self.chamber

    def strike(self, wafer, die):
        p = self.loss * (2.2 * die[2] ** 2 if self.ring else 1.0)
        lost = self.hit(wafer) and self.rng.random() < p
        return lost, self.at_random("MET1" if self.step < "149" else "MET2", 20) if lost and self.rng.random() < 0.3 else None


class ToolDrift(BadChamber):
    def __init__(self, fab):
        Cause.__init__(self, fab)
        rng = self.rng
        self.step = rng.choice(["0450.AA_ETCH", "1250.CT_ETCH", "1450.M1_ETCH", "1850.M2_ETCH"])
        self.tool = rng.choice(self.many(self.step, "tool", 4))
        mine = [w["visits"][self.step] for w in fab.wafers if w["visits"][self.step]["tool"] == self.tool]
        self.chamber = rng.choice(sorted({v["chamber"] for v in mine}))
        starts = sorted({v["start"] for v in mine})
        self.start = starts[len(starts) // 4] - datetime.timedelta(minutes=20)
        self.days = max(1.0, (starts[-1] - self.start).total_seconds() / 86400)
        self.loss, self.sigmas = rng.uniform(0.15, 0.24), rng.choice([-1, 1]) * rng.uniform(6, 11)
        self.sensor = SENSORS[self.tool[:3]][0]
        self.kind, self.actions = "sensor_drift", ["maintain_tool", "hold_tool"]
        self.subject = {"step": self.step, "tool": self.tool, "chamber": self.chamber, "sensor": self.sensor}
        self.parameters = {"loss_at_end": self.loss, "sigmas_at_end": self.sigmas}

    def course(self, visit):
        return min(1.0, max(0.0, (visit["start"] - self.start).total_seconds() / 86400 / self.days))

    def hit(self, wafer):
        v = wafer["visits"][self.step]
        return v["tool"] == self.tool and v["chamber"] == self.chamber and v["start"] >= self.start

    def strike(self, wafer, die):
        lost = self.hit(wafer) and self.rng.random() < self.loss * self.course(wafer["visits"][self.step])
        return lost, self.at_random("MET1" if self.step < "149" else "MET2", 3) if lost and self.rng.random() < 0.3 else None


class LongWait(Cause):
    def __init__(self, fab):
        super().__init__(fab)
        rng = self.rng
        self.step = rng.choice(["1270.CT_WET", "1300.PLUG", "1470.M1_STRIP", "1810.M2_SPUT"])
        waits = sorted(w["visits"][self.step]["queue"] for w in fab.wafers)
        self.limit = round(waits[int(len(waits) * rng.uniform(0.55, 0.68))])
        over = [w["visits"][self.step]["queue"] - self.limit for w in fab.wafers if w["visits"][self.step]["queue"] > self.limit]
        self.slope = rng.uniform(0.09, 0.14) * len(over) / max(1e-9, sum(over))
        self.kind, self.actions = "queue_time", ["limit_queue_time"]
        self.subject = {"step": self.step}
        self.parameters = {"limit_minutes": self.limit}

    def hit(self, wafer):
        return wafer["visits"][self.step]["queue"] > self.limit

    def strike(self, wafer, die):
        over = wafer["visits"][self.step]["queue"] - self.limit
        lost = over > 0 and self.rng.random() < min(0.4, self.slope * over)
        return lost, self.at_random("MET1" if self.step < "149" else "MET2", 11) if lost and self.rng.random() < 0.3 else None


class BadReticle(Cause):
    def __init__(self, fab):
        super().__init__(fab)
        rng = self.rng
        self.step = rng.choice(["1420.M1_PHOTO", "1820.M2_PHOTO"])
        self.reticle = rng.choice(self.many(self.step, "reticle"))
        self.layer = "MET1" if "M1" in self.step else "MET2"
        self.field = (rng.randrange(fab.field[0]), rng.randrange(fab.field[1]))
        self.at = (rng.uniform(0.2, 0.8) * fab.die_w, rng.uniform(0.2, 0.8) * fab.die_h)
        self.kills = rng.uniform(0.6, 0.95)
        self.kind, self.actions = "reticle", ["replace_reticle"]
        self.subject = {"step": self.step, "reticle": self.reticle, "layer": self.layer,
                        "field_x": self.field[0], "field_y": self.field[1]}
        self.parameters = {"kill_chance": self.kills, "x_in_die_um": self.at[0], "y_in_die_um": self.at[1]}
        self.locations = [{"layer": self.layer, "x": self.at[0] - LAYOUT_ORIGIN[0] - 0.5,
                           "y": self.at[1] - LAYOUT_ORIGIN[1] - 0.5, "w": 1.0, "h": 1.0}]

    def hit(self, wafer):
        return wafer["visits"][self.step]["reticle"] == self.reticle

    def strike(self, wafer, die):
        fx = (die[0] - self.fab.field_origin[0]) % self.fab.field[0]
        fy = (die[1] - self.fab.field_origin[1]) % self.fab.field[1]
        if not self.hit(wafer) or (fx, fy) != self.field:
            return False, None
        return self.rng.random() < self.kills, (self.layer, *self.at, 7)


class Hotspot(Cause):
    def __init__(self, fab):
        super().__init__(fab)
        leaf = self.rng.choice([l for l in fab.chip.leaves if l.figure and l.gap <= 200])
        self.places = fab.chip.places(leaf)
        self.loss, self.kills = self.rng.uniform(0.04, 0.09), self.rng.uniform(0.6, 0.95)
        self.rate = -math.log(1 - self.loss) / self.kills
        self.kind, self.actions = "layout_pattern", ["widen_space", "replace_pattern", "spread_wires"]
        self.subject = {"layer": "MET1", "cell": leaf.name}
        self.parameters = {"figure": leaf.figure, "space_um": leaf.gap / 1000, "loss_fraction": self.loss,
                           "occurrences_per_die": len(self.places), "rate_per_occurrence": self.rate / len(self.places),
                           "reported_rate_per_occurrence": 0.85 * (1 - math.exp(-self.rate)) / len(self.places)}
        self.locations = [{"layer": "MET1", "x": a / 1000, "y": b / 1000, "w": (c - a) / 1000, "h": (d - b) / 1000}
                          for a, b, c, d in self.places[:10_000]]

    def hit(self, wafer):
        return True

    def strike(self, wafer, die):
        if self.rng.random() >= 1 - math.exp(-self.rate):
            return False, None
        a, b, c, d = self.rng.choice(self.places)
        x = self.rng.uniform(a, c) / 1000 + LAYOUT_ORIGIN[0]
        y = self.rng.uniform(b, d) / 1000 + LAYOUT_ORIGIN[1]
        return self.rng.random() < self.kills, ("MET1", x, y, 7)


class NoCause(Cause):
    def hit(self, wafer):
        return False


MAKERS = {"chamber": BadChamber, "hotspot": Hotspot, "reticle": BadReticle, "queue_time": LongWait,
          "tool_drift": ToolDrift, "none": NoCause}


# ---------------------------------------------------------------- wafers and files

def draw_wafer(fab, cause, wafer, lot_level, rng):
    """Bins by die, defects by layer, and the die lost to the cause."""
    level = lot_level * rng.gammavariate(8, 1 / 8)
    bins, defects, lost = {}, {"MET1": [], "MET2": []}, 0
    for die in fab.die:
        dead = rng.random() < 0.045 * level + max(0.0, die[2] - 0.85) * 0.5
        for layer in defects:
            for _ in range(poisson(rng, 0.05 * level * rng.gammavariate(1.5, 1 / 1.5))):
                number = rng.choices([3, 7, 11, 20, 31], [5, 2, 1, 2, 2])[0]
                defects[layer].append((die, rng.uniform(0, fab.die_w), rng.uniform(0, fab.die_h), number))
                dead = dead or (number != 31 and rng.random() < 0.35)
        struck, left = cause.strike(wafer, die)
        if left:
            defects[left[0]].append((die, *left[1:]))
        lost += struck and not dead
        if dead or struck:
            bins[die[:2]] = rng.choice([5, 6, 8]) if dead else (6 if cause.kind != "reticle" else 8)
        else:
            bins[die[:2]] = 1 if rng.random() < 0.8 else 2
    return bins, defects, lost


def poisson(rng, mean):
    limit, k, p = math.exp(-mean), 0, rng.random()
    while p > limit:
        k, p = k + 1, p * rng.random()
    return k


def seen(fab, wafer, step, rows, sampled, rng):
    shift = fab.tool_shift[wafer["visits"][step]["tool"]]
    for die, x, y, number in rows:
        if rng.random() > 0.85 or die[:2] not in sampled:
            continue
        x += shift[0] + rng.gauss(0, fab.sigma)
        y += shift[1] + rng.gauss(0, fab.sigma)
        size = 0.2 / math.sqrt(1 - rng.random())
        yield die, min(max(x, 0), fab.die_w), min(max(y, 0), fab.die_h), min(size, 20.0), number if rng.random() < 0.85 else 0


def klarf(fab, wafer, step, rows, sampled, rng):
    visit = wafer["visits"][step]
    when = visit["end"].strftime("%m-%d-%Y %H:%M:%S")
    listed = sorted(sampled)
    out = [f"FileVersion 1 2;\nFileTimestamp {when};\nInspectionStationID \"OTHER\" \"LS-9\" \"{visit['tool']}\";",
           f"SampleType WAFER;\nResultTimestamp {when};\nLotID \"{wafer['lot']}\";\nSampleSize 1 200;\nDeviceID \"KESTREL\";",
           f"SetupID \"VIS_{INSPECTIONS[step]}\" {when};\nStepID \"{step}\";\nSampleOrientationMarkType NOTCH;",
           f"OrientationMarkLocation DOWN;\nDiePitch {fab.die_w:.4f} {fab.die_h:.4f};\nDieOrigin 0.0 0.0;",
           f"WaferID \"{wafer['id']}\";\nSlot {wafer['slot']};",
           f"SampleCenterLocation {fab.centre[0]:.4f} {fab.centre[1]:.4f};\nClassLookup {len(CLASSES)}"]
    out += [f" {n} \"{c}\"" for n, c in CLASSES.items()]
    out[-1] += ";"
    out.append(f"InspectionTest 1;\nSampleTestPlan {len(listed)}")
    out += [f" {i} {j}" for i, j in listed]
    out[-1] += ";"
    out.append(f"AreaPerTest {len(listed) * fab.die_w * fab.die_h:.6e};\nDefectRecordSpec 12 XINDEX YINDEX XREL YREL "
               "DEFECTID CLASSNUMBER TEST DEFECTAREA DSIZE XSIZE YSIZE CLUSTERNUMBER ;\nDefectList")
    found = list(seen(fab, wafer, step, rows, sampled, rng))
    for n, (die, x, y, size, number) in enumerate(found, 1):
        out.append(f" {die[0]} {die[1]} {x:.3f} {y:.3f} {n} {number} 1 {size * size:.3f} {size:.3f} {size:.3f} {size:.3f} 0")
    out[-1] += ";"
    dice = len({d[0][:2] for d in found})
    area = len(listed) * fab.die_w * fab.die_h * 1e-8
    out.append(f"SummarySpec 5 TESTNO NDEFECT DEFDENSITY NDIE NDEFDIE ;\nSummaryList\n 1 {len(found)} "
               f"{len(found) / area:.5f} {len(listed)} {dice};\nEndOfFile;\n")
    return "\n".join(out)


def product_toml(fab):
    return f"""[product]
name = "KESTREL"
technology = "180nm"
die_width_um = {fab.die_w:.4f}
die_height_um = {fab.die_h:.4f}
wafer_diameter_mm = 200.0
edge_exclusion_mm = 4.0
reticle_columns = {fab.field[0]}
reticle_rows = {fab.field[1]}
reticle_origin_die = [{fab.field_origin[0]}, {fab.field_origin[1]}]
pass_hard_bins = [1, 2]

[layout]
file = "kestrel_top.gds"
origin_in_die_um = [{LAYOUT_ORIGIN[0]}, {LAYOUT_ORIGIN[1]}]
orientation = "R0"

[[layer]]
name = "MET1"
kind = "metal"
gds = [{MET1}, 0]
min_width_um = 0.2
min_space_um = 0.18

[[layer]]
name = "CUT1"
kind = "via"
gds = [{CUT1}, 0]
connects = ["MET1", "MET2"]

[[layer]]
name = "MET2"
kind = "metal"
gds = [{MET2}, 0]
min_width_um = 0.2
min_space_um = 0.2

[[inspection]]
step = "1490.M1_VIS"
layers = ["MET1"]

[[inspection]]
step = "1890.M2_VIS"
layers = ["CUT1", "MET2"]
"""


MAPPING = """[site]
name = "KESTREL-FAB"
time_zone = "Asia/Tokyo"

[[file]]
match = "WIPMOVE_*.txt"
table = "lot_history"
delimiter = "|"
columns = { lot_id = "LOTNO", wafer_id = "WFRNO", step_seq = "OPSEQ", step = "OPER", tool = "EQP", chamber = "MODULE", recipe = "PPID", reticle = "RTCL", layer = "LYR", slot = "SLOTNO", queue_minutes = "WAITMIN", started_at = "TRACKIN", ended_at = "TRACKOUT" }
time_format = "%Y/%m/%d %H:%M:%S"
"""


def iso(time):
    return (time - datetime.timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_logs(fab, cause, folder, rng):
    moves = ["LOTNO|WFRNO|OPSEQ|OPER|LYR|EQP|MODULE|PPID|RTCL|SLOTNO|WAITMIN|TRACKIN|TRACKOUT"]
    sensors = ["lot_id,wafer_id,step,tool,chamber,sensor,statistic,value,started_at"]
    own = {}
    for wafer in fab.wafers:
        for s, (name, layer, stem, *_rest) in enumerate(STEPS):
            v = wafer["visits"][name]
            moves.append(f"{wafer['lot']}|{wafer['id']}|{s + 1}|{name}|{layer}|{v['tool']}|{v['chamber']}|{v['recipe']}|"
                         f"{v['reticle']}|{wafer['slot']}|{v['queue']:.1f}|{v['start']:%Y/%m/%d %H:%M:%S}|{v['end']:%Y/%m/%d %H:%M:%S}")
            if stem not in SENSORS:
                continue
            sensor, nominal = SENSORS[stem]
            offset = own.setdefault((name, v["tool"], v["chamber"]), rng.gauss(0, 0.5)) + rng.gauss(0, 1)
            if isinstance(cause, ToolDrift) and cause.hit(wafer) and name == cause.step:
                offset += cause.sigmas * cause.course(v)
            sensors.append(f"{wafer['lot']},{wafer['id']},{name},{v['tool']},{v['chamber']},{sensor},mean,"
                           f"{nominal * (1 + 0.006 * offset):.4f},{iso(v['start'])}")
    (folder / "WIPMOVE_2025W36.txt").write_text("\n".join(moves) + "\n")
    (folder / "fdc_summary.csv").write_text("\n".join(sensors) + "\n")
    tools = sorted({w["visits"][n]["tool"] for w in fab.wafers for n in NAMES})
    events = ["tool,chamber,event,at"]
    for tool in tools:
        at = EPOCH + datetime.timedelta(days=rng.uniform(0, 7))
        while at < EPOCH + datetime.timedelta(days=25):
            events.append(f"{tool},,{rng.choice(['pm', 'pm', 'alarm', 'cleaning'])},{iso(at)}")
            at += datetime.timedelta(days=rng.uniform(4, 9))
    (folder / "maintenance.csv").write_text("\n".join(events) + "\n")


def truth_of(fab, cause, name, seed, tally):
    lost = sum(tally["lost"].values())
    causes = []
    if cause.kind:
        subject = dict(cause.subject)
        if cause.start:
            subject["from"] = iso(cause.start)
        causes.append({"kind": cause.kind, "subject": subject, "from": iso(cause.start) if cause.start else None, "to": None,
                       "parameters": cause.parameters, "expected_actions": cause.actions, "die_lost": lost,
                       "exposed_wafers": sum(cause.hit(w) for w in fab.wafers), "locations_total":
                       cause.parameters.get("occurrences_per_die", len(cause.locations)), "locations": cause.locations,
                       "lost_by_wafer": [{"wafer": f"{w['lot']}/{w['id']}", "die": tally["lost"][w["id"]]}
                                         for w in fab.wafers if tally["lost"][w["id"]]]})
    return {"schema": "yieldloop.truth/1", "product": "KESTREL", "scenario": f"other_{name}", "seed": seed, "size": "other",
            "cause": causes[0] if causes else None, "expected_actions": cause.actions, "causes": causes, "die_lost": lost,
            "inspection": {"position_sigma_um": fab.sigma, "sampled_die": tally["sampled"], "tools": [
                {"tool": t, "dx_um": s[0], "dy_um": s[1], "rotation_urad": 0.0, "scale_ppm": 0.0} for t, s in fab.tool_shift.items()]},
            "baseline": {"wafers": len(fab.wafers), "die_per_wafer": len(fab.die), "die_good": tally["good"]},
            "locations": cause.locations}


def write_fab(folder, seed, name):
    rng = random.Random(f"other-{seed}")
    name = name or CAUSES[(seed - 1) % 6]
    fab = Fab(rng)
    cause = MAKERS[name](fab)
    (folder / "klarf").mkdir(parents=True)
    (folder / "product.toml").write_text(product_toml(fab))
    (folder / "mapping.toml").write_text(MAPPING)
    (folder / "kestrel_top.gds").write_bytes(fab.chip.gds())
    write_logs(fab, cause, folder, rng)
    everything = [d[:2] for d in fab.die]
    share = rng.choice([1.0, 1.0, 0.6, 0.4])
    sampled = set(rng.sample(everything, max(20, int(share * len(everything)))))
    levels = {lot: math.exp(rng.gauss(0, 0.15)) for lot in fab.lots}
    sites = {d[:2]: n % 2 for n, d in enumerate(fab.die)}
    cards = {lot: f"NEEDLE-{rng.randint(1, 3)}" for lot in fab.lots}
    results = ["lot_id,wafer_id,insertion,die_x,die_y,hard_bin,soft_bin,pass,site,tester,probe_card,tested_at"]
    tally = {"lost": {}, "good": 0, "sampled": len(sampled)}
    for wafer in fab.wafers:
        bins, defects, lost = draw_wafer(fab, cause, wafer, levels[wafer["lot"]], rng)
        tally["lost"][wafer["id"]] = lost
        visit = wafer["visits"]["9000.SORT"]
        for (i, j), hard in bins.items():
            good = hard <= 2
            tally["good"] += good
            results.append(f"{wafer['lot']},{wafer['id']},EWS,{i},{j},{hard},{hard * 10},{int(good)},{sites[i, j]},"
                           f"{visit['tool']},{cards[wafer['lot']]},{iso(visit['end'])}")
        for step, layer in INSPECTIONS.items():
            if wafer["inspected"]:
                file = folder / "klarf" / f"{wafer['id']}_{layer}.001"
                file.write_text(klarf(fab, wafer, step, defects[layer], sampled, rng))
    (folder / "die_results.csv").write_text("\n".join(results) + "\n")
    (folder / "truth.json").write_text(json.dumps(truth_of(fab, cause, name, seed, tally), indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cause", choices=CAUSES)
    a = parser.parse_args()
    if a.folder.exists() and any(a.folder.iterdir()):
        parser.error(f"{a.folder} is not empty")
    a.folder.mkdir(parents=True, exist_ok=True)
    write_fab(a.folder, a.seed, a.cause)


if __name__ == "__main__":
    main()
