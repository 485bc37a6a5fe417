#!/bin/sh
# fieldcast plan: a table with a row for each number of ranks, in which work and memory of a rank fall as ranks are added; one line
# and exit code 2 for what cannot be planned. Silent when right.
. tests/cli/helpers

cat >net.yaml <<'END'
model: transolver
args: {variant: irregular, space_dim: 2, fun_dim: 1, out_dim: 1, n_hidden: 16, n_layers: 2, n_head: 2, slice_num: 8}
data: {train: none.hdf5}
train: {batch: 4, accumulate: 1}
END
"$program" plan net.yaml --grid 400x300 --ranks 16 --nodes 4 >table 2>err || { complain "it fails"; cat err >&2; }
# ranks, nodes, domain, samples, step, compute, exchange, gradients, efficiency, MiB
awk '$1 ~ /^[0-9]+$/ && NF == 12 { rows++; if (rows > 1 && ($6 > 0.55 * compute || $10 > 0.6 * memory)) bad = 1
    if ($1 == 16 && ($2 != 4 || $3 != 16)) bad = 1; compute = $6; memory = $10 } END { exit bad || rows != 5 }' table ||
  { complain "the table is not what it should be"; cat table >&2; }
"$program" plan net.yaml --grid 400x30 --ranks 16 --nodes 4 --domain 2 >table 2>err || { complain "it fails with domains of 2"; cat err >&2; }
awk '$1 == 16 { good = $3 == 2 && $4 == 1 } END { exit !good }' table || complain "8 groups of 2 ranks do not take a sample each"
"$program" plan net.yaml --grid 8x300 --ranks 16 >table 2>err || complain "few lines are no reason to fail"
grep -q "no more than 8 ranks: the first axis of the grid of 8" table || complain "it does not say that 8 lines are too few for 16 ranks"

refuse() { # TEXT ARGUMENTS..
  text=$1
  shift
  "$program" plan "$@" >out 2>err
  [ $? = 2 ] || complain "exit code of: plan $*"
  if [ "$(wc -l <err)" != 1 ] || ! grep -q -- "$text" err; then complain "message of: plan $*"; cat err >&2; fi
}
refuse "wants --grid" net.yaml
refuse "--grid 4xy" net.yaml --grid 4xy
refuse "works on 2-dimensional fields" net.yaml --grid 8x8x8
refuse "5 ranks do not divide into 2 nodes" net.yaml --grid 8x8 --ranks 5 --nodes 2
refuse "bandwidths must be positive" net.yaml --grid 8x8 --bandwidth 0
refuse "unknown option" net.yaml --grid 8x8 --set train.btch=3
refuse "none.yaml" none.yaml --grid 8x8
exit $failed
