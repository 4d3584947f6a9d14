#!/usr/bin/env bash
# Measures Ballast beside nginx, YARP and Portkey on this machine, over loopback, and prints the ratios with their targets. Linux with two cores or more.
#   ./bench.sh                 five interleaved rounds, about ten minutes with the set-up
#   ./bench.sh --rounds N      more or fewer
#   ./bench.sh --quick         one short round: shows that everything runs, judges nothing
#   ./bench.sh --json          one line of JSON instead of the table
#   ./bench.sh --profile       counts what runs how often, and writes it for ./publish (src/Ballast/profile.mibc; docs/performance.md), about two minutes
#   ./bench.sh --micro         in-process micro-benchmarks (BenchmarkDotNet) instead
# What is measured, and what is not claimed: docs/performance.md. The exit code is 1 where a target was missed, 0 otherwise.
set -uo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$ROOT/build/toolchain.sh"
[ "$CONFIGURATION" = Release ] || die "a debug build is not measured: unset BALLAST_CONFIGURATION"
BENCH=$ROOT/artifacts/bench
SCRATCH=$BENCH/run
ARGUMENTS=
MICRO=
PROFILE=

usage() { sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

while [ $# -gt 0 ]; do
    case $1 in
        --rounds) ARGUMENTS="$ARGUMENTS --rounds ${2:?"--rounds needs a number"}"; shift ;;
        --quick | --json) ARGUMENTS="$ARGUMENTS $1" ;;
        --micro) MICRO=1 ;;
        --profile) PROFILE=1 ;;
        -h | --help) usage; exit 0 ;;
        *) say "unknown option $1"; usage >&2; exit 2 ;;
    esac
    shift
done

need() { # a program, and the Debian package that brings it
    has "$1" || apt_install "$2" || die "the bench needs $1 (Debian: $2)"
}

compile() { gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$BENCH/$1" "$ROOT/bench/load/$1.c" -lm || die "bench/load/$1.c does not compile"; }

# A certificate for 127.0.0.1 from an authority that lives for a day and for this bench alone.
certify() (
    cd "$SCRATCH" || exit 1
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "/CN=Ballast bench" -keyout authority.key -out authority.pem
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=127.0.0.1" -keyout platform.key -out platform.csr
    printf 'subjectAltName=IP:127.0.0.1\n' >platform.ext
    openssl x509 -req -in platform.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 1 -extfile platform.ext -out platform.pem
) >"$BENCH/openssl.log" 2>&1

prepare_micro() {
    need_dotnet
    build "$ROOT/bench/Ballast.Benchmarks/Ballast.Benchmarks.csproj" || die "the build failed; the errors stand above"
}

prepare() {
    [ "$(uname -s)" = Linux ] && [ "$(nproc)" -ge 2 ] || die "the bench pins programs to two cores of a Linux machine"
    need gcc gcc
    need nginx nginx-light
    need openssl openssl
    need taskset util-linux
    need_dotnet
    mkdir -p "$BENCH"
    compile platform
    compile load
    build "$ROOT/bench/Ballast.Bench/Ballast.Bench.csproj" || die "the build failed; the errors stand above"
    if [ -n "$PROFILE" ]; then
        build "$ROOT/src/Ballast/Ballast.csproj" && build "$ROOT/bench/Ballast.Profile/Ballast.Profile.csproj" || die "the build failed; the errors stand above"
        return
    fi
    build "$ROOT/bench/Yarp/Yarp.csproj" || say "YARP could not be built: it is left out"
    if need_node; then
        (cd "$ROOT/bench/portkey" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) || say "Portkey could not be installed: it is left out"
    fi
}

# Programs of an earlier run whose bench was killed. A number that belongs to another program by now is left alone.
sweep() {
    local pid
    [ -f "$SCRATCH/pids" ] || return 0
    while read -r pid; do
        case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
            *"$ROOT"*) kill "$pid" 2>/dev/null ;;
        esac
    done <"$SCRATCH/pids"
}

if [ -n "$MICRO" ]; then
    locked prepare_micro || exit 1
    cd "$ROOT/artifacts" && exec "$DOTNET" "$ROOT/artifacts/bin/Ballast.Benchmarks/release/Ballast.Benchmarks.dll"
fi

# The binary at hand is the one of these sources.
published() { [ -x "$ROOT/artifacts/publish/ballast" ] && [ "$(cat "$BENCH/published" 2>/dev/null)" = "$(fingerprint)" ]; }

# Counts of the bench's own load, of the demo with its many protocols and faults, and both together as the compiler reads them.
profile() {
    local bin=$ROOT/artifacts/bin
    say "running Ballast under load while its runtime counts …"
    "$DOTNET" "$bin/Ballast.Bench/release/Ballast.Bench.dll" --root "$ROOT" --counts "$SCRATCH/load.counts" || die "the load failed"
    (cd "$SCRATCH" && DOTNET_TieredPGO=1 DOTNET_WritePGOData=1 DOTNET_PGODataPath=$SCRATCH/demo.counts \
        "$DOTNET" "$bin/Ballast/release/ballast.dll" demo --headless --seconds 25 --json) >"$SCRATCH/demo.json" || die "the demo failed"
    "$DOTNET" "$bin/Ballast.Profile/release/Ballast.Profile.dll" "$bin/Ballast/release" "$ROOT/src/Ballast/profile.mibc" "$SCRATCH/load.counts" "$SCRATCH/demo.counts"
}

locked prepare || exit 1
if [ -z "$PROFILE" ] && ! published; then
    "$ROOT/publish" || exit 1
    fingerprint >"$BENCH/published"
fi
sweep
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
certify || die "no certificate: see artifacts/bench/openssl.log"
trap sweep EXIT
# The bench gets signals itself and ends what it started; the shell waits for it.
trap : INT TERM HUP
if [ -n "$PROFILE" ]; then
    profile
    exit
fi
# shellcheck disable=SC2086 # options without spaces
"$DOTNET" "$ROOT/artifacts/bin/Ballast.Bench/release/Ballast.Bench.dll" --root "$ROOT" $ARGUMENTS
