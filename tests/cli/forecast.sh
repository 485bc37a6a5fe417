#!/bin/sh
# time series as a user meets them: a table that nobody has seen before to train, eval, forecast; one-line errors with exit
# code 2. Two columns with a daily season over 40 days of hours. Silent when right.
. tests/cli/helpers
# score FILE METHOD QUANTITY: the number for all columns and steps
score() { awk -F, -v m="$2" -v q="$3" '$1 == m && $2 == q && $3 == "" && $4 == "" { print $5 }' "$1"; }
# near A B TOLERANCE
near() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(d <= t && d >= -t) }' || complain "$1 is not $2"; }

# table DAYS NAME PHASE: hours from 2021-02-20 on, over the end of the month
table() {
  awk -v days="$1" -v phase="$3" -v id="$2" 'BEGIN {
    srand(1); pi = 3.14159265358979
    for (h = 0; h < 24 * days; h++) {
      d = int(h / 24) + 20; month = 2
      if (d > 28) { d -= 28; month = 3 }
      if (month == 3 && d > 31) { d -= 31; month = 4 }
      printf "%s2021-%02d-%02d %02d:00:00,%.4f,%.4f\n", id, month, d, h % 24,
        20 + 5 * sin(2 * pi * h / 24 + phase) + rand() - 0.5, 300 + 2 * cos(2 * pi * h / 12) + 0.2 * (rand() - 0.5)
    }
  }'
}
header="date,load (kW),level (m)"
{ echo "$header"; table 40 "" 0; } >mine.csv

cat >tiny.yaml <<'END'
model: dlinear
args: {seq_len: 48, pred_len: 24}
data: {train: mine.csv}
train: {epochs: 1, batch: 16, lr: 1e-2}
END
expect 0 "" "$program" -q train tiny.yaml --out run

# ---- scores ----
expect 0 "" "$program" -q eval run --data mine.csv -o scores.csv
for word in "test part of mine.csv" "169 windows of 48 + 24 steps of 1 hour" "^MSE" "^MAE" "^MASE" "MSE by step" "load (kW)" \
  "seasonal naive" "window mean" "ridge - mean" "column"; do say "$word"; done
picture scores.png
near "$(score scores.csv dlinear MSE)" "$(awk '$1 == "MSE" && $2 ~ /^[0-9.]+$/ { print $2; exit }' out)" 1e-4
# amplitudes 5 and 2 over uniform noise of widths 1 and 0.2: yesterday's value is off by twice the noise's variance
near "$(score scores.csv 'seasonal naive' MSE)" "$(awk 'BEGIN { print (2 / 12 / (12.5 + 1 / 12) + 0.04 * 2 / 12 / (2 + 0.04 / 12)) / 2 }')" 1e-3
near "$(score scores.csv 'seasonal naive' MASE)" 1 0.1
awk -v r="$(score scores.csv ridge MSE)" -v s="$(score scores.csv 'seasonal naive' MSE)" 'BEGIN { exit !(r < s) }' ||
  complain "the ridge regression does not beat the seasonal naive forecast"
expect 0 "" "$program" -q eval run --data mine.csv --drop-last 50
say "the last 19 of 169 windows are not scored" && say "^150 windows"
expect 2 "drop-last 500 leaves none of the 169 windows of the test part" "$program" -q eval run --data mine.csv --drop-last 500
expect 0 "" "$program" -q eval run --data mine.csv --stride 24 --origins 3
say "^3 windows"
expect 0 "" "$program" -q eval run --data mine.csv --split valid
say "valid part"
OMP_NUM_THREADS=2 "$program" -q eval run --data mine.csv -o again.csv >/dev/null || complain "eval with two threads"
cmp -s scores.csv again.csv || complain "two threads give other scores"

expect 0 "" "$program" -q compare run run/checkpoint.h5 --data mine.csv -o both
say "2 runs on the test part" && say "^ridge - mean" && say "^checkpoint.h5"
picture both/error.png
near "$(awk -F, '$1 == "run" { print $6 }' both/contest.csv)" "$(score scores.csv dlinear MSE)" 1e-6

# the linear map is that of the data the model knows, whatever file is scored
{ echo "$header"; table 30 "" 1; } >later.csv
expect 0 "" "$program" -q eval run --data mine.csv
ridge=$(awk '/^ridge: /' out)
expect 0 "" "$program" -q eval run --data later.csv
[ "$(awk '/^ridge: /' out)" = "$(echo "$ridge" | sed 's/of this file/of mine.csv/')" ] || complain "another ridge: $(awk '/^ridge: /' out)"
mv mine.csv away.csv
expect 0 "" "$program" -q eval run --data later.csv
say "training windows of this file" && say "trained on mine.csv, which cannot be read here"
mv away.csv mine.csv

# weights alone know no scale: that of the training rows is taken again
expect 0 "" "$program" export run -o w.safetensors
expect 0 "" "$program" import w.safetensors --config w.json -o back.h5
expect 0 "" "$program" -q eval back.h5 --data mine.csv -o back.csv
near "$(score back.csv dlinear MSE)" "$(score scores.csv dlinear MSE)" 1e-6

# ---- the unseen future ----
expect 0 "" "$program" forecast run --data mine.csv -o next.csv
say "24 steps of 2 columns, 2021-04-01 00:00:00 to 2021-04-01 23:00:00; picture: next.png"
picture next.png
[ "$(wc -l <next.csv)" -eq 25 ] || complain "the forecast has $(wc -l <next.csv) lines, not 25"
[ "$(head -1 next.csv)" = "date,load,level" ] || complain "the header is $(head -1 next.csv)"
awk -F, 'NR > 1 { t = 20 + 5 * sin(2 * 3.14159265 * (NR - 2) / 24); d = $2 - t; s += d * d; if ($3 < 290 || $3 > 310) bad = 1 }
  END { exit bad || s / 24 > 6 }' next.csv || complain "the forecast is far from what made the data"
expect 0 "" "$program" forecast run --data mine.csv
cmp -s out next.csv || complain "standard output gets another table"
expect 0 "" "$program" forecast run --data mine.csv --at "2021-03-20 11:00" -o past.csv
say "1 of 1 forecasts end within the file" && say "seasonal naive"
[ "$(head -1 past.csv)" = "date,load,load_true,level,level_true" ] || complain "the header is $(head -1 past.csv)"
[ "$(sed -n 2p past.csv | cut -d, -f1,3)" = "2021-03-20 12:00:00,$(grep '2021-03-20 12' mine.csv | cut -d, -f2 | sed 's/0*$//')" ] ||
  complain "the truth beside the forecast is $(sed -n 2p past.csv)"
# a newer file with its columns in another order
awk -F, -v OFS=, '{ print $3, $1, $2 }' mine.csv >turned.csv
expect 0 "" "$program" forecast run --data turned.csv
cmp -s out next.csv || complain "another order of columns gives another forecast"
# what lies behind the origin has no part in the forecast
awk 'NR == 1 || $0 < "2021-03-20 11:30" { print; next } { print $1 " " substr($2, 1, 8) ",0,0" }' mine.csv >blind.csv
expect 0 "" "$program" forecast run --data blind.csv --at "2021-03-20 11:00" -o blind-past.csv
cut -d, -f1,2,4 past.csv >a && cut -d, -f1,2,4 blind-past.csv >b
cmp -s a b || complain "the forecast knows what comes after its origin"

# ---- ends of months: 31 comes back after February ----
awk 'BEGIN { split("31 28 31 30 31 30 31 31 30 31 30 31", days, " "); print "month,a"
  for (i = 0; i < 98; i++) { m = i % 12 + 1; printf "%d-%02d-%02d,%d\n", 1990 + i / 12, m, days[m] + (m == 2 && i == 25), (i * 7) % 12 } }' >ends.csv
sed 's/mine.csv/ends.csv/; s/seq_len: 48, pred_len: 24/seq_len: 12, pred_len: 3/' tiny.yaml >ends.yaml
expect 0 "" "$program" -q train ends.yaml --out ends
expect 0 "" "$program" forecast ends --data ends.csv
[ "$(cut -d, -f1 out | tr '\n' ' ')" = "month 1998-03-31 1998-04-30 1998-05-31 " ] || complain "ends of months go on as $(cut -d, -f1 out)"

# ---- rows without dates ----
cut -d, -f2- mine.csv >rows.csv
sed 's/mine.csv/rows.csv, date: none/' tiny.yaml >rows.yaml
expect 0 "" "$program" -q train rows.yaml --out numbered
expect 0 "" "$program" -q eval numbered --data rows.csv --season 24
say "seasonal naive"
expect 0 "" "$program" forecast numbered --data rows.csv --at 500 --season 24 -o numbered.csv
[ "$(sed -n 2p numbered.csv | cut -d, -f1)" = 501 ] || complain "the row after 500 is $(sed -n 2p numbered.csv)"
expect 2 "a row number is wanted" "$program" forecast numbered --data rows.csv --at 2021-03-01

# ---- several series, and what a model shows ----
{ echo "site,$header"; table 40 "north," 0; table 40 "south," 1; } >two.csv
cat >two.yaml <<'END'
model: itransformer
args: {seq_len: 48, pred_len: 24, d_model: 16, n_heads: 2, e_layers: 1, d_ff: 16}
data: {train: two.csv, id: site}
train: {epochs: 1, batch: 32, lr: 1e-3}
END
expect 0 "" "$program" -q train two.yaml --out pair
expect 0 "" "$program" -q eval pair --data two.csv --explain shown
say "338 windows" && say "2 series" && say "attention_0"
[ -s shown/shown.h5 ] || complain "no shown.h5"
picture shown/attention_0.png
[ "$(head -1 shown/attention_0.csv | cut -d, -f1-3)" = "from,load,level" ] || complain "attention has no names"
awk -F, 'NR > 1 { s = 0; for (i = 2; i <= NF; i++) s += $i; if (s < 0.999 || s > 1.001) bad = 1 } END { exit bad }' shown/attention_0.csv ||
  complain "weights of attention do not add up to one"
expect 0 "" "$program" forecast pair --data two.csv -o both.csv
[ "$(cut -d, -f1 both.csv | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = " 24 north; 1 site; 24 south;" ] || complain "both series are not there"
expect 0 "" "$program" forecast pair --data two.csv --series south -o south.csv
sed 1d south.csv >b
grep south both.csv | paste -d, - b | awk -F, 'function far(a, b) { return a - b > 1e-3 || b - a > 1e-3 }
  { if ($2 != $6 || far($3, $7) || far($4, $8)) bad = 1 } END { exit bad || NR != 24 }' || complain "a series alone is forecast otherwise"

# ---- quantiles, and columns that are known ahead of time: warmth and the kind of day ----
awk -F, -v OFS=, 'NR == 1 { print $0, "warmth", "day"; next } { print $0, sprintf("%.3f", 10 + 8 * cos(NR / 5)), int(NR / 24) % 7 < 5 ? "work" : "free" }' \
  mine.csv >known.csv
sed -n '1p;914,$p' known.csv | awk -F, -v OFS=, 'NR == 1 { print "date,warmth,day"; next } { print $1, $4, $5 }' >ahead.csv
sed -n 1,913p known.csv >start.csv
sed 1d ahead.csv | awk -F, -v OFS=, '{ print $1, "", "", $2, $3 }' | cat start.csv - >longer.csv
cat >tft.yaml <<'END'
model: tft
args: {max_encoder_length: 48, max_prediction_length: 24, hidden_size: 8, attention_head_size: 2, hidden_continuous_size: 4,
  target: load, time_varying_reals_encoder: [warmth, load, level], time_varying_reals_decoder: [warmth],
  time_varying_categoricals_encoder: [day], time_varying_categoricals_decoder: [day], n_classes: {day: 2}, quantiles: [0.1, 0.5, 0.9]}
data: {train: known.csv}
train: {epochs: 2, batch: 32, lr: 1e-2}
END
expect 0 "" "$program" -q train tft.yaml --out ahead
expect 0 "" "$program" -q eval ahead --data known.csv -o bands.csv --explain weights
for word in "quantile loss" "q 0.1" "coverage of bands" "80 %" "encoder_variables_0" "decoder_variables_0"; do say "$word"; done
[ "$(head -1 weights/decoder_variables_0.csv)" = "step,day,warmth" ] || complain "the importances are of $(head -1 weights/decoder_variables_0.csv)"
[ "$(wc -l <weights/encoder_variables_0.csv)" -eq 49 ] || complain "importances of $(wc -l <weights/encoder_variables_0.csv) lines"
picture weights/encoder_variables_0.png
grep -q "^tft,coverage 0.8,,,0\.[0-9]" bands.csv || complain "no coverage in the table"
expect 2 "column 'day' must be known 24 steps ahead, but its value of 2021-03-30 00:00:00 is missing" "$program" forecast ahead --data start.csv
expect 0 "" "$program" forecast ahead --data start.csv --future ahead.csv -o with.csv
picture with.png
[ "$(head -1 with.csv)" = "date,load,load_q0.1,load_q0.5,load_q0.9" ] || complain "the header is $(head -1 with.csv)"
[ "$(sed -n 2p with.csv | cut -d, -f1)" = "2021-03-30 00:00:00" ] || complain "the forecast begins $(sed -n 2p with.csv)"
expect 0 "" "$program" forecast ahead --data longer.csv -o rows.csv
cmp -s with.csv rows.csv || complain "rows of the file and --future give other forecasts"
expect 0 "" "$program" forecast ahead --data known.csv --at "2021-03-29 23:00" -o true.csv
say "80 % band covers"
cut -d, -f1-5 true.csv | cmp -s - with.csv || complain "the forecast changes with what comes after"
sed 5q ahead.csv >few.csv
expect 2 "its value of 2021-03-30 04:00:00 is missing" "$program" forecast ahead --data start.csv --future few.csv
awk -F, -v OFS=, 'NR == 900 { $2 = "" } { print }' start.csv >hole.csv
expect 2 "hole.csv:900: " "$program" forecast ahead --data hole.csv --future ahead.csv
sed 2,3d ahead.csv >late.csv
expect 2 "must follow without a gap" "$program" forecast ahead --data start.csv --future late.csv

# ---- mistakes ----
expect 2 "wants --data" "$program" forecast run
expect 2 "gone.csv" "$program" forecast run --data gone.csv
head -40 mine.csv >short.csv
expect 2 "39 known rows, but dlinear looks back 48 steps" "$program" forecast run --data short.csv
cut -d, -f1,2 mine.csv >narrow.csv
expect 2 "level" "$program" forecast run --data narrow.csv
sed '1s/kW/MW/' mine.csv >units.csv
expect 2 "MW" "$program" forecast run --data units.csv
awk 'NR % 2 == 1' mine.csv | sed "1s/.*/$header/" >slow.csv
expect 2 "1 hour" "$program" forecast run --data slow.csv
expect 2 "rows go from 2021-02-20 00:00:00 to 2021-03-31 23:00:00" "$program" forecast run --data mine.csv --at 2022-01-01
expect 2 "a date such as" "$program" forecast run --data mine.csv --at yesterday
expect 2 "did you mean 'south'" "$program" forecast pair --data two.csv --series soth
expect 2 "the table is CSV" "$program" forecast run --data mine.csv -o next.png
expect 2 "of series, train, valid or test is wanted" "$program" -q eval run --data mine.csv --split all
expect 2 "are for fields and points" "$program" -q eval run --data mine.csv --windows 3
expect 2 "must be positive" "$program" -q eval run --data mine.csv --stride 0
ls ./*.tmp >/dev/null 2>&1 && complain "temporary files are left"
exit $failed
