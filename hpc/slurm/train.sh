#!/bin/bash
# fieldcast submit examples/recipes/transolver-darcy.yaml --nodes 2 --ntasks-per-node 2 --cpus-per-task 16 --time 12:00:00 --setup 'module load openmpi hdf5' --program fieldcast --dry-run
#SBATCH --job-name=transolver-darcy
#SBATCH --output=runs/transolver-darcy/slurm.log
#SBATCH --open-mode=append
#SBATCH --nodes=2
#SBATCH --ntasks=4
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=16
#SBATCH --time=12:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue

module load openmpi hdf5
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
srun --mpi=pmix --cpus-per-task="$OMP_NUM_THREADS" --wait=20 fieldcast train examples/recipes/transolver-darcy.yaml --resume --out runs/transolver-darcy
code=$?
# 85: stopped in time, the checkpoint is written, the next run goes on from it
if [ $code -eq 85 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 1000 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
