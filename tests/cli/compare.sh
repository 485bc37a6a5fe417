#!/bin/sh
# fieldcast compare: two runs on the same data, their table, CSV files and pictures.
set -u
program=${FC_PROGRAM:-build/fieldcast}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
complain() { echo "compare.sh: $*" >&2; failed=1; }
cd "$folder" || exit 1
"$program" solve demo-ns2d -o data.hdf5 --set n=16 --set n_traj=4 --set frames=8 --set t_skip=1 >/dev/null 2>&1 ||
  { complain "cannot make data"; exit 1; }
cat >tiny.yaml <<'END'
model: factformer
args: {variant: kolmogorov2d, in_time_window: 1, max_latent_steps: 1, dim: 16, depth: 1, heads: 2, dim_head: 8}
data: {train: data.hdf5, valid_fraction: 0.25}
train: {steps: 6, batch: 2, eval_every: 0, log_every: 3}
END
"$program" -q train tiny.yaml --out runs/one >/dev/null 2>&1 || complain "training fails"
"$program" -q train tiny.yaml --out runs/two --set args.in_time_window=3 >/dev/null 2>&1 || complain "training fails"
"$program" -q compare runs/one runs/two/ --data data.hdf5 -o out >table 2>err || { complain "compare fails"; cat err >&2; }
for method in one two persistence linear solver; do grep -q "^$method" table || complain "no line for $method"; done
# persistence of the first frame does not depend on the runs; both runs start from the same frames
[ "$(grep -c '^one,' out/error.csv)" -eq "$(grep -c '^two,' out/error.csv)" ] || complain "runs of different length"
[ "$(awk -F, '$1 == "one" { print $4 }' out/contest.csv)" = 6 ] || complain "steps are not those of the log"
for file in contest.csv error.csv error.png fields.png; do [ -s out/$file ] || complain "no $file"; done
"$program" compare runs/none --data data.hdf5 -o out >/dev/null 2>err && complain "a missing run is accepted"
[ "$(wc -l <err)" -eq 1 ] && grep -q "runs/none" err || complain "the message about a missing run"
# predictions of others: the truth itself is exact, the same flow by larger steps is near, another grid is refused
cp data.hdf5 twin.hdf5
"$program" -q solve demo-ns2d -o rough.hdf5 --set n=16 --set n_traj=4 --set frames=8 --set t_skip=1 --set accurate=false --set dt=0.02 >/dev/null 2>&1 ||
  complain "cannot make a rougher flow"
"$program" -q solve demo-ns2d -o other.hdf5 --set n=32 --set n_traj=4 --set frames=8 --set t_skip=1 >/dev/null 2>&1
"$program" -q compare runs/one --data data.hdf5 -o out --with twin.hdf5 --with rough.hdf5 >table 2>err || { complain "compare --with fails"; cat err >&2; }
awk -F, '$1 == "twin" { twin = $9 == 0 && $2 == "file" } $1 == "rough" { rough = $9 > 0 && $12 < 0.1 } END { exit !(twin && rough) }' out/contest.csv ||
  { complain "errors of predictions in files"; cat out/contest.csv >&2; }
"$program" -q compare runs/one --data data.hdf5 -o out --with other.hdf5 >/dev/null 2>err
[ $? -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] && grep -q "other.hdf5 has another grid" err || { complain "a prediction on another grid"; cat err >&2; }
exit $failed
