#!/bin/sh
# against_klayout.sh PROGRAM KLAYOUT FOLDER: every DEF file of the folder with all LEF files beside it.
# 77 tells CTest that there was nothing to compare with.
set -u
program=$1 klayout=$2 folder=$3
here=$(dirname "$0")
[ -x "$klayout" ] || { echo "KLayout is not installed; nothing was compared."; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for design in "$folder"/*.def "$folder"/*.def.gz; do
  [ -e "$design" ] || continue
  lefs=$(ls "$folder"/*.lef "$folder"/*.lef.gz 2>/dev/null | paste -sd, -)
  echo "== $design"
  "$program" "$design" $(echo "$lefs" | tr , ' ') >"$work/shapes" || failed=1
  QT_QPA_PLATFORM=offscreen "$klayout" -b -r "$here/xor_with_klayout.py" -rd shapes="$work/shapes" \
    -rd design="$design" -rd lefs="$lefs" -rd limit="${LIMIT:-0}" || failed=1
done
exit $failed
