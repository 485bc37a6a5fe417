#!/bin/bash
# fieldcast submit examples/ett/patchtst.yaml --sweep train.lr=1e-4,3e-4 --sweep train.seed=1..3 --array-limit 4 --cpus-per-task 8 --time 2:00:00 --out runs/patchtst-sweep --program fieldcast --dry-run
#SBATCH --job-name=patchtst-sweep
#SBATCH --output=runs/patchtst-sweep/slurm-%1a.log
#SBATCH --open-mode=append
#SBATCH --array=0-5%4
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --time=2:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue

export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
case $SLURM_ARRAY_TASK_ID in
0) set -- --out runs/patchtst-sweep/0-lr=1e-4_seed=1 --set train.lr=1e-4 --set train.seed=1 ;;
1) set -- --out runs/patchtst-sweep/1-lr=1e-4_seed=2 --set train.lr=1e-4 --set train.seed=2 ;;
2) set -- --out runs/patchtst-sweep/2-lr=1e-4_seed=3 --set train.lr=1e-4 --set train.seed=3 ;;
3) set -- --out runs/patchtst-sweep/3-lr=3e-4_seed=1 --set train.lr=3e-4 --set train.seed=1 ;;
4) set -- --out runs/patchtst-sweep/4-lr=3e-4_seed=2 --set train.lr=3e-4 --set train.seed=2 ;;
5) set -- --out runs/patchtst-sweep/5-lr=3e-4_seed=3 --set train.lr=3e-4 --set train.seed=3 ;;
esac
srun --mpi=pmix --cpus-per-task="$OMP_NUM_THREADS" --wait=20 fieldcast train examples/ett/patchtst.yaml --resume "$@"
code=$?
# 85: stopped in time, the checkpoint is written, the next run goes on from it
if [ $code -eq 85 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 1000 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit $code
