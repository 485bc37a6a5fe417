#!/bin/sh
# points and meshes as a user meets them: tables to info, plot, train (one and two ranks), eval, export, import; one-line
# errors with exit code 2. The field is p = (1 + Re) (x^2 - y) on scattered points, Re differs by sample. Silent when right.
. tests/cli/helpers

mkdir set
for s in 1 2 3 4 5 6; do
  awk -v s=$s 'BEGIN {
    srand(s); Re = s / 6; print "x,y,p (Pa),Re,name"
    for (i = 0; i < 30 + 7 * s; i++) { x = 2 * rand() - 1; y = rand(); printf "%.6f,%.6f,%.6f,%.6f,a%d\n", x, y, (1 + Re) * (x * x - y), Re, i }
  }' >set/$s.csv
done
awk -F, 'FNR == 1 { if (NR == 1) print "sample," $0; next } { print FILENAME "," $0 }' set/*.csv >all.csv

# ---- what it is ----
expect 0 "" "$program" info set
say "table of points" && say "samples *6" && say "p *Pa *target"
expect 0 "" "$program" info all.csv
say "samples *6"
expect 0 "" "$program" info --json --no-statistics all.csv
say '"max": 72'
expect 0 "" "$program" plot all.csv --trajectory 5 -o scatter.png
picture scatter.png
expect 2 "samples 0 to 5" "$program" plot all.csv --trajectory 6 -o x.png
expect 2 "did you mean" "$program" plot all.csv --channel P -o x.png

# ---- a run ----
cat >tiny.yaml <<'END'
model: transolver
args: {variant: irregular, space_dim: 2, fun_dim: 1, out_dim: 1, n_hidden: 16, n_layers: 2, n_head: 2, slice_num: 8, dropout: 0.05}
data: {train: set, channels: p, inputs: Re, valid_fraction: 0.3}
train: {steps: 120, batch: 2, lr: 5e-3, eval_every: 40, save_every: 40, log_every: 1, ema: 0.9, noise: 0.01}
END
expect 0 "" "$program" -q train tiny.yaml --plan
say "activations"
expect 0 "" "$program" -q train tiny.yaml --out run
[ "$(wc -l <run/log.csv)" -eq 121 ] || complain "the log has $(wc -l <run/log.csv) lines, not 121"
expect 0 "" "$program" -q train tiny.yaml --out cut --set train.steps=120 --set data.cache_mb=0
for run in run cut; do "$program" export $run/checkpoint.h5 --raw -o $run.safetensors >/dev/null || complain "export of $run"; done
cmp -s run.safetensors cut.safetensors || complain "streamed and cached data give other weights"

# ---- what it is worth ----
expect 0 "" "$program" -q eval run --data set --split valid -o seen
for word in "relative L2" RMSE MAE R2 linear "training mean" "2 of 2 samples" "p (Pa)"; do say "$word"; done
[ -s seen/prediction.hdf5 ] || complain "eval has not written predictions"
picture seen/p.png
expect 0 "" "$program" info seen/prediction.hdf5
say "fieldcast points" && say "_truth"
expect 2 "points are rolled out by" "$program" rollout run --data set -o x
expect 2 "no field named\|and there is none" "$program" -q eval run --data seen/prediction.hdf5

# ---- out and in again ----
expect 0 "" "$program" export run -o w.safetensors
expect 0 "" "$program" import w.safetensors --config w.json -o back.h5
expect 0 "" "$program" export back.h5 -o again.safetensors
cmp -s w.safetensors again.safetensors || complain "import and export do not give the same file"
sed 's/"args"/"data": {"channels": "p", "inputs": "Re"}, "args"/' w.json >data.json
expect 0 "" "$program" import w.safetensors --config data.json -o told.h5
expect 0 "" "$program" -q eval told.h5 --data set
say "weights were imported"

# ---- mistakes ----
expect 2 "takes 1 features per point" "$program" -q train tiny.yaml --set data.inputs=none --out x
expect 2 "names the column 'T'" "$program" -q train tiny.yaml --set data.inputs=T --out x
expect 2 "takes points with 3 coordinates" "$program" -q train tiny.yaml --set args.space_dim=3 --out x
expect 2 "works on grids" "$program" -q train tiny.yaml --set args.variant=structured_2d --out x
expect 2 "data.space_stride is for fields on a grid" "$program" -q train tiny.yaml --set data.space_stride=2 --out x
sed '12s/,[^,]*,/,,/' set/3.csv >broken.csv
expect 2 "broken.csv:12: column 'y' is empty" "$program" -q train tiny.yaml --set data.train=broken.csv --set data.valid_fraction=0 --out x
head -c 900 set/3.csv >short.csv
expect 2 "short.csv:" "$program" -q train tiny.yaml --set data.train=short.csv --out x
"$program" -q solve demo-ns2d -o grid.hdf5 --set n=16 --set n_traj=1 --set frames=2 --set t_skip=0.1 >/dev/null
expect 2 "holds fields on a grid" "$program" -q train tiny.yaml --set args.variant=car --set args.space_dim=7 --set args.fun_dim=0 --set data.train=grid.hdf5 --out x
[ -e x ] && complain "a refused training has left files"

# ---- two ranks see the same samples as one: losses agree to float rounding ----
for n in 1 2; do
  ranks $n train tiny.yaml --out ranks$n --set train.steps=12 \
    --set train.batch=3 --set train.eval_every=4 2>err || { complain "training on $n ranks fails"; cat err >&2; }
done
paste -d, ranks1/log.csv ranks2/log.csv | awk -F, '
  function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-4 * (a < 0 ? -a : a) }
  NR > 1 { for (c = 4; c <= 11; c++) if (far($c, $(c + NF / 2))) bad = 1; if ($1 != $(1 + NF / 2) || $3 != $(3 + NF / 2)) bad = 1 }
  END { exit bad || NR != 13 }' || complain "one and two ranks do not agree"

# ranks that share the points of each sample, RANKS DOMAIN: each reads its rows alone, noise and scores are those of one rank.
# 1e-5 relative, rounding of 12 steps of a float network; the scores' digits are printed
for shape in "1 1" "2 2" "3 3" "4 2"; do
  # shellcheck disable=SC2086 # two numbers
  set -- $shape
  ranks "$1" train tiny.yaml --out "shares-$1-$2" --domain "$2" --set train.steps=12 --set train.batch=4 --set train.eval_every=4 2>err ||
    { complain "training on $1 ranks, domains of $2"; cat err >&2; }
  paste -d, shares-1-1/log.csv "shares-$1-$2/log.csv" | awk -F, '
    function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-5 * (a < 0 ? -a : a) }
    NR > 1 { for (c = 4; c <= 11; c++) if (far($c, $(c + NF / 2))) bad = 1; if ($1 != $(1 + NF / 2)) bad = 1 }
    END { exit bad || NR != 13 }' || complain "$1 ranks in domains of $2 that share points do not learn like one"
done

# a run of three ranks goes on alone, and a lone one on shared points: like one that was never cut
constant="--set train.schedule=constant --set train.eval_every=0"
# shellcheck disable=SC2086 # words
{
  ranks 1 train tiny.yaml --out uncut $constant --set train.steps=12 2>err || { complain "training without a cut"; cat err >&2; }
  ranks 3 train tiny.yaml --out first --domain 3 $constant --set train.steps=6 2>err || { complain "the first half on three ranks"; cat err >&2; }
  ranks 1 train tiny.yaml --out second $constant --set train.steps=6 2>err || { complain "the first half alone"; cat err >&2; }
  ranks 1 train tiny.yaml --out first --resume $constant --set train.steps=12 2>err || { complain "resuming alone"; cat err >&2; }
  ranks 2 train tiny.yaml --out second --resume --domain 2 $constant --set train.steps=12 2>err || { complain "resuming on two ranks"; cat err >&2; }
}
for run in first second; do
  paste -d, uncut/log.csv $run/log.csv | awk -F, '
    function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-5 * (a < 0 ? -a : a) }
    NR > 1 && (far($4, $(4 + NF / 2)) || $1 != $(1 + NF / 2)) { bad = 1 }
    END { exit bad || NR != 13 }' || complain "the resumed run '$run' does not learn like the uncut one"
done

# eval on ranks: the same scores (four printed digits: 1e-3), the same fields in the file; a linear map wants whole samples
for shape in "1 1" "2 1" "3 3" "4 2"; do
  # shellcheck disable=SC2086 # two numbers
  set -- $shape
  ranks "$1" eval run --data set --domain "$2" -o "told-$1-$2" >"told-$1-$2.txt" 2>err ||
    { complain "eval on $1 ranks, domains of $2"; cat err >&2; }
  awk '/^  (relative L2|RMSE|MAE|R2) / { sub("relative L2", "L2"); print $1, $2, $NF }' "told-$1-$2.txt" >numbers
  "$program" info "told-$1-$2/prediction.hdf5" | awk '$1 == "p" || $1 == "p_truth" { print $1, $(NF - 3), $(NF - 2), $(NF - 1), $NF }' >>numbers
  [ "$1" -eq 1 ] && cp numbers numbers-1
  paste -d' ' numbers-1 numbers | awk '
    function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-3 * (a < 0 ? -a : a) }
    { for (c = 2; c <= NF / 2; c++) if (far($c, $(c + NF / 2))) bad = 1; if ($1 != $(1 + NF / 2)) bad = 1 }
    END { exit bad || NR != 6 }' || complain "eval on $1 ranks in domains of $2 has other numbers"
done
grep -q "ranks share the points" told-4-2.txt || complain "eval does not say why there is no linear map"
exit $failed
