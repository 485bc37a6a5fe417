#!/bin/bash
# fieldcast submit --cpus-per-task 16 --time 1-00:00:00 --mem 32G --sweep seed=1..4 --program fieldcast --dry-run -- solve km2d-256 -o 'km-{seed}.hdf5' --set 'seed={seed}'
#SBATCH --job-name=solve
#SBATCH --output=solve-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --array=0-3
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --time=1-00:00:00
#SBATCH --mem=32G
#SBATCH --signal=USR1@120
#SBATCH --requeue

export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
case $SLURM_ARRAY_TASK_ID in
0) set -- km2d-256 -o km-1.hdf5 --set seed=1 ;;
1) set -- km2d-256 -o km-2.hdf5 --set seed=2 ;;
2) set -- km2d-256 -o km-3.hdf5 --set seed=3 ;;
3) set -- km2d-256 -o km-4.hdf5 --set seed=4 ;;
esac
srun --mpi=pmix --cpus-per-task="$OMP_NUM_THREADS" --wait=20 fieldcast solve --resume "$@"
code=$?
# 85: stopped in time, the checkpoint is written, the next run goes on from it
if [ $code -eq 85 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 1000 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit $code
