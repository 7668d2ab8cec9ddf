#!/usr/bin/env python3
"""The sources are as clang-tidy 14 (.clang-tidy) wants them.

Usage: check_tidy.py SOURCE_DIR BUILD_DIR [--jobs N]      look at what changed, keep the ledger
       check_tidy.py SOURCE_DIR BUILD_DIR --check-only    the same, and leave the ledger alone
       check_tidy.py SOURCE_DIR BUILD_DIR --all           look at everything, keep the ledger
       check_tidy.py SOURCE_DIR BUILD_DIR --only PREFIX   look only at files below PREFIX
       check_tidy.py SOURCE_DIR BUILD_DIR --pending       is there anything to look at?
       check_tidy.py SOURCE_DIR BUILD_DIR --owe           note what was not looked at as owed

BUILD_DIR is a configured build of the preset `tidy`; the precompiled headers and generated sources
that a look needs are made first. Nearly all of a look's time goes into what a source includes, so
the sources of one folder are looked at as one unit, about 2 s a source instead of 13. A source that
cannot be in a unit with the others (a name of its own that another has too) gets a later one.

tests/arch/tidy_ledger.txt names every source and header that was found clean, with the digest of
its text and of .clang-tidy: what differs is looked at, a header through one source that reaches
it. A source that did not change is not looked at again when a header did; --all does that. A row
that ends in `owed` is of a file that was not looked at yet as it stands: --check-only, which CI
runs, lets it be until it changes, and the run that keeps the ledger looks at it.
"""
import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

TOPS = ("engine", "ingest", "models", "plugins", "gui")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
FINDING = re.compile(r"^(/[^:\n]+):\d+:\d+: (?:error|warning): ", re.M)
UNIT_SIZE = 16


class Tree:
    """The sources and headers of the project, their digests and what they include."""

    def __init__(self, root):
        self.root = root
        names = [str(p.relative_to(root)) for top in TOPS for p in (root / top).rglob("*")
                 if p.suffix in (".h", ".cpp")]
        self.text = {name: (root / name).read_bytes() for name in sorted(names)}
        rules = re.sub(rb"(?m)^\s*#.*\n", b"", (root / ".clang-tidy").read_bytes())
        self.digest = {name: hashlib.sha256(rules + b"\0" + text).hexdigest()[:32]
                       for name, text in self.text.items()}

    def reached(self, name):
        seen, ahead = set(), [name]
        while ahead:
            at = ahead.pop()
            if at in self.text and at not in seen:
                seen.add(at)
                ahead.extend(INCLUDE.findall(self.text[at].decode("utf-8", "replace")))
        return seen

    def witness(self, header, sources, chosen):
        """The source through which a header is looked at: its own, one looked at anyway, or the
        one that reaches least."""
        reaching = {s: self.reached(s) for s in sources}
        reaching = {s: r for s, r in reaching.items() if header in r}
        twin = header[:-2] + ".cpp"
        if twin in reaching:
            return twin
        at_hand = sorted(s for s in reaching if s in chosen)
        if at_hand:
            return at_hand[0]
        return min(reaching, key=lambda s: (len(reaching[s]), s), default=None)


class Build:
    """The configured build: how each source is compiled and what must be made before."""

    def __init__(self, folder, root):
        self.folder = folder.resolve()
        self.commands = {}
        # A source that came since the build was configured must be part of it.
        subprocess.run(["ninja", "-C", self.folder, "--quiet", "build.ninja"], check=True,
                       stdout=subprocess.DEVNULL)
        for entry in json.loads((self.folder / "compile_commands.json").read_text()):
            path = pathlib.Path(entry["file"])
            if path.is_relative_to(root):
                self.commands[str(path.relative_to(root))] = shlex.split(entry["command"])

    def flags(self, name):
        words = self.commands[name][1:]
        at = words.index("-o")
        del words[at:at + 2]
        at = words.index("-c")
        del words[at:at + 2]
        return tuple(words)

    def make_ready(self, names):
        """Makes the precompiled headers and generated sources that these sources need."""
        needed = set()
        for name in names:
            words = self.commands[name]
            needed.update(w for w in words if w.endswith(".pch"))
            target = re.search(r"/CMakeFiles/([^/]+)\.dir/", words[words.index("-o") + 1])
            if target and name.startswith("gui/"):
                needed.add(target.group(1) + "_autogen")
        known = subprocess.run(["ninja", "-C", self.folder, "-t", "targets", "all"],
                               capture_output=True, text=True, check=True).stdout
        known = {line.rsplit(": ", 1)[0] for line in known.splitlines()}
        prefix = str(self.folder) + "/"
        wanted = sorted({n.removeprefix(prefix) for n in needed} & known)
        if wanted:
            subprocess.run(["ninja", "-C", self.folder, "--quiet", *wanted], check=True)


class Looker:
    def __init__(self, root, build, tool):
        self.root, self.build, self.tool = root, build, tool
        self.units = build.folder / "looks"
        self.units.mkdir(exist_ok=True)

    def _files_named(self, words, names):
        full = {str(self.root / n): n for n in names}
        return {full[f] for f in FINDING.findall(words) if f in full}

    def look(self, label, names, flags):
        """Returns (sources looked at, what clang-tidy says of them) for each unit."""
        unit = self.units / (label.replace("/", "_") + ".cpp")
        unit.write_text("".join(f'#include "{self.root / n}"  // NOLINT\n' for n in names))
        if len(names) > 1:
            tried = subprocess.run(["clang++-14", *flags, "-fsyntax-only", "-w", str(unit)],
                                   capture_output=True, text=True)
            if tried.returncode:
                apart = self._files_named(tried.stdout + tried.stderr, names)
                if not apart or len(apart) == len(names):
                    apart = set(names[len(names) // 2:])
                first = [n for n in names if n not in apart]
                return (self.look(label, first, flags) +
                        self.look(label + "_", sorted(apart), flags))
        done = subprocess.run([self.tool, "--quiet", f"--config-file={self.root / '.clang-tidy'}",
                               str(unit), "--", *flags], capture_output=True, text=True)
        return [(names, done.stdout + (done.stderr if done.returncode else ""), done.returncode)]


def read_ledger(path):
    """Digests of what was found clean, and of what is owed."""
    clean, owed = {}, {}
    lines = path.read_text().splitlines() if path.is_file() else []
    for digest, name, *mark in (line.split() for line in lines if line and line[0] != "#"):
        (owed if mark == ["owed"] else clean)[name] = digest
    return clean, owed


def write_ledger(path, tree, clean, owed):
    rows = {n: f"{d} {n} owed\n" for n, d in owed.items()}
    rows |= {n: f"{d} {n}\n" for n, d in clean.items()}
    path.write_text("# What clang-tidy found clean; kept by ./dev tidy.\n" +
                    "".join(rows[n] for n in sorted(rows) if n in tree.text))


def units_of(build, names):
    groups = {}
    for name in sorted(names):
        groups.setdefault((str(pathlib.PurePosixPath(name).parent), build.flags(name)), []).append(name)
    for (folder, flags), members in sorted(groups.items(), key=lambda g: -len(g[1])):
        for at in range(0, len(members), UNIT_SIZE):
            yield f"{folder}_{at // UNIT_SIZE}", members[at:at + UNIT_SIZE], flags


def run(tree, build, changed, clean, options, keep):
    sources = [n for n in tree.text if n in build.commands]
    chosen = {n for n in changed if n.endswith(".cpp") and n in build.commands}
    seen_through = {}
    for header in (n for n in changed if n.endswith(".h")):
        source = tree.witness(header, sources, chosen)
        if source is not None:
            chosen.add(source)
        seen_through[header] = source
    build.make_ready(chosen)
    looker = Looker(tree.root, build, "clang-tidy-14")
    dirty = set()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(looker.look, *unit) for unit in units_of(build, chosen)]
        for job in concurrent.futures.as_completed(jobs):
            for names, words, code in job.result():
                found = {str(pathlib.Path(f).relative_to(tree.root)) for f in FINDING.findall(words)
                         if pathlib.Path(f).is_relative_to(tree.root)}
                if code or found:
                    print(words, flush=True)
                    dirty |= found & set(tree.text) or set(names)
                looked = set(names) | {h for h, s in seen_through.items() if s in names}
                clean.update({n: tree.digest[n] for n in looked if n not in dirty})
                keep()
    # What no source of this build reaches has nothing to be looked at with.
    clean.update({n: tree.digest[n] for n in changed
                  if n.endswith(".cpp") and n not in build.commands or
                  n.endswith(".h") and seen_through.get(n) is None})
    for name in dirty:
        clean.pop(name, None)
    return len(chosen), dirty


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--check-only", action="store_true", help="leave the ledger alone")
    parser.add_argument("--all", action="store_true", help="look at everything")
    parser.add_argument("--only", default="", help="look only at files whose path starts so")
    parser.add_argument("--pending", action="store_true", help="succeed when nothing has changed")
    parser.add_argument("--owe", action="store_true", help="note what is not clean as owed")
    options = parser.parse_args()
    root = options.root.resolve()
    tree = Tree(root)
    if not tree.text:
        print("clang-tidy: nothing was checked")
        return 1
    ledger_path = root / "tests/arch/tidy_ledger.txt"
    clean, owed = ({}, {}) if options.all else read_ledger(ledger_path)
    changed = [n for n in tree.text
               if clean.get(n) != tree.digest[n] and n.startswith(options.only)]
    if options.owe:
        owed |= {n: tree.digest[n] for n in changed}
        write_ledger(ledger_path, tree, {n: d for n, d in clean.items() if n not in owed}, owed)
        print(f"clang-tidy: {len(changed)} of {len(tree.text)} files are owed a look")
        return 0
    if options.check_only:
        changed = [n for n in changed if owed.get(n) != tree.digest[n]]
    if options.pending or not changed:
        print(f"clang-tidy: {len(changed)} of {len(tree.text)} files to look at")
        return 1 if changed else 0
    if shutil.which("clang-tidy-14") is None or shutil.which("clang++-14") is None:
        print("clang-tidy-14 and clang++-14 are not installed: run ./dev tidy", file=sys.stderr)
        return 1
    for name in changed:
        clean.pop(name, None)

    def keep():
        if not options.check_only:
            write_ledger(ledger_path, tree, clean, owed)

    looked, dirty = run(tree, Build(options.build, root), changed, clean, options, keep)
    keep()
    print(f"clang-tidy: {len(changed)} of {len(tree.text)} files changed, {looked} sources looked at, "
          f"{len(dirty)} files with something to mend")
    return 1 if dirty else 0


if __name__ == "__main__":
    sys.exit(main())
