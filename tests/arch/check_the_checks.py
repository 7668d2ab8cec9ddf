#!/usr/bin/env python3
"""Shows that the checks of this folder bite: each is run on a small tree with one breach in it."""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent


def run(check, files, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, HERE / check, folder, *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout


CASES = [
    ("an upward include", "check_layers.py",
     {"engine/core/a.h": '#include "engine/store/table.h"\n'}, "not a lower layer"),
    ("a sideways include", "check_layers.py",
     {"engine/yield/a.h": '#include "engine/process/commonality.h"\n'}, "not a lower layer"),
    ("Qt below the desktop", "check_layers.py",
     {"engine/yield/a.cpp": "#include <QString>\n"}, "Qt stays in"),
    ("a relative include", "check_layers.py",
     {"engine/core/a.cpp": '#include "a.h"\n'}, "not a path from the root"),
    ("nothing to check", "check_layers.py", {}, "nothing was checked"),
    ("one id in two folders", "check_messages.py",
     {"engine/core/a.cpp": 'Error{e, "ABCD-0001", "One."}', "engine/yield/b.cpp": '"ABCD-0001"'},
     "one id, one folder"),
    ("a catalogue out of date", "check_messages.py",
     {"engine/core/a.cpp": 'Error{e, "ABCD-0001", "One."}', "docs/messages.md": "# Messages\n"},
     "does not match the source"),
]


def main():
    failures = []
    for name, check, files, expected in CASES:
        status, output = run(check, files)
        if status != 1 or expected not in output:
            failures.append(f"{name}: {check} returned {status} and said {output!r}")
    status, output = run("check_layers.py", {"engine/yield/a.h": '#include "engine/core/result.h"\n'})
    if status != 0:
        failures.append(f"a downward include was refused: {output!r}")
    # clang-tidy itself need not be there: what the ledger does not know is seen without it.
    status, output = run("check_tidy.py", {".clang-tidy": "", "engine/core/a.h": "int a;\n"},
                         "build", "--pending")
    if status != 1 or "1 of 1 files" not in output:
        failures.append(f"a changed header was not seen: {output!r}")
    print("\n".join(failures) if failures else f"{len(CASES)} planted breaches were found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
