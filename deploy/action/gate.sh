#!/usr/bin/env bash
# Runs `aibench gate` with what the action was given, and hands verdict and result on. AIBENCH names the program in tests.
set -euo pipefail

if [[ "$UNDECIDED" != fail && "$UNDECIDED" != pass ]]; then
  echo "::error::undecided must be fail or pass, not $UNDECIDED"
  exit 2
fi

arguments=(gate --policy "$POLICY" --github --json)
while IFS= read -r file; do
  [[ -n "$file" ]] && arguments+=(--baseline "$file")
done <<< "$BASELINE"
[[ -n "$JUNIT" ]] && arguments+=(--junit "$JUNIT")
candidates=()
while IFS= read -r file; do
  [[ -n "$file" ]] && candidates+=("$file")
done <<< "$CANDIDATE"

if [[ -n "${AIBENCH:-}" ]]; then
  program=("$AIBENCH")
else
  program=(npx --yes "aibench@$VERSION")
fi

result="$RUNNER_TEMP/aibench-gate-$$.json"
status=0
"${program[@]}" "${arguments[@]}" -- "${candidates[@]}" > "$result" || status=$?

case "$status" in
  0) verdict=PASS ;;
  1) verdict=FAIL ;;
  3) verdict=$(grep -q '^  "verdict": "UNFIT"' "$result" && echo UNFIT || echo INCONCLUSIVE) ;;
  *) exit "$status" ;;
esac
{
  echo "verdict=$verdict"
  echo "result=$result"
} >> "$GITHUB_OUTPUT"

if [[ "$status" == 3 && "$UNDECIDED" == pass ]]; then
  echo "::warning title=aibench gate::$verdict: nothing is proven either way"
  exit 0
fi
exit "$status"
