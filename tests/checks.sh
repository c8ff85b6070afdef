#!/bin/sh
# checks.sh format|tidy|man|shell -- what is the same for every build, one
# check a call, over every file that git knows or would add.
# shellcheck disable=SC2046
cd "$(dirname "$0")/.." || exit 2
files() { git ls-files --cached --others --exclude-standard -- "$@"; }
case ${1-} in
format) exec clang-format --dry-run -Werror $(files '*.c' '*.h') ;;
tidy)
	out=$(run-clang-tidy -quiet -p build 2>&1) && exit 0
	echo "$out" | grep -E 'error:|warning:' || echo "$out" | tail -20
	exit 1
	;;
man)
	status=0
	for page in $(files '*.[1-8]'); do
		mandoc -T lint -W warning "$page" || status=1
	done
	exit $status
	;;
shell)
	exec shellcheck -S warning -e SC2154,SC2034,SC2120 $(files '*.sh') \
	    tests/run tests/fuzz/run tests/bench/run .ci/run contrib/quickstart contrib/install-needed
	;;
esac
echo "usage: tests/checks.sh format|tidy|man|shell" >&2
exit 64
