#!/bin/sh
# Training a forecaster as a user calls it: one-line errors, a plan, a run that is killed and resumed with the same weights,
# early stopping told in the log, one and two ranks alike. Silent when right.
. tests/cli/helpers

awk 'BEGIN {
  print "date,load,wind,price"; srand(4)
  for (r = 0; r < 700; r++) {
    day = sin(2 * 3.14159265 * r / 24); wind = rand()
    printf "2021-01-%02d %02d:00:00,%.5f,%.5f,%.5f\n", int(r / 24) + 1, r % 24, 10 + 3 * day + rand(), wind, 40 - wind + day
  }
}' >demand.csv
cat >tiny.yaml <<'END'
model: itransformer
args: {seq_len: 24, pred_len: 12, d_model: 16, d_ff: 16, n_heads: 2, e_layers: 1, dropout: 0.1}
data: {train: demand.csv}
train: {epochs: 2, batch: 16, lr: 1e-3, schedule: type1, weight_decay: 0, clip: 0, save_every: 5, log_every: 1, noise: 0.01}
END

# ---- mistakes ----
expect 2 "no column 'lode'; did you mean 'load'" "$program" -q train tiny.yaml --set data.targets=lode
expect 2 "data.mask is for fields or points" "$program" -q train tiny.yaml --set data.mask=load
expect 2 "No such file" "$program" -q train tiny.yaml --set data.train=none.csv
expect 2 "as long as a window of 24 + 12 rows" "$program" -q train tiny.yaml --set data.split_rows=30,100,100
expect 2 "asks for 900 rows" "$program" -q train tiny.yaml --set data.split_rows=700,100,100
expect 2 "works on series, not on grids" "$program" -q train tiny.yaml --set data.kind=grid
[ -e runs ] && complain "a refused training has left files"

# ---- plan, a run, one that is killed and resumed ----
expect 0 "" "$program" -q train tiny.yaml --plan
grep -q "GFLOP per step" out || complain "--plan does not tell the arithmetic"
expect 0 "" "$program" -q train tiny.yaml --out whole
head -1 whole/log.csv | grep -q "valid_mse,valid_mae,seasonal_naive_mse" || complain "the log does not name its scores"
[ "$(awk -F, 'NR > 1 && $10 != ""' whole/log.csv | wc -l)" -eq 2 ] || complain "not one validation an epoch"
"$program" -q train tiny.yaml --out killed &
pid=$!
tries=0
while [ ! -e killed/checkpoint.h5 ] && [ $tries -lt 600 ]; do sleep 0.02; tries=$((tries + 1)); done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
expect 0 "" "$program" -q train tiny.yaml --out killed --resume
for run in whole killed; do "$program" export $run/checkpoint.h5 -o $run.safetensors >/dev/null || complain "export of $run"; done
cmp -s whole.safetensors killed.safetensors || complain "the killed and resumed run ends with other weights"
cut -d, -f1-14 whole/log.csv >a
cut -d, -f1-14 killed/log.csv >b
cmp -s a b || complain "the logs differ"

# ---- early stopping: a rate that is far too large makes nothing better ----
expect 0 "" "$program" -q train tiny.yaml --out early --set train.lr=10 --set train.patience=2 --set train.epochs=30 --set train.schedule=constant
[ "$(awk -F, 'NR > 1 && $10 != ""' early/log.csv | wc -l)" -lt 30 ] || complain "patience 2 has not ended 30 epochs of nonsense"

# ---- ranks: the same windows, so losses and scores agree to rounding; PatchTST norms over the whole batch. Biases in front of a
# batch norm have no gradient but rounding, of which Adam makes steps; running means lag behind them, so scores are 1e-3 apart ----
cat >norms.yaml <<'END'
model: patchtst
args: {seq_len: 24, pred_len: 12, enc_in: 3, d_model: 8, d_ff: 8, n_heads: 2, e_layers: 2, patch_len: 8, stride: 4, dropout: 0}
data: {train: demand.csv}
train: {epochs: 1, batch: 15, lr: 1e-3, schedule: type1, weight_decay: 0, clip: 0, log_every: 1, sam_rho: 0.1}
END
if command -v mpirun >/dev/null; then
  for config in tiny norms; do
    for n in 1 2; do ranks $n train $config.yaml --out $config$n 2>err || { complain "$config.yaml on $n ranks fails"; cat err >&2; }; done
    paste -d, ${config}1/log.csv ${config}2/log.csv | awk -F, '
      function far(a, b, tolerance) { d = a - b; if (d < 0) d = -d; return d > tolerance * (a < 0 ? -a : a) }
      NR > 1 { for (c = 4; c <= 14; c++) if (far($c, $(c + NF / 2), c < 10 ? 1e-4 : 1e-3)) bad = 1; if ($1 != $(1 + NF / 2) || $3 != $(3 + NF / 2)) bad = 1 }
      END { exit bad || NR < 20 }' || complain "$config.yaml: one and two ranks do not agree"
  done
  ranks 2 train tiny.yaml --out shared --domain 2 >log 2>&1 && complain "ranks share series"
  grep -q "train.domain = 2: ranks share fields and points" log || { complain "no word about ranks that share series"; cat log >&2; }
fi
exit $failed
