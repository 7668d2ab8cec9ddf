#!/usr/bin/env bash
# The desktop as a real window on a real X server: it says that the store is missing, writes a picture of
# itself and ends with status 1. Usage: desktop_under_xvfb.sh PROGRAM FOLDER
set -u
folder=$(mktemp -d "$2/desktop-XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
Xvfb -displayfd 3 -screen 0 1600x1000x24 -nolisten tcp 3>"$folder/display" 2>/dev/null &
server=$!
for _ in $(seq 100); do [ -s "$folder/display" ] && break; sleep 0.1; done
[ -s "$folder/display" ] || { echo "no X server came up"; exit 1; }

DISPLAY=:$(tr -d '[:space:]' <"$folder/display") QT_QPA_PLATFORM=xcb timeout 100 \
  "$1" --store "$folder/none" --screenshot "$folder/window.png" 2>"$folder/errors"
status=$?
[ $status -eq 1 ] || { echo "exit status $status instead of 1"; cat "$folder/errors"; exit 1; }
[ "$(head -c 4 "$folder/window.png" | tail -c 3)" = PNG ] || { echo "no picture was written"; exit 1; }
[ "$(wc -c <"$folder/window.png")" -gt 5000 ] || { echo "the picture is blank"; exit 1; }
