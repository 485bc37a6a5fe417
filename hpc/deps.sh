#!/bin/sh
# hpc/deps.sh - installs the Debian 12 packages that are missing; silent and quick when nothing is.
# docs/architecture.md says what each is for. 'hpc/deps.sh slurm' adds a SLURM, which only tests/cli/slurm.sh needs.
set -eu
packages="gcc cmake make pkg-config libopenblas-pthread-dev libfftw3-dev libhdf5-openmpi-dev libopenmpi-dev
openmpi-bin libyaml-dev libjansson-dev libcairo2-dev liblzf-dev libcunit1-dev fonts-dejavu-core"
[ "${1:-}" = slurm ] && packages="$packages slurmctld slurmd slurm-client munge libpmix2"
missing=
for p in $packages; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "these packages are missing, and only root may install them:$missing" >&2
  echo "run: sudo apt-get install$missing" >&2
  exit 1
fi
echo "installing$missing"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /tmp/fieldcast-deps.log 2>&1 ||
  { cat /tmp/fieldcast-deps.log; exit 1; }
