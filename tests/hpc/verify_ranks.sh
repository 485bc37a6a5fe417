#!/bin/sh
# Reference cases whose points or grids 2, 3 and 4 ranks share agree as they do in serial. Silent when right.
set -u
program=${FC_PROGRAM:?}
golden=${FC_SOURCE_DIR:?}/tests/golden
command -v mpirun >/dev/null || exit 0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
failed=0
complain() { echo "verify_ranks.sh: $*" >&2; failed=1; }

cases="mano-a mano-b mano-c pde-transformer-a pde-transformer-sc-restated factformer-a factformer-b factformer-c factformer-e ifactformer-m-b ifactformer-m-d transolver-a transolver-b transolver-c transolver-d transolver-g \
  fno-a fno-b fno-c fno-d fno-e fno-f gnot-b gnot-d gnot-e"
cd "$golden" || exit 1
for ranks in 2 3 4; do
  mpirun --allow-run-as-root --oversubscribe -n $ranks "$program" verify --domain $ranks $cases >"$out" 2>&1 ||
    complain "a case differs on $ranks ranks"
  for case in $cases; do
    grep -q "^ok  *$case " "$out" || { complain "$ranks ranks: $case"; cat "$out" >&2; }
  done
done
exit $failed
