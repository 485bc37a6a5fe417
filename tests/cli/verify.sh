#!/bin/sh
# The cases of the official codes (tests/golden) through the program, and cases that are damaged: one line each, exit
# code 2, never a crash. Silent when right.
set -u
program=${FC_PROGRAM:?}
golden=${FC_SOURCE_DIR:?}/tests/golden
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
complain() { echo "verify.sh: $*" >&2; failed=1; }

cases=$(dirname "$golden"/*/config.json)
"$program" verify $cases >"$folder/out" 2>"$folder/err" || { complain "a case differs"; cat "$folder/out" >&2; }
count=$(echo "$cases" | wc -l)
[ "$(grep -c '^ok ' "$folder/out")" -eq "$count" ] || complain "not one line 'ok' for each of $count cases"

# a wrong answer must be seen: one weight's worth of another case
fresh() { rm -rf "$folder/case"; cp -r "$golden/factformer-a" "$folder/case"; chmod -R u+w "$folder/case"; }
fresh
cp "$golden/factformer-e/weights.safetensors" "$folder/case/"
"$program" verify "$folder/case" >"$folder/out" 2>&1
[ $? -eq 1 ] && grep -q '^DIFFER' "$folder/out" || complain "other weights are not noticed"

# refused TEXT: exit code 2 and one line FAILED that holds TEXT
refused() {
  "$program" verify "$folder/case" >"$folder/out" 2>"$folder/err"
  code=$?
  [ $code -eq 2 ] || { complain "'$1': exit code $code"; cat "$folder/out" "$folder/err" >&2; }
  [ "$(grep -c . "$folder/out")" -eq 1 ] && grep -q -e "^FAILED.*$1" "$folder/out" ||
    { complain "no single line about '$1'"; cat "$folder/out" "$folder/err" >&2; }
  [ "$(grep -c . "$folder/err")" -le 1 ] || { complain "'$1': more than one line of errors"; cat "$folder/err" >&2; }
}
change() { fresh && sed -i -e "$1" "$folder/case/config.json"; }
cut() { head -c "$2" "$golden/factformer-a/$1" >"$folder/case/$1"; }

rm -rf "$folder/case"; refused "config.json"
mkdir "$folder/case"; refused "config.json"
fresh; rm "$folder/case/weights.safetensors"; refused "weights.safetensors"
fresh; rm "$folder/case/case.h5"; refused "case.h5"
for size in 0 7 100 5000 60000; do
  fresh; cut weights.safetensors $size; refused "weights.safetensors"
done
for size in 0 7 100 5000 100000; do
  fresh; cut case.h5 $size; refused "case.h5"
done
for size in 0 1 200; do
  fresh; cut config.json $size; refused "config.json"
done
change 's/"dim": 16/"dim": 32/'; refused "weights.safetensors"
change 's/"depth": 2/"depth": 3/'; refused "encoder.layers.2"
change 's/"kernel_multiplier": 2/"kernel_multiplier": 3/'; refused "low_rank_kernel_x.to_q"
change 's/"in_time_window": 4/"in_time_window": 5/'; refused "to_in"
change 's/"dim": 16/"dim": "wide"/'; refused "dim"
change 's/"variant": "kolmogorov2d"/"variant": "kolmogorov3d"/'; refused "kolmogorov2d"
change 's/"model": "factformer"/"model": "fractformer"/'; refused "did you mean 'factformer'"
change 's/"output": [0-9.e-]*/"output": -1/'; refused "tolerance"
exit $failed
