#!/bin/sh
# Fails, naming the line, when an #include points the wrong way, when a
# foreign library has a second door, or when a banned function is called.
cd "$(dirname "$0")/.." || exit 2
status=0
bad() {
	# shellcheck disable=SC2086
	grep -nE "$1" $2 && { echo "^^^ $3"; status=1; }
}
ours='common/*.[ch] milter/*.[ch] mtqp/*.[ch]'
bad '#include +"(milter|mtqp|tests)/' 'common/*.[ch]' 'common/ must not know its users'
bad '#include +"(mtqp|tests)/' 'milter/*.[ch]' 'milter/ must not know mtqp/'
bad '#include +"(milter|tests)/' 'mtqp/*.[ch]' 'mtqp/ must not know milter/'
only() {
	for f in $(grep -lE "#include +[<\"]$1" $ours); do
		case " $2 " in *" $f "*) continue ;; esac
		echo "$f: $1 belongs in $2"; status=1
	done
}
only 'lmdb\.h' common/db_private.h
only 'libmilter/' milter/mtrk-milter.c
only 'openssl/' common/openssl.h
only 'common/openssl\.h' 'common/crypto.c common/tls_private.h'
only 'event2/' common/libevent.h
only 'common/libevent\.h' 'common/loop.c common/loop_source.c common/watch.c'
only 'ares\.h' common/dns.c
only 'idn2\.h' mtqp/host.c
only 'iconv\.h' mtqp/charset.c
only 'zlib\.h' milter/gz.c
only 'systemd/' milter/journal.c
only '(seccomp\.h|linux/landlock)' common/sandbox.c
bad '\b(gets|strcpy|strcat|sprintf|sscanf|strtok|atoi|strncpy|alloca|localtime|gmtime|strerror)\(' \
    "$ours" 'a banned function'
for f in $ours; do
	[ "$(wc -l <"$f")" -le 600 ] || { echo "$f: longer than 600 lines"; status=1; }
done
expected='CMakeLists.txt CMakePresets.json LICENSE README.md common contrib milter mtqp tests'
found=$(git ls-files 2>/dev/null | cut -d/ -f1 | grep -v '^\.' | sort -u | tr '\n' ' ')
[ -z "$found" ] || [ "$found" = "$expected " ] ||
    { echo "top level: $found"; status=1; }
exit $status
