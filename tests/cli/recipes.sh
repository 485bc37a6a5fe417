#!/bin/sh
# Every configuration under examples/ is understood to the last key: without its data, the data is all that is missing.
set -u
program=${FC_PROGRAM:-build/fieldcast}
examples=$(cd "${FC_SOURCE_DIR:-.}/examples" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
n=0
for config in "$examples"/*/*.yaml; do
  data=data.train
  grep -q '^data:' "$config" || data="data.train=none.h5"
  case $data in
  data.train=*) "$program" train "$config" --plan --set "$data" >out 2>&1 ;;
  *) "$program" train "$config" --plan >out 2>&1 ;;
  esac
  code=$?
  n=$((n + 1))
  [ $code -eq 2 ] && [ "$(wc -l <out)" -eq 1 ] && grep -q "No such file" out && continue
  echo "recipes.sh: $config: exit code $code: $(head -2 out)" >&2
  failed=1
done
[ $n -ge 15 ] || { echo "recipes.sh: only $n configurations found" >&2; failed=1; }
exit $failed
