#!/bin/sh
# The comparisons with large-eddy simulation run from the first command to the table, at a size that means nothing.
set -u
program=${FC_PROGRAM:-build/fieldcast}
examples=$(cd "${FC_SOURCE_DIR:-.}/examples" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
complain() { echo "les_examples.sh: $*" >&2; failed=1; }
methods="ifactformer factformer none smagorinsky dynamic dynamic_clipped wale vreman"
for example in isotropic channel; do
  out=$folder/$example
  "$examples/$example-les/run" "$program" "$out" small >"$folder/log" 2>&1 ||
    { complain "$example-les fails"; tail -3 "$folder/log" >&2; continue; }
  # a line of errors, with intervals, and a line of costs for every method
  for method in $methods; do
    [ "$(grep -c "^$method .*+-.*+-.*+-" "$out/table.txt")" -eq 1 ] || complain "$example: no errors of $method"
    grep -qE "^(LES|surrogate) $method [0-9.e-]+[,;]" "$out/table.txt" || complain "$example: no cost of $method"
  done
  # projection takes the divergence out of what the surrogates predict
  for method in ifactformer factformer; do
    awk -v m=$method '$1 == m && NF == 3 && $2 > 1e-4 && $3 < 1e-6 { found = 1 } END { exit !found }' "$out/table.txt" ||
      complain "$example: divergence of $method before and after projection"
  done
  for method in dns-twin $methods; do
    grep -q "^$method," "$out/short/contest.csv" || complain "$example: $method is not compared frame by frame"
  done
  for picture in "$out"/*.png "$out"/short/error.png "$out"/short/fields.png; do [ -s "$picture" ] || complain "no $picture"; done
done
# the published size as jobs that wait for each other
"$examples/channel-les/cluster" "$program" "$folder/full" --dry-run >/dev/null 2>"$folder/scripts" || complain "the cluster's scripts"
[ "$(grep -c '^srun ' "$folder/scripts")" -eq 7 ] || { complain "not all jobs are there"; cat "$folder/scripts" >&2; }
exit $failed
