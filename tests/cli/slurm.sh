#!/bin/sh
# Jobs in a real SLURM that the test starts for itself: a training on two ranks that gets SIGUSR1, requeues itself and goes
# on ends like one that was left alone, bit for bit; the array of a sweep makes a folder for each task. Silent when right.
. tests/cli/cluster
if why=$(cluster_missing); then
  echo "slurm.sh: skipped, $why"
  exit 77
fi
. tests/cli/helpers
trap 'cluster_end; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cluster_start "$folder/cluster" || { complain "SLURM does not start"; tail "$folder"/cluster/*.log >&2; exit 1; }
export OMPI_MCA_mpi_yield_when_idle=1 # other tests and other jobs want the cores too

"$program" -q solve demo-ns2d -o data.hdf5 --set n=32 --set n_traj=5 --set frames=12 --set t_skip=1 >/dev/null ||
  complain "cannot make data"
cat >tiny.yaml <<'END_OF_FILE'
model: factformer
args: {variant: kolmogorov2d, in_time_window: 3, max_latent_steps: 2, dim: 16, depth: 1, heads: 2, dim_head: 8}
data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 150, batch: 4, lr: 1e-3, eval_every: 50, eval_frames: 4, log_every: 1, noise: 0.01}
job: {ntasks: 2, time: 5}
END_OF_FILE

# submit NAME OPTION...: the number of the job in $job
submit() {
  name=$1
  shift
  "$program" submit tiny.yaml --out "$name" "$@" >out 2>err || { complain "'$name' is not submitted"; cat err >&2; }
  job=$(sed -n 's/^job \([0-9]*\),.*/\1/p' out)
}
# wait_for SECONDS COMMAND...: false if it does not come true
wait_for() {
  tries=$(($1 * 10))
  shift
  while ! "$@" && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
  [ $tries -gt 0 ] || { complain "waited in vain: $*"; squeue >&2; tail -n 5 ./*/slurm*.log >&2; return 1; }
}
ended() { [ -z "$(squeue -h -j "$1" -o %T 2>/dev/null)" ] || [ "$(squeue -h -j "$1" -t all -o %T)" = COMPLETED ]; }
pending() { [ "$(squeue -h -j "$1" -o %T)" = PENDING ]; }
trains() { [ -f "$1/log.csv" ] && [ "$(wc -l <"$1/log.csv")" -gt 5 ]; }

expect 0 "" "$program" submit tiny.yaml --test-only
say "to start at"
expect 2 "sbatch refuses the job:.*artition" "$program" submit tiny.yaml --out refused --partition nowhere
[ -e refused ] && complain "a refused job has left its folder"

submit sweep --sweep seed=1..3 --ntasks 1 --set train.steps=2
sweep=$job
submit whole
whole=$job

# ---- a signal, the queue, and on ----
cut="it's cut"
submit "$cut" --requeue true
wait_for 60 trains "$cut" && scancel --signal=USR1 "$job"
wait_for 30 pending "$job"
[ -s "$cut/checkpoint.h5" ] || complain "the signal left no checkpoint"
# it would wait for two minutes; in the second in which it was requeued, the node refuses it
scontrol update JobId="$job" StartTime=now+3
wait_for 60 ended "$job"
wait_for 60 ended "$whole"
grep -q "stopped by signal 10" "$cut/slurm.log" || complain "the log does not tell of the signal"
grep -q "goes on from step" "$cut/slurm.log" || complain "the second run does not append to the log of the first"
grep -q "before 2[0-9][0-9] s are over" "$cut/slurm.log" || complain "the limit of the job was not found"
for run in whole "$cut"; do
  "$program" export "$run/checkpoint.h5" --raw -o "$run.safetensors" >/dev/null || complain "no weights of $run"
done
cmp -s whole.safetensors "$cut.safetensors" || complain "the requeued job ends with other weights"
[ "$(wc -l <"$cut/log.csv")" -eq 151 ] || complain "the log of the requeued job has $(wc -l <"$cut/log.csv") lines"

# ---- the array ----
wait_for 60 ended "$sweep"
for task in 0 1 2; do
  run=sweep/$task-seed=$((task + 1))
  [ -s "$run/checkpoint.h5" ] || complain "task $task has no run in $run"
  grep -q "seed: $((task + 1)) " "$run/config.yaml" || complain "task $task has another seed"
  [ -s "sweep/slurm-$task.log" ] || complain "task $task has no log"
done
# one task requeues itself, the others run on; what is cancelled writes a checkpoint and stays out of the queue
submit endless --sweep seed=1..2 --ntasks 1 --set train.steps=100000000 --set train.eval_every=0
wait_for 60 trains endless/0-seed=1 && wait_for 60 trains endless/1-seed=2
scancel --signal=USR1 "${job}_1"
wait_for 30 pending "${job}_1"
[ "$(squeue -h -j "${job}_0" -o %T)" = RUNNING ] || complain "one task of an array requeued another one"
scancel "$job"
gone() { [ -z "$(squeue -h -j "$job" -o %T 2>/dev/null)" ]; }
wait_for 30 gone
grep -q "stopped by signal 15" endless/slurm-0.log || complain "a cancelled job does not write a checkpoint"

[ $failed = 0 ] || tail -n 20 ./*/slurm*.log >&2
exit $failed
