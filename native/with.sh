#!/bin/sh
# with.sh "TOOLS" "PACKAGES" COMMAND...: runs the command if the tools are there, else
# names the Debian packages that bring them and fails. With SKIP_MISSING=1, for
# machines that cannot have them, it says so and succeeds instead. A tool
# "source:SUITE" is Debian's source of mbedTLS, fetched once to ../build/mbedtls/SUITE.
set -u
tools=$1
packages=$2
shift 2

give_up() {
  if [ -n "${SKIP_MISSING:-}" ]; then
    echo "skipped: $1" >&2
    exit 0
  fi
  echo "$1" >&2
  exit 1
}

missing=
for tool in $tools; do
  case $tool in
  source:*) ;;
  *) command -v "$tool" >/dev/null || missing="$missing $tool" ;;
  esac
done
[ -z "$missing" ] || give_up "missing:$missing. Install with: sudo apt-get install -y $packages"

for tool in $tools; do
  case $tool in
  source:*)
    suite=${tool#source:}
    directory=../build/mbedtls/$suite
    [ -e "$directory/version" ] || sh mbedtls/fetch.sh "$suite" "$directory" ||
      give_up "Debian's source of mbedTLS ($suite) cannot be had"
    ;;
  esac
done
exec "$@"
