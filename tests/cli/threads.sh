#!/bin/sh
# Threads of each rank: a share of the cores, whatever the launcher bound, and no more than SLURM gives; what does not fit
# is told. Silent when right.
. tests/cli/helpers
unset OMP_NUM_THREADS OMP_PLACES OMP_PROC_BIND SLURM_JOB_ID
cores=$(nproc)
one=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/') # any core that this process may use
ranks() { # N COMMAND...: started by mpirun, bound to nothing
  n=$1
  shift
  mpirun --allow-run-as-root --oversubscribe --bind-to none -n "$n" "$@"
}
threads() { grep -q "threads of the first: $1\$" err || { complain "not $1 threads: $*"; cat err >&2; }; }

expect 0 "1 rank on this machine, $cores core" "$program" -v models
threads "$cores"
expect 0 "1 rank on this machine, 1 core" taskset -c "$one" "$program" -v models
threads 1
expect 0 "" env SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_CPUS_PER_TASK=1 "$program" -v models
threads 1
expect 0 "" env SLURM_JOB_ID=1 SLURM_CPUS_ON_NODE=1 "$program" -v models
threads 1
expect 0 "with up to 1000 threads on $cores core.*set OMP_NUM_THREADS=$cores" env OMP_NUM_THREADS=1000 "$program" models
expect 0 "" env OMP_NUM_THREADS=1000 "$program" -q models
[ -s err ] && complain "-q does not silence the warning about threads"

command -v mpirun >/dev/null || exit $failed
if [ "$cores" -ge 2 ]; then
  ranks 2 "$program" -v models >out 2>err
  threads $((cores / 2))
  grep -q "get in each other" err && complain "two ranks on $cores cores are said to be too many"
fi
ranks 2 taskset -c "$one" "$program" -v models >out 2>err
threads 1
grep -q "2 ranks share 1 core and wait for each other; start at most 1" err ||
  { complain "no warning about two ranks on one core"; cat err >&2; }
exit $failed
