#!/bin/sh
# fieldcast submit as a user calls it where there is no SLURM: scripts, quoting, mistakes; a stand-in for sbatch and squeue
# shows what they are given. And training that ends in time by itself. Silent when right.
source=$PWD
. tests/cli/helpers

# ---- the templates are what the command prints ----
ln -s "$source/examples" examples
for template in "$source"/hpc/slurm/*.sh; do
  line=$(sed -n '2s/^# fieldcast //p' "$template")
  eval "'$program' -q $line" >out 2>err || { complain "$template: $(cat err)"; continue; }
  cmp -s out "$template" || { complain "$template is not what its second line makes"; diff out "$template" >&2; }
done

cat >tiny.yaml <<'END_OF_FILE'
model: factformer
args: {variant: kolmogorov2d, in_time_window: 3, max_latent_steps: 2, dim: 16, depth: 1, heads: 2, dim_head: 8}
data: {train: data.hdf5, valid_fraction: 0.2}
train: {steps: 12, batch: 3, lr: 1e-3, eval_every: 4, eval_frames: 4, log_every: 1, noise: 0.01}
job:
  ntasks: 2
  time: 1:30:00
  setup: |
    module load openmpi
END_OF_FILE
submit() { "$program" -q submit tiny.yaml --program fieldcast "$@"; }

# ---- mistakes ----
expect 2 "unknown option 'job.ntask'.*nearest is 'job.ntasks'" submit --set job.ntask=2 --dry-run
expect 2 "unknown option 'nonsense'.*nearest is" submit --sweep nonsense=1,2 --dry-run
expect 2 "unknown option '--partitions'; nearest is --partition" submit --partitions=x
expect 2 "job.time = 1 hour" submit --time "1 hour"
expect 2 "job.time = 1:2:3:4" submit --time 1:2:3:4
expect 2 "ntasks = two (--ntasks): a whole number" submit --ntasks two
expect 2 "job.signal = 120.*before its start" submit --time 2
expect 2 "train.batch = 3 is less than one for each of 4 ranks" submit --ntasks 4
expect 2 "train.domain = 2 does not divide the 3 ranks" submit --ntasks 3 --set train.domain=2
expect 2 "job.nodes = 3 is more than one node for each of 2" submit --nodes 3
expect 2 "does not fit on job.nodes = 1" submit --nodes 1 --ntasks-per-node 1 --ntasks 3
expect 2 "job.mem = lots" submit --mem lots
expect 2 "exclude each other" submit --mem 1G --mem-per-cpu 1G
expect 2 "'exclusive' is no option of sbatch" submit --extra exclusive
expect 2 "seed= is empty" submit --sweep seed=
expect 2 "value 2 is empty" submit --sweep seed=1,,2
expect 2 "is empty: the first number" submit --sweep seed=5..1
expect 2 "1e-3 is there twice" submit --sweep lr=1e-3,1e-3
expect 2 "lr is given twice" submit --sweep lr=1e-3 --sweep lr=1e-4
expect 2 "write --sweep key=a,b,c" submit --sweep lr
expect 2 "train.lr = -1" submit --sweep lr=1e-3,-1
expect 2 "more than 10000" submit --sweep seed=1..20000
expect 2 "changes the job itself" submit --sweep job.mem=1G,2G
expect 2 "nothing.yaml" "$program" submit nothing.yaml
expect 2 "there is no command 'sove'" "$program" submit -- sove x
expect 2 "no {seed}" "$program" submit --sweep seed=1,2 -- solve demo-ns2d -o x.hdf5
expect 2 "submits a training" "$program" submit -- train tiny.yaml
expect 2 "at least 1\|wants 1 argument" "$program" submit
mkdir -p old/run taken/1-seed=2
: >old/checkpoint.h5
expect 2 "old already holds a run" submit --out old
expect 2 "taken/1-seed=2 is there already" submit --out taken --sweep seed=1..3
[ -e runs ] && complain "a refused job has left files"
expect 0 "" "$program" submit --help
for word in --ntasks-per-node --cpus-per-task --sweep --mail-user "default 120"; do say "$word"; done
for option in $(sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' out); do
  [ $option = --help ] && continue
  grep -q -e "\`$option[\` ]" "$source/docs/slurm.md" || complain "docs/slurm.md does not tell of $option"
done

# ---- stand-ins: sbatch keeps what it gets, squeue says how long the job has ----
mkdir bin
cat >bin/sbatch <<'END_OF_FILE'
#!/bin/sh
echo "$*" >sbatch.args
cat >sbatch.script
[ -e refuse ] && { echo "sbatch: error: Batch job submission failed: Invalid account" >&2; exit 1; }
echo 17
END_OF_FILE
cat >bin/srun <<'END_OF_FILE'
#!/bin/sh
for word; do printf '[%s]' "$word"; done
echo
END_OF_FILE
cat >bin/squeue <<'END_OF_FILE'
#!/bin/sh
echo "$*" >squeue.args
case $ENDS in
[0-9]*) left=$((ENDS - $(date +%s))) && echo 0:$((left > 0 ? left : 0)) ;;
*) echo "$ENDS" ;;
esac
END_OF_FILE
chmod +x bin/*
saved=$PATH
PATH=$folder/bin:$PATH

# names that mean something to a shell reach the program as they are
odd="it's 50% of \$HOME \"x\""
expect 0 "" submit --out "$odd" --set "data.train=a b/\$(date)'\".hdf5"
say "^job 17, it's 50%"
[ "$(cat sbatch.args)" = --parsable ] || complain "sbatch is called with $(cat sbatch.args)"
cmp -s sbatch.script "$odd/job.sh" && cmp -s tiny.yaml "$odd/job.yaml" || complain "the run folder does not keep the job"
grep -qxF "#SBATCH --output=\"it's 50%% of \$HOME \\\"x\\\"/slurm.log\"" sbatch.script || complain "the log's name is quoted wrongly"
bash sbatch.script >out 2>/dev/null
grep -qF "[train][$odd/job.yaml][--resume][--set][data.train=a b/\$(date)'\".hdf5][--out][$odd]" out ||
  { complain "the words of the command are quoted wrongly"; cat out >&2; }
expect 2 "already holds a job" submit --out "$odd"

# a sweep: one folder and one set of values for each task; the script requeues one task, not the array
expect 0 "" submit --out sweep --sweep "space_stride=[1,1],[2,2]" --sweep batch=2,3
say "^job 17, 4 tasks"
SLURM_ARRAY_TASK_ID=2 bash sbatch.script >out 2>/dev/null
say "sweep/2-space_stride=-2-2-_batch=2\]\[--set\]\[space_stride=\[2,2\]\]"
expect 0 "" submit --out sweep2 --sweep lr=1e-3,1e-4 --sweep seed=1..3
say "^job 17, 6 tasks, sweep2, output in sweep2/slurm-%1a.log"
[ "$(sed -n 5p sweep2/sweep.csv)" = "3,1e-4,1,sweep2/3-lr=1e-4_seed=1" ] || complain "sweep.csv is wrong: $(cat sweep2/sweep.csv)"
SLURM_ARRAY_TASK_ID=4 bash sbatch.script >out 2>/dev/null
say "\[--out\]\[sweep2/4-lr=1e-4_seed=2\]\[--set\]\[lr=1e-4\]\[--set\]\[seed=2\]"
grep -qF 'scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"' sbatch.script || complain "a task would requeue its array"

# a solver goes on too where it writes a file; a key of a sweep fills a place
expect 0 "" "$program" submit --program fieldcast --time 10 --sweep seed=7..9 -- solve demo-ns2d -o "ns {seed}.hdf5" --set "seed={seed}"
SLURM_ARRAY_TASK_ID=1 bash sbatch.script >out 2>/dev/null
say "\[fieldcast\]\[solve\]\[--resume\]\[demo-ns2d\]\[-o\]\[ns 8.hdf5\]\[--set\]\[seed=8\]"
grep -q "scontrol requeue" sbatch.script && grep -q "signal=USR1" sbatch.script || complain "a job of a solver does not go on"
expect 2 "before its start" "$program" submit --time 1 -- solve demo-ns2d -o ns.hdf5
# other commands: no requeue, the log beside
expect 0 "" "$program" submit --program fieldcast --time 1 -- solve demo-ns2d --set seed=8
bash sbatch.script >out 2>/dev/null
say "\[fieldcast\]\[solve\]\[demo-ns2d\]\[--set\]\[seed=8\]"
grep -q "scontrol\|USR1" sbatch.script && complain "a job that cannot go on requeues itself"

# what sbatch says is told, and nothing is left
: >refuse
expect 2 "sbatch refuses the job: Batch job submission failed: Invalid account" submit --out refused
[ -e refused ] && complain "a refused job has left its folder"
expect 2 "cannot submit jobs; --dry-run" env PATH=/nowhere "$program" submit tiny.yaml --out refused

# ---- training ends in time ----
"$program" -q solve demo-ns2d -o data.hdf5 --set n=32 --set n_traj=5 --set frames=12 --set t_skip=1 >/dev/null ||
  complain "cannot make data"
long="--set train.steps=100000000"
expect 85 "stopped before the time limit" "$program" -q train tiny.yaml --out timed $long --max-seconds 1
[ -s timed/checkpoint.h5 ] || complain "a run that ended in time has no checkpoint"
# of the job it runs in, by its own number even where it is one task of an array: 12 s less ten of reserve
expect 85 "stopped before the time limit" env SLURM_JOB_ID=5 SLURM_ARRAY_JOB_ID=5 SLURM_ARRAY_TASK_ID=3 ENDS=$(($(date +%s) + 12)) "$program" -q train tiny.yaml --out timed --resume $long
grep -q -e "-j 5_3" squeue.args || complain "squeue is asked for $(cat squeue.args)"
expect 85 "stopped before the time limit" env SLURM_JOB_ID=5 SLURM_JOB_END_TIME=$(($(date +%s) + 12)) ENDS=INVALID "$program" -q train tiny.yaml --out timed --resume $long
expect 0 "" env SLURM_JOB_ID=5 ENDS=UNLIMITED "$program" -q train tiny.yaml --out free --set train.steps=3
"$program" -q train tiny.yaml --out timed --resume $long 2>err &
pid=$!
tries=0
lines=$(wc -l <timed/log.csv)
while [ "$(wc -l <timed/log.csv)" -le $lines ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -USR2 $pid
wait $pid
[ $? = 85 ] && grep -q "stopped by signal 12" err || complain "SIGUSR2 does not end a training with a checkpoint: $(cat err)"
expect 2 "in the past" "$program" -q train tiny.yaml --max-seconds -1
PATH=$saved
exit $failed
