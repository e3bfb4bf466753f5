#!/bin/sh
# Builds the native tests with AddressSanitizer + UndefinedBehaviorSanitizer, then with ThreadSanitizer, and runs them
# for every instruction set that this machine has.
#
#   tests/native/run_sanitizers.sh [build folder]
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/sanitizers}

has() { grep -qw "$1" /proc/cpuinfo 2>/dev/null; }
sets=baseline
if has avx2; then sets="$sets avx2"; fi
if has avx512vl; then sets="$sets avx512"; fi

build_with() {
  cmake -S "$root" -B "$build/$1" -DCHAINRULE_PYTHON=OFF -DCHAINRULE_TESTS=ON -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_CXX_FLAGS="-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all $2" >/dev/null
  shift 2
  cmake --build "$build/$sanitizer" --parallel "${JOBS:-2}" --target "$@" >/dev/null
}

sanitizer=address
kernels=""
for set in $sets; do kernels="$kernels test_kernels_$set"; done
# shellcheck disable=SC2086
build_with address "-fsanitize=address,undefined" test_runtime $kernels
for set in $sets; do
  echo "address, undefined: $set"
  "$build/address/tests/native/test_kernels_$set"
  CHAINRULE_ISA=$set "$build/address/tests/native/test_runtime"
done

sanitizer=thread
build_with thread "-fsanitize=thread" test_runtime
for set in $sets; do
  echo "thread: $set"
  CHAINRULE_ISA=$set "$build/thread/tests/native/test_runtime" --short
done
echo "sanitizers: clean"
