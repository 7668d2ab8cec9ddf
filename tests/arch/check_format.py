#!/usr/bin/env python3
"""The source is as clang-format 14 leaves it. Usage: check_format.py SOURCE_DIR."""
import pathlib
import shutil
import subprocess
import sys


def main(root):
    tool = shutil.which("clang-format-14")
    if tool is None:
        print("clang-format-14 is not installed: run ./dev setup", file=sys.stderr)
        return 1
    files = [str(p) for top in ("engine", "ingest", "models", "plugins", "gui", "tests")
             for p in sorted((pathlib.Path(root) / top).rglob("*")) if p.suffix in (".h", ".cpp")]
    if not files:
        print("no source file was found: nothing was checked")
        return 1
    done = subprocess.run([tool, "--dry-run", "--Werror", *files], capture_output=True, text=True)
    bad = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
    print("\n".join(f"{path}: run ./dev format" for path in bad) if bad else f"format: {len(files)} files")
    return 1 if bad or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
