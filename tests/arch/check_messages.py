#!/usr/bin/env python3
"""Message ids are unique to one sentence, and docs/messages.md lists every one.

Usage: check_messages.py SOURCE_DIR [--write]. An id may be raised in several places of one folder;
the same id in two folders is a breach, as is a catalogue that does not match the source.
"""
import collections
import pathlib
import re
import sys

ID = re.compile(r'"([A-Z]{4}-\d{4})"')
# The id, then the first literal after it: the sentence, up to its first variable part.
SENTENCE = re.compile(r'"([A-Z]{4}-\d{4})"\s*,\s*(?:(?:fmt::)?format\s*\(\s*|std::string\s*\(\s*)?'
                      r'((?:"(?:[^"\\]|\\.)*"\s*)+)')


def raised_in(text):
    """The source without comments and without comparisons with an id: neither raises it."""
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'[=!]=\s*"[A-Z]{4}-\d{4}"', "", text)


def collect(root):
    places = collections.defaultdict(set)
    sentences = {}
    for top in ("engine", "ingest", "models", "plugins", "gui"):
        for path in sorted((root / top).rglob("*.cpp")) + sorted((root / top).rglob("*.h")):
            text = raised_in(path.read_text(encoding="utf-8"))
            folder = path.parent.relative_to(root).as_posix()
            for match in ID.finditer(text):
                places[match.group(1)].add(folder)
            for match in SENTENCE.finditer(text):
                literal = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match.group(2)))
                sentences.setdefault(match.group(1), literal.replace('\\"', '"'))
    return places, sentences


def catalogue(places, sentences):
    lines = ["# Messages", "",
             "Every message carries an id that never changes. `{}` stands for what the message fills in.",
             "This page is made from the source: `python3 tests/arch/check_messages.py . --write`.", "",
             "| id | raised in | sentence |", "|---|---|---|"]
    for message_id in sorted(places):
        sentence = sentences.get(message_id, "").replace("|", "\\|").replace("\\n", " ")
        lines.append(f"| {message_id} | {', '.join(sorted(places[message_id]))} | {sentence} |")
    return "\n".join(lines) + "\n"


def main(arguments):
    root = pathlib.Path(arguments[0])
    places, sentences = collect(root)
    page = root / "docs" / "messages.md"
    if "--write" in arguments:
        page.write_text(catalogue(places, sentences), encoding="utf-8")
        return 0
    breaches = [f"{i} is raised in {', '.join(sorted(f))}: one id, one folder"
                for i, f in sorted(places.items()) if len(f) > 1]
    if not places:
        breaches.append("no message id was found: nothing was checked")
    if not page.exists() or page.read_text(encoding="utf-8") != catalogue(places, sentences):
        breaches.append("docs/messages.md does not match the source: run check_messages.py . --write")
    print("\n".join(breaches) if breaches else f"messages: {len(places)} ids")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
