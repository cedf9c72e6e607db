#!/bin/sh
# Starts the aibench of this folder with the Node of this folder. Works from any folder and through symbolic links.
case $0 in
  */*) self=$0 ;;
  *) self=./$0 ;;
esac
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=${self%/*}/$target ;;
  esac
done
home=$(cd "${self%/*}" && pwd -P) || exit 1
refuse() {
  echo "aibench: this bundle runs on Linux on x86-64 with glibc @GLIBC@ or later and libstdc++; $1." >&2
  echo "Build a bundle on a system as old as this one: npm ci && npm run build && npm run bundle." >&2
  exit 3
}
[ -e /lib64/ld-linux-x86-64.so.2 ] || refuse "here is another system or another C library"
if have=$(getconf GNU_LIBC_VERSION 2>/dev/null); then
  have=${have#glibc 2.}
  [ "${have%%.*}" -ge "@MINOR@" ] 2>/dev/null || refuse "here is glibc 2.$have"
fi
exec "$home/node/node" "$home/app/bin/aibench.js" "$@"
