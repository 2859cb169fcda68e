# What the checks of programs are made of, to be sourced: they run one after the other and print a line each.
# Its script has set ADDRESS and PREFIX.

readonly PATIENCE=30 # seconds for what must come true sooner or later
readonly LENGTH=500  # of what is printed of an error

WORK=$(mktemp -d "${TMPDIR:-/tmp}/rio-clients.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
failed=0

# check NAME COMMAND... runs a command, in a shell of its own where any failing command is the end.
check() {
	local name=$1 code
	(
		set -euo pipefail
		trap 'kill -KILL $(jobs -p) 2>/dev/null || true' EXIT # of what runs in the background nothing is left
		"${@:2}"
	) >"$WORK/log" 2>&1
	code=$?
	if ((code == 0)); then
		echo "ok $name"
	else
		failed=1
		echo "FAILED $name: $(tail -n 5 "$WORK/log" | tr '\n\t' '  ' | tail -c "$LENGTH")"
		cat "$WORK/log" >&2
	fi
}

# equal GOT WANT WHAT
equal() {
	[[ $1 == "$2" ]] || { echo "$3: got ${1@Q}, want ${2@Q}" && return 1; }
}

# contains TEXT REGEX WHAT
contains() {
	grep -qE -- "$2" <<<"$1" || { echo "$3: nothing like '$2' in: $1" && return 1; }
}

# eventually WHAT COMMAND... runs the command until it succeeds.
eventually() {
	local deadline=$((SECONDS + PATIENCE))
	until "${@:2}" >"$WORK/answer" 2>&1; do
		((SECONDS < deadline)) || { echo "after $PATIENCE s: $1; last: $(<"$WORK/answer")" && return 1; }
		sleep 0.1
	done
}
