#!/bin/sh
# train, resume, rollout, eval, export, import as a user calls them: exit codes, one-line errors, files, and that a run
# killed without warning ends with the same weights as one that was left alone. Silent when right.
. tests/cli/helpers

"$program" -q solve demo-ns2d -o data.hdf5 --set n=32 --set n_traj=5 --set frames=12 --set t_skip=1 >/dev/null ||
  { echo "train.sh: cannot make data" >&2; exit 1; }
cat >tiny.yaml <<'END'
model: factformer
args: {variant: kolmogorov2d, in_time_window: 3, max_latent_steps: 2, dim: 16, depth: 1, heads: 2, dim_head: 8}
data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 40, batch: 2, lr: 1e-3, eval_every: 10, eval_frames: 4, save_every: 4, log_every: 1, ema: 0.9, noise: 0.01}
END

# ---- mistakes ----
expect 2 "unknown option 'train.noisy'.*nearest is 'train.noise'" "$program" -q train tiny.yaml --set train.noisy=1
expect 2 "train.lr = -1" "$program" -q train tiny.yaml --set train.lr=-1
expect 2 "did you mean 'factformer'" "$program" -q train tiny.yaml --set model=factforme
expect 2 "nothing.yaml" "$program" -q train nothing.yaml
expect 2 "nothing.hdf5" "$program" -q train tiny.yaml --set data.train=nothing.hdf5
expect 2 "at most 2 frames" "$program" -q train tiny.yaml --set train.out_frames=3
expect 2 "no such checkpoint" "$program" -q rollout nothing.h5 --data data.hdf5 -o x
expect 2 "not a fieldcast checkpoint" "$program" -q rollout data.hdf5 --data data.hdf5 -o x
expect 2 "wants --data" "$program" -q eval run
[ -e runs ] && complain "a refused training has left files"

# ---- plan ----
expect 0 "" "$program" -q train tiny.yaml --plan
grep -q "activations" out && grep -q "GFLOP per step" out || complain "--plan does not tell memory and arithmetic"

# ---- a run, and one that is killed twice and resumed ----
expect 0 "" "$program" -q train tiny.yaml --out whole
expect 2 "already holds a run" "$program" -q train tiny.yaml --out whole
"$program" -q train tiny.yaml --out cut &
pid=$!
tries=0
while [ ! -e cut/checkpoint.h5 ] && [ $tries -lt 600 ]; do sleep 0.05; tries=$((tries + 1)); done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
[ -e cut/checkpoint.h5 ] || complain "no checkpoint before the kill"
rm -f cut/log.csv.seen && cp cut/log.csv cut/log.csv.seen
"$program" -q train tiny.yaml --out cut --resume --set train.save_every=1000 2>err &
pid=$!
tries=0 # a new line in the log: it trains, so it listens to signals
while cmp -s cut/log.csv cut/log.csv.seen && kill -0 $pid 2>/dev/null && [ $tries -lt 600 ]; do sleep 0.05; tries=$((tries + 1)); done
rm -f cut/log.csv.seen
kill -TERM $pid 2>/dev/null
wait $pid
code=$?
[ $code -eq 85 ] || [ $code -eq 0 ] || complain "SIGTERM gives exit code $code, not 85"
expect 0 "" "$program" -q train tiny.yaml --out cut --resume
for run in whole cut; do "$program" export $run/checkpoint.h5 --raw -o $run.safetensors >/dev/null || complain "export of $run"; done
cmp -s whole.safetensors cut.safetensors || complain "the resumed run ends with other weights"
[ "$(wc -l <cut/log.csv)" -eq 41 ] || complain "the log of the resumed run has $(wc -l <cut/log.csv) lines, not 41"
cut -d, -f1-9 whole/log.csv >a
cut -d, -f1-9 cut/log.csv >b
cmp -s a b || complain "the logs differ"

# ---- rollout and eval ----
expect 0 "" "$program" -q rollout whole --data data.hdf5 --trajectory 4 --compare -o roll
for word in VRMSE persistence correlation "spectrum error" "valid time" "moving average" "solver"; do
  grep -q "$word" out || complain "the rollout's report does not mention $word"
done
for file in prediction.hdf5 prediction.xmf error.csv error.png fields.png spectra.png; do
  [ -s roll/$file ] || complain "rollout has not written $file"
done
expect 0 "" "$program" -q rollout whole --data data.hdf5 --trajectory 4 --steps 30 -o far.hdf5
[ -s far.hdf5 ] || complain "rollout past the data has not written far.hdf5"
expect 2 "trajectories 0 to 4" "$program" -q rollout whole --data data.hdf5 --trajectory 7 -o x
expect 0 "" "$program" -q eval whole --data data.hdf5 --split valid
grep -q "fRMSE high" out || complain "eval does not print PDEBench's set"

# ---- a steady problem: one field to another, beside the solver on a coarser grid ----
"$program" -q solve fno-darcy-421 -o darcy.hdf5 --set n=16 --set n_traj=6 >/dev/null || complain "cannot make steady data"
cat >darcy.yaml <<'END'
model: factformer
args: {variant: darcy2d, dim: 16, depth: 1, heads: 2, dim_head: 8}
data: {train: darcy.hdf5, valid_fraction: 0.2, inputs: a, channels: u}
train: {steps: 6, batch: 2, lr: 1e-3, eval_every: 3}
END
expect 0 "" "$program" -q train darcy.yaml --out steady
expect 0 "" "$program" -q rollout steady --data darcy.hdf5 --trajectory 5 --compare -o steady.hdf5
grep -q "training mean" out && grep -q "solver \(8x8\|12x12\)" out || complain "a steady rollout does not compare with the solver"
expect 2 "no field named 'b'" "$program" -q train darcy.yaml --set data.inputs=b --out x
public=${FC_SOURCE_DIR:-.}/../shared/data/pde
if [ -r "$public/darcy_train_16.h5" ]; then # bare data sets
  expect 0 "" "$program" -q train darcy.yaml --set data.train="$public/darcy_train_16.h5" --out bare
  expect 0 "" "$program" -q eval bare --data "$public/darcy_test_32.h5" --split all --windows 4
fi

# ---- out and in again ----
expect 0 "" "$program" export whole -o w.safetensors
expect 0 "" "$program" import w.safetensors --config w.json -o back.h5
expect 0 "" "$program" export back.h5 -o again.safetensors
cmp -s w.safetensors again.safetensors || complain "import and export do not give the same file"
sed 's/"dim": 16/"dim": 32/' w.json >wrong.json
expect 2 "the model wants" "$program" import w.safetensors --config wrong.json -o x.h5
[ -e x.h5 ] && complain "a refused import has left a file"
expect 0 "" "$program" models factformer
grep -q "args.dim" out || complain "models NAME does not list the options"
exit $failed
