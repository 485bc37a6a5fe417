#!/bin/sh
# Many series with a row each, as a user meets them: the second file goes on behind the first, the names of the series are
# classes, the full TFT trains, is scored with M4's measures and forecasts what has not come. Silent when right.
. tests/cli/helpers

# eight series of period 6 at levels 1 to 8000; four of them shorter than a lookback
awk -v train=train.csv -v test=test.csv 'BEGIN {
  srand(3)
  for (k = 1; k <= 96; k++) { printf("%sV%d", (k > 1 ? "," : ""), k) >train }
  for (k = 1; k <= 7; k++) { printf("%sV%d", (k > 1 ? "," : ""), k) >test }
  for (s = 0; s < 8; s++) {
    n = s % 2 ? 95 : 20; level = s < 4 ? 10 : 1000
    printf "\ns%d", s >train; printf "\ns%d", s >test
    for (k = 0; k < n + 6; k++) {
      v = level * (s + 1 + 0.4 * (s + 1) * sin(2 * 3.14159265 * (k + s) / 6) + 0.02 * rand())
      if (k < n) printf ",%.4f", v >train; else printf ",%.4f", v >test
    }
    for (k = n; k < 95; k++) printf "," >train
  }
  print "" >train; print "" >test
}'
cat >panel.yaml <<'END'
model: tft
args: {max_encoder_length: 24, max_prediction_length: 6, hidden_size: 8, attention_head_size: 2, hidden_continuous_size: 4, target: value,
  static_categoricals: [series], time_varying_reals_encoder: [value], time_varying_categoricals_encoder: ["row%6"],
  time_varying_categoricals_decoder: ["row%6"], n_classes: {series: 8, "row%6": 6}, quantiles: [0.1, 0.5, 0.9], dropout: 0}
data: {train: train.csv, continue: test.csv, derive: [series, "row%6"], scale: series, split_last: [6, 6], min_lookback: 6}
train: {epochs: 25, batch: 32, lr: 1e-2, schedule: cosine_epochs, seed: 1}
END

# ---- training, scores ----
expect 0 "" "$program" -q train panel.yaml --out run
expect 0 "" "$program" -q eval run --data train.csv --continue test.csv --season 6 -o scores.csv --explain shown
for word in "8 windows of 24 + 6 steps" "8 series" "sMAPE, %" "MASE, all rows before" "no ridge baseline" "static_variables_0" "80 %"; do say "$word"; done
picture shown/static_variables_0.png
score() { awk -F, -v m="$1" -v q="$2" '$1 == m && $2 == q && $3 == "" && $4 == "" { print $5 }' scores.csv; }
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }' || complain "$3: $1 is not below $2"; }
below "$(score tft sMAPE)" "$(score naive sMAPE)" "sMAPE of TFT and naive"

# the same numbers from the files, by M4's formulas
awk -F, 'FNR == 1 { next }
  FNR == NR { n = 0; for (k = 2; k <= NF && $k != ""; k++) x[$1, ++n] = $k; N[$1] = n; next }
  { d = 0; n = N[$1]; for (k = 7; k <= n; k++) { e = x[$1, k] - x[$1, k - 6]; d += (e < 0 ? -e : e) / (n - 6) }
    for (k = 1; k <= 6; k++) { y = x[$1, n - 6 + k]; e = $(k + 1) - y; if (e < 0) e = -e
      smape += 200 * e / ($(k + 1) + y) / 48; mase += e / d / 48 } }
  END { print smape, mase }' train.csv test.csv >m4
read -r smape mase <m4
near() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(d < 1e-3 * b) }' || complain "$3: $1, by hand $2"; }
near "$(score 'seasonal naive' sMAPE)" "$smape" "sMAPE of seasonal naive"
near "$(score 'seasonal naive' 'MASE before')" "$mase" "MASE of seasonal naive"

# ---- what has not come: formulas go on by themselves, short series are fine ----
expect 0 "" "$program" forecast run --data train.csv --season 6 -o next.csv
picture next.png
[ "$(wc -l <next.csv)" -eq 49 ] || complain "forecasts of $(wc -l <next.csv) lines"
awk -F, 'NR > 1 { n[$1]++; s[$1] += $3 } END { exit !(s["s7"] > 100 * s["s0"] && n["s0"] == 6) }' next.csv || complain "levels of the forecasts"

# ---- mistakes ----
expect 2 "data.derive: 'hour' is no formula" "$program" -q train panel.yaml --set data.derive=hour
expect 2 "takes the last 80 rows of each series, one of" "$program" -q train panel.yaml --set data.split_last=40,40
expect 2 "data.continue=FILE appends" "$program" -q train panel.yaml --set data.valid=test.csv
expect 2 "No such file" "$program" -q train panel.yaml --set data.continue=none.csv
expect 2 "has 8 classes, the options of tft allow 5" "$program" -q train panel.yaml --set args.n_classes.series=5
expect 2 "more than the lookback" "$program" -q train panel.yaml --set data.min_lookback=25
sed 's/^s3/t3/' train.csv >other.csv
expect 2 "'t3' in column series was not among the training data" "$program" eval run --data other.csv
expect 2 "No such file" "$program" eval run --data train.csv --continue none.csv
exit $failed
