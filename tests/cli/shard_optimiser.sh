#!/bin/sh
# train.shard_optimiser: on 2, 3 and 4 ranks the same losses, validation scores (with the averaged weights) and weights as without
# it, byte for byte; a run that is cut goes on with it, without it and on other ranks alike; plans count less. Silent when right.
. tests/cli/helpers
train() { # RANKS FOLDER ARGUMENTS..
  n=$1 out=$2
  shift 2
  ranks "$n" train tiny.yaml --out "$out" "$@" 2>err || { complain "training $out on $n ranks"; cat err >&2; }
}

"$program" -q solve demo-ns2d -o data.hdf5 --set n=16 --set n_traj=5 --set frames=8 --set t_skip=1 >/dev/null ||
  { complain "cannot make data"; exit 1; }
# mlp_ratio: tensors of more than one of the pieces in which the optimiser goes through the weights
cat >tiny.yaml <<'END'
model: transolver
args: {variant: structured_2d, space_dim: 2, fun_dim: 1, out_dim: 1, n_hidden: 32, n_layers: 2, n_head: 2, slice_num: 6, mlp_ratio: 20}
data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 8, batch: 4, lr: 1e-3, ema: 0.9, eval_every: 4, eval_frames: 4, save_every: 4, log_every: 1, group_lr: [mlp2=2]}
END
# losses, norms and scores to the last digit (columns after 13: memory and time), the last weights and their average byte for byte
same() { # FOLDER FOLDER
  for run in "$1" "$2"; do
    cut -d, -f1-13 "$run/log.csv" >"$run/facts"
    for file in checkpoint best; do
      "$program" export "$run/$file.h5" -o "$run/$file.safetensors" >/dev/null || complain "export of $run/$file.h5"
      "$program" export --raw "$run/$file.h5" -o "$run/$file-raw.safetensors" >/dev/null || complain "export of $run/$file.h5"
    done
  done
  for file in facts checkpoint.safetensors checkpoint-raw.safetensors best.safetensors best-raw.safetensors; do
    cmp -s "$1/$file" "$2/$file" || complain "$1 and $2 differ in $file"
  done
}
for n in 2 3; do
  train "$n" "whole$n"
  train "$n" "parts$n" --set train.shard_optimiser=true
  same "whole$n" "parts$n"
done
train 4 whole4 --domain 2
train 4 parts4 --domain 2 --set train.shard_optimiser=true
same whole4 parts4

# steps 1 to 4 shared by two ranks or not, 5 to 8 on two or three ranks with it or without: four of each four end alike
for shard in true false; do train 2 cut-$shard --set train.steps=4 --set train.schedule=constant --set train.shard_optimiser=$shard; done
same cut-true cut-false
for n in 2 3; do
  for begun in true false; do
    for shard in true false; do
      cp -r cut-$begun "$n-$begun-$shard"
      train "$n" "$n-$begun-$shard" --resume --set train.steps=8 --set train.schedule=constant --set train.shard_optimiser=$shard
      [ "$begun-$shard" = true-true ] || same "$n-true-true" "$n-$begun-$shard"
    done
  done
done

# a plan on three ranks: the optimiser takes about a third
for shard in true false; do
  ranks 3 train tiny.yaml --plan --set args.n_hidden=128 --set train.shard_optimiser=$shard 2>/dev/null | awk '$1 == "optimiser" { print $2 }' >plan-$shard
done
paste plan-true plan-false | awk '$1 > 0.3 * $2 && $1 < 0.4 * $2 { good = 1 } END { exit !good }' || complain "a plan does not tell that the optimiser is shared"
"$program" plan tiny.yaml --grid 16x16 --ranks 4 --domain 1 --set args.n_hidden=256 --set train.ema=0 >table-false || complain "plan fails"
"$program" plan tiny.yaml --grid 16x16 --ranks 4 --domain 1 --set args.n_hidden=256 --set train.ema=0 --set train.shard_optimiser=true >table-true ||
  complain "plan fails with a shared optimiser"
# 8 million weights: moments of 61 MiB, of which four ranks hold a quarter each
paste table-true table-false | awk '$1 == 4 { good = $22 - $10 > 40 && $22 - $10 < 50 } END { exit !good }' ||
  { complain "fieldcast plan does not tell that the optimiser is shared"; cat table-true table-false >&2; }
exit $failed
