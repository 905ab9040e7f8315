#!/bin/sh
# build.sh SOURCE LIBRARY COMPILER FLAGS...: mbedTLS with our config.h as one static library.
set -eu
source=$(cd "$1" && pwd)
library=$2
shift 2
config=$(cd "$(dirname "$0")" && pwd)/config.h
objects=$library.objects

rm -rf "$objects" "$library"
mkdir -p "$objects"
(
  cd "$objects"
  find "$source/library" -name '*.c' -print0 | xargs -0 -P 2 -n 8 "$@" -c \
    -I"$source/include" -I"$source/library" -DMBEDTLS_CONFIG_FILE="\"$config\""
)
ar=$("$1" -print-prog-name=ar)
"$ar" rcs "$library.new" "$objects"/*.o
mv "$library.new" "$library"
