#!/bin/sh
# Ranks that share fields: training on 1, 2, 4 ranks (data, domain, both) gives the losses of one rank, with dropout too; a checkpoint written by
# shared ranks goes on alone and the other way round; rollouts write the same file. Silent when right.
. tests/cli/helpers

"$program" -q solve demo-ns2d -o data.hdf5 --set n=32 --set n_traj=5 --set frames=8 --set t_skip=1 >/dev/null ||
  { complain "cannot make data"; exit 1; }
cat >tiny.yaml <<'END'
model: transolver
args: {variant: structured_2d, space_dim: 2, fun_dim: 1, out_dim: 1, n_hidden: 16, n_layers: 2, n_head: 2, slice_num: 6, mlp_ratio: 1, dropout: 0.1}
data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 20, batch: 4, lr: 1e-3, eval_every: 10, eval_frames: 4, save_every: 10, log_every: 1, noise: 0.01, loss_derivative: 0.1, loss_ring: true}
END
# RANKS DOMAIN: into run-RANKS-DOMAIN
for shape in "1 1" "2 1" "2 2" "4 2" "3 3" "4 4"; do
  # shellcheck disable=SC2086 # two numbers
  set -- $shape
  ranks "$1" train tiny.yaml --out "run-$1-$2" --domain "$2" 2>err || { complain "training on $1 ranks, domains of $2"; cat err >&2; }
  # loss of each step, validation scores where there are some: 1e-5 relative, rounding of 20 steps of a float network
  paste -d, run-1-1/log.csv "run-$1-$2/log.csv" | awk -F, '
    function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-5 * (a < 0 ? -a : a) }
    NR > 1 && (far($4, $(4 + NF / 2)) || far($10, $(10 + NF / 2)) || far($12, $(12 + NF / 2)) || $1 != $(1 + NF / 2)) { bad = 1 }
    END { exit bad || NR != 21 }' || complain "$1 ranks in domains of $2 do not learn like one"
done

# a run of shared ranks goes on alone, and a lone one on shared ranks: both end like one that was never cut. The rate is constant,
# since a schedule would know of the shorter first half
constant="--set train.schedule=constant"
# shellcheck disable=SC2086 # two words
{
  ranks 1 train tiny.yaml --out uncut $constant 2>err || { complain "training without a cut"; cat err >&2; }
  ranks 2 train tiny.yaml --out first --domain 2 $constant --set train.steps=10 2>err || { complain "the first half on two ranks"; cat err >&2; }
  ranks 1 train tiny.yaml --out second $constant --set train.steps=10 2>err || { complain "the first half alone"; cat err >&2; }
  ranks 1 train tiny.yaml --out first --resume $constant 2>err || { complain "resuming alone"; cat err >&2; }
  ranks 3 train tiny.yaml --out second --resume --domain 3 $constant 2>err || { complain "resuming on three ranks"; cat err >&2; }
}
for run in first second; do
  paste -d, uncut/log.csv $run/log.csv | awk -F, '
    function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-5 * (a < 0 ? -a : a) }
    NR > 1 && (far($4, $(4 + NF / 2)) || $1 != $(1 + NF / 2)) { bad = 1 }
    END { exit bad || NR != 21 }' || complain "the resumed run '$run' does not learn like the uncut one"
done

for shape in "1 1" "2 2" "4 2" "3 1"; do
  # shellcheck disable=SC2086
  set -- $shape
  ranks "$1" rollout run-1-1 -d data.hdf5 -o "out-$1-$2.hdf5" -c --domain "$2" >"out-$1-$2.txt" 2>err ||
    { complain "rollout on $1 ranks, domains of $2"; cat err >&2; }
  "$program" info "out-$1-$2.hdf5" | sed -n '/^  trajectories/,/^  channels/p' >"axes-$1-$2"
  cmp -s axes-1-1 "axes-$1-$2" || complain "rollout on $1 ranks in domains of $2 writes other axes"
  # VRMSE of the model and of persistence at each lead time: 1e-3 relative, for four printed digits
  head -10 "out-$1-$2.txt" | awk 'NR > 3 { print $1, $2, $3 }' >"table-$1-$2"
  paste -d' ' table-1-1 "table-$1-$2" | awk '
    function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-3 * a }
    far($2, $5) || far($3, $6) || $1 != $4 || NF != 6 { bad = 1 } END { exit bad || NR < 4 }' ||
    complain "rollout on $1 ranks in domains of $2 has other errors"
done

# the other models that drop something: the masks of three ranks are those of one
small="data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 3, batch: 2, lr: 1e-3, eval_every: 0, save_every: 0, log_every: 1}"
fno="args: {n_modes: [4, 4], in_channels: 1, out_channels: 1, hidden_channels: 8, n_layers: 2, channel_mlp_dropout: 0.2, domain_padding: [0.2]}"
fourier_mixer="args: {dim: 8, depth: 2, dropout: 0.2}"
mano="args: {image_size: 32, channels: 1, dim: 8, depth: 2, heads: 2, dim_head: 8, mlp_dim: 16, att_dropout: 0.2, emb_dropout: 0.2}"
gnot="args: {variant: moe, trunk_size: 3, branch_sizes: [3], space_dim: 2, output_size: 1, n_hidden: 16, n_layers: 1, n_head: 2, n_experts: 2, n_inner: 2, mlp_layers: 1, attn_dropout: 0.2, ffn_dropout: 0.2}"
for model in fno fourier_mixer mano gnot; do
  eval "args=\$$model"
  printf 'model: %s\n%s\n%s\n' $model "$args" "$small" >$model.yaml
  for n in 1 3; do
    ranks $n train $model.yaml --out $model-$n --domain $n 2>err || { complain "$model with dropout on $n ranks"; cat err >&2; }
  done
  paste -d, $model-1/log.csv $model-3/log.csv | awk -F, '
    function far(a, b) { d = a - b; if (d < 0) d = -d; return d > 1e-5 * (a < 0 ? -a : a) }
    NR > 1 && far($4, $(4 + NF / 2)) { bad = 1 } END { exit bad || NR != 4 }' || complain "$model drops other numbers on three ranks"
done

ranks 2 train tiny.yaml --out x --domain 3 >log 2>&1 && complain "2 ranks form domains of 3"
grep -q "must be a multiple" log || complain "the message about domains of 3 is missing"
exit $failed
