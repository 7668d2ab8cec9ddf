#!/usr/bin/env python3
"""Every folder includes strictly lower layers only, and third parties stay where they belong.

Usage: check_layers.py SOURCE_DIR. Exit status 1 with one line for each breach.
"""
import pathlib
import re
import sys

# Lowest first. A folder may include itself and any folder with a smaller number. Where
# docs/architecture.md puts several folders on one layer in a stated order, the order is the fraction.
LAYERS = {
    "engine/core": 0, "plugins/sdk": 0,
    "engine/stats": 1, "engine/geometry": 1, "engine/simulator": 1,
    "engine/store": 2, "engine/layout": 2,
    "ingest/readers": 3,
    "ingest/readers/klarf": 3.1, "ingest/readers/stdf": 3.1, "ingest/readers/maps": 3.1,
    "ingest/readers/gdsii": 3.1, "ingest/readers/oasis": 3.1, "ingest/readers/lefdef": 3.1,
    "ingest/readers/logs": 3.1,
    "ingest/pipeline": 4, "engine/yield": 4, "engine/defects": 4, "engine/process": 4,
    "engine/tracing": 4,
    "models/features": 4, "models/predictors": 4.1, "models/validation": 4.2, "models/registry": 4.3,
    "engine/findings": 5, "engine/feedback": 5,
    "engine/report": 6, "plugins/host": 6,
    "engine/session": 7,
    "engine/cli": 8, "ingest/service": 8,
    "gui/charts": 8, "gui/report": 8.1, "gui/viewmodel": 8.2, "gui/widgets": 8.3, "gui/app": 8.4,
}
# The two programs are where the top parts are joined; only their main.cpp may.
PROGRAM_LAYER = 9

# Third party -> (pattern of its includes, folders that may include it).
CONFINED = {
    "Boost.Graph": (r"boost/graph/", {"engine/process", "engine/layout"}),
    "Boost.Polygon": (r"boost/polygon/", {"engine/geometry", "engine/layout", "engine/tracing"}),
    "Boost.Math": (r"boost/math/", {"engine/stats", "engine/yield"}),
    "XGBoost": (r"xgboost/", {"models/predictors"}),
    "DuckDB": (r"duckdb", {"engine/store"}),
    "SQLite": (r"sqlite3", {"engine/store"}),
    "Expat": (r"expat\.h", {"ingest/readers/maps"}),
    "Poco": (r"Poco/", {"ingest/service"}),
    "Qt": (r"Q[A-Z]\w*$|Qt\w*/", {"gui/charts", "gui/report", "gui/viewmodel", "gui/widgets", "gui/app"}),
    "CLI11": (r"CLI/", {"engine/cli"}),
    "spdlog": (r"spdlog/", {"engine/core"}),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def folder_of(path):
    """The longest folder of LAYERS that holds the path, or None."""
    parts = path.split("/")
    for n in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:n]) in LAYERS:
            return "/".join(parts[:n])
    return None


def breaches_of(relative, text):
    own = folder_of(relative)
    program = relative in ("engine/cli/main.cpp", "gui/app/main.cpp")
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, target = match.groups()
        where = f"{relative}:{number}"
        if bracket == '"':
            other = folder_of(target)
            if other is None:
                yield f"{where} includes {target}, which is not a path from the root"
            elif other != own:
                mine = PROGRAM_LAYER if program else LAYERS[own]
                if LAYERS[other] >= mine:
                    yield f"{where} ({own}) includes {other}, which is not a lower layer"
        for name, (pattern, allowed) in CONFINED.items():
            if bracket == "<" and re.match(pattern, target) and own not in allowed and not program:
                yield f"{where} includes <{target}>; {name} stays in {', '.join(sorted(allowed))}"


def main(root):
    root = pathlib.Path(root)
    breaches, seen = [], 0
    for top in ("engine", "ingest", "models", "plugins", "gui"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".h", ".cpp") or not path.is_file():
                continue
            relative = path.relative_to(root).as_posix()
            if folder_of(relative) is None:
                if not relative.startswith("plugins/example_"):
                    breaches.append(f"{relative} lies in no known folder")
                continue
            seen += 1
            breaches.extend(breaches_of(relative, path.read_text(encoding="utf-8")))
    if seen == 0:
        breaches.append("no source file was found: nothing was checked")
    print("\n".join(breaches) if breaches else f"layers: {seen} files in order")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
