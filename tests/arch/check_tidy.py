#!/usr/bin/env python3
"""The sources are as clang-tidy 14 (.clang-tidy) wants them.

Usage: check_tidy.py SOURCE_DIR BUILD_DIR [--jobs N]      look at what changed, keep the ledger
       check_tidy.py SOURCE_DIR BUILD_DIR --check-only    the same, and leave the ledger alone
       check_tidy.py SOURCE_DIR BUILD_DIR --pending       is there anything to look at?

BUILD_DIR is a configured build of the preset `tidy` whose precompiled headers and generated
sources exist (./dev tidy sees to that). A look at the whole tree takes most of half an hour on two
cores, so tests/arch/tidy_ledger.txt names every source that was found clean together with the
digest of all it is made of: itself, the project's headers that it reaches, and .clang-tidy. Only
sources whose digest differs are looked at.
"""
import argparse
import concurrent.futures
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys

TOPS = ("engine", "ingest", "models", "plugins", "gui")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def sources(root):
    return sorted(str(p.relative_to(root)) for top in TOPS for p in (root / top).rglob("*.cpp"))


class Digests:
    """Digest of a source with all of the project's headers that it reaches."""

    def __init__(self, root):
        self.root = root
        self.seen = {}
        self.rules = (root / ".clang-tidy").read_bytes()

    def _file(self, name):
        if name not in self.seen:
            path = self.root / name
            text = path.read_bytes() if path.is_file() else b""
            found = INCLUDE.findall(text.decode("utf-8", "replace"))
            near = str(pathlib.PurePosixPath(name).parent)
            reached = [n if (self.root / n).is_file() else f"{near}/{n}" for n in found]
            self.seen[name] = (text, [n for n in reached if (self.root / n).is_file()])
        return self.seen[name]

    def of(self, name):
        reached, ahead = set(), [name, "engine/core/pch.h"]
        while ahead:
            at = ahead.pop()
            if at not in reached:
                reached.add(at)
                ahead.extend(self._file(at)[1])
        digest = hashlib.sha256(self.rules)
        for at in sorted(reached):
            digest.update(at.encode() + b"\0" + self._file(at)[0] + b"\0")
        return digest.hexdigest()[:32]


def read_ledger(path):
    if not path.is_file():
        return {}
    rows = (line.split() for line in path.read_text().splitlines() if line and line[0] != "#")
    return {name: digest for digest, name in rows}


def write_ledger(path, clean):
    rows = "".join(f"{clean[name]} {name}\n" for name in sorted(clean))
    path.write_text("# Sources that clang-tidy found clean; kept by ./dev tidy.\n" + rows)


def look_at(tool, root, build, name):
    done = subprocess.run([tool, "-p", str(build), "--quiet", str(root / name)],
                          capture_output=True, text=True)
    return name, done.returncode, done.stdout + (done.stderr if done.returncode else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--check-only", action="store_true")
    parser.add_argument("--pending", action="store_true", help="succeed when nothing has changed")
    options = parser.parse_args()
    root = options.root.resolve()
    ledger_path = root / "tests/arch/tidy_ledger.txt"
    ledger = read_ledger(ledger_path)
    digests = Digests(root)
    now = {name: digests.of(name) for name in sources(root)}
    changed = [name for name in now if ledger.get(name) != now[name]]
    if options.pending:
        print(f"clang-tidy: {len(changed)} of {len(now)} sources to look at")
        return 1 if changed else 0
    tool = shutil.which("clang-tidy-14")
    if tool is None:
        print("clang-tidy-14 is not installed: run ./dev tidy", file=sys.stderr)
        return 1
    clean = {name: digest for name, digest in now.items() if name not in changed}
    dirty = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(look_at, tool, root, options.build, name) for name in changed]
        for job in concurrent.futures.as_completed(jobs):
            name, code, words = job.result()
            if code == 0:
                clean[name] = now[name]
                if not options.check_only:
                    write_ledger(ledger_path, clean)
            else:
                dirty += 1
                print(f"== {name}\n{words}", flush=True)
    if not options.check_only:
        write_ledger(ledger_path, clean)
    print(f"clang-tidy: {len(now)} sources, {len(changed)} looked at, {dirty} with something to mend")
    return 1 if dirty else 0


if __name__ == "__main__":
    sys.exit(main())
