#!/bin/sh
# Data-parallel training: two ranks see the same windows as one, so losses agree to float rounding; a killed run that is
# resumed on two ranks ends like the whole one, bit for bit. Silent when right.
. tests/cli/helpers

"$program" -q solve demo-ns2d -o data.hdf5 --set n=32 --set n_traj=5 --set frames=12 --set t_skip=1 >/dev/null ||
  { complain "cannot make data"; exit 1; }
cat >tiny.yaml <<'END'
model: factformer
args: {variant: kolmogorov2d, in_time_window: 3, max_latent_steps: 2, dim: 16, depth: 1, heads: 2, dim_head: 8}
data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 12, batch: 3, accumulate: 2, lr: 1e-3, eval_every: 4, eval_frames: 4, save_every: 4, log_every: 1, noise: 0.01}
END
for n in 1 2; do ranks $n train tiny.yaml --out run$n 2>err || { complain "training on $n ranks fails"; cat err >&2; }; done
# columns: loss, gradient norm, the four validation numbers; 1e-4 relative: rounding of 12 steps of a float network
paste -d, run1/log.csv run2/log.csv | awk -F, '
  function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-4 * (a < 0 ? -a : a) }
  NR > 1 { for (c = 4; c <= 13; c++) if (far($c, $(c + NF / 2))) bad = 1; if ($1 != $(1 + NF / 2) || $3 != $(3 + NF / 2)) bad = 1 }
  END { exit bad || NR != 13 }' || complain "one and two ranks do not agree"

ranks 2 train tiny.yaml --out cut --set train.steps=12 >log 2>&1 &
pid=$!
tries=0
while [ ! -e cut/checkpoint.h5 ] && [ $tries -lt 600 ]; do sleep 0.02; tries=$((tries + 1)); done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
sleep 0.5 # the launcher's children end with it
ranks 2 train tiny.yaml --out cut --resume 2>err || { complain "resuming on two ranks fails"; cat err >&2; }
for run in run2 cut; do "$program" export $run/checkpoint.h5 -o $run.safetensors >/dev/null || complain "export of $run"; done
cmp -s run2.safetensors cut.safetensors || complain "the resumed run ends with other weights"

# more ranks than windows in a batch is a mistake of the user, told once per rank, not a hang
ranks 2 train tiny.yaml --out few --set train.batch=1 >log 2>&1 && complain "a batch smaller than the ranks is accepted"
grep -q "less than one for each of 2 ranks" log || complain "the message about small batches is missing"
exit $failed
