#!/bin/sh
# tests/cli/verify.sh - the reference cases agree; damaged cases are told apart from differing ones.
set -u
cd "${FC_SOURCE_DIR:-.}" || exit 1
program=${FC_PROGRAM:-build/fieldcast}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "verify.sh: $*"; exit 1; }

"$program" verify tests/golden/*-? > "$work/out" || { cat "$work/out"; fail "a reference case differs"; }
[ "$(grep -c '^ok' "$work/out")" = "$(ls -d tests/golden/*-? | wc -l)" ] || fail "not one line a case"

# a weight that is off by one bit in its exponent must be noticed, exit code 1
cp -r tests/golden/factformer-c "$work/differs" && chmod -R u+w "$work/differs"
size=$(wc -c < "$work/differs/weights.safetensors")
printf '\377' | dd of="$work/differs/weights.safetensors" bs=1 seek=$((size - 1)) conv=notrunc 2> /dev/null
"$program" verify "$work/differs" > "$work/out" 2>&1
[ $? = 1 ] && grep -q '^DIFFER' "$work/out" || fail "a changed weight is not noticed: $(cat "$work/out")"

# missing and truncated files are exit code 2 and one line
cp -r tests/golden/factformer-c "$work/cut" && chmod -R u+w "$work/cut"
head -c 2000 tests/golden/factformer-c/case.h5 > "$work/cut/case.h5"
for broken in "$work/cut" "$work/nowhere"; do
  "$program" verify "$broken" > "$work/out" 2>&1
  [ $? = 2 ] && grep -q '^FAILED' "$work/out" || fail "$broken: $(cat "$work/out")"
done
exit 0
