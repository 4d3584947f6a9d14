# Sourced by ./ballast, ./test and ./publish: finds or installs what they need, and builds. Nothing here writes to stdout: it belongs to the program alone.
# Runs under bash 3.2 (macOS) as well as 5; no GNU-only options.

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1
# Build servers outlive the build and hold the caller's pipes open: whoever reads our output would wait for them.
export MSBUILDDISABLENODEREUSE=1

CONFIGURATION=${BALLAST_CONFIGURATION:-Release}
OUTPUT=$ROOT/artifacts/bin/Ballast/$(printf '%s' "$CONFIGURATION" | tr '[:upper:]' '[:lower:]')
STAMP=$OUTPUT/.built

say() { printf 'ballast: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" = 0 ]; }

# Installs Debian packages where that is possible at all: on a Debian-like system, as root. What apt says is shown only when it fails.
apt_install() {
    has apt-get && is_root || return 1
    local log=$ROOT/artifacts/apt.log
    mkdir -p "$ROOT/artifacts"
    say "installing $* (apt-get)"
    if [ -z "${APT_UPDATED:-}" ]; then
        apt-get update -qq >"$log" 2>&1 || cat "$log" >&2 # an old list may still do
        APT_UPDATED=1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >"$log" 2>&1 </dev/null && return 0
    cat "$log" >&2
    return 1
}

# Does this dotnet have an SDK that global.json accepts? (Asked inside the repository: that is where global.json lies.)
fits() { [ -n "$1" ] && [ -x "$1" ] && (cd "$ROOT" && "$1" --version >/dev/null 2>&1); }

find_dotnet() {
    for DOTNET in "$(command -v dotnet || true)" "$ROOT/.dotnet/dotnet"; do
        fits "$DOTNET" && return 0
    done
    DOTNET=
    return 1
}

# The platform's own package manager first. Each may lack the version: what counts is whether a fitting dotnet stands there afterwards.
install_dotnet_by_package_manager() {
    case "$(uname -s)" in
        Darwin)
            if has brew; then brew install dotnet >&2 || true; fi ;;
        Linux)
            if ! is_root; then
                say "not root, so no system package is installed"
            elif has apt-get; then apt_install dotnet-sdk-10.0 || true
            elif has dnf; then dnf install -y dotnet-sdk-10.0 >&2 || true
            elif has apk; then apk add dotnet10-sdk >&2 || true
            fi ;;
    esac
    find_dotnet
}

install_dotnet_by_script() {
    local url=https://dot.net/v1/dotnet-install.sh script
    script=$(mktemp "${TMPDIR:-/tmp}/dotnet-install.XXXXXX")
    if has curl; then curl --fail --silent --show-error --location "$url" --output "$script" >&2
    elif has wget; then wget --quiet --output-document="$script" "$url" >&2
    else false
    fi && bash "$script" --channel 10.0 --install-dir "$ROOT/.dotnet" --no-path >&2
    rm -f "$script"
    find_dotnet
}

need_dotnet() {
    find_dotnet && return 0
    say "no .NET SDK here satisfies global.json; trying the package manager"
    install_dotnet_by_package_manager && return 0
    say "trying Microsoft's install script, into .dotnet/ of this repository"
    install_dotnet_by_script && return 0
    die "Ballast needs a .NET 10 SDK and could not install one. Install it (https://dot.net/download; Windows: winget install Microsoft.DotNet.SDK.10) and try again."
}

# Node.js >= 20 with npm, for the tests that drive the vendors' official SDKs. Optional: without it those tests say that they skipped.
need_node() {
    node_fits && return 0
    apt_install nodejs npm || true
    node_fits && return 0
    say "Node.js 20 or newer with npm is not here and could not be installed: the tests of the npm SDKs will be skipped"
    return 1
}

node_fits() {
    local major
    has node && has npm || return 1
    major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
    [ "${major:-0}" -ge 20 ]
}

# A browser, for the tests of the page. Optional likewise.
need_chromium() {
    has chromium || has chromium-browser || has google-chrome || [ -d "/Applications/Google Chrome.app" ] && return 0
    apt_install chromium || say "no Chromium here and none could be installed: the tests of the page will be skipped"
}

# A PostgreSQL server (15 or newer), for the tests of the ledger in it. Optional likewise; the tests start it on a free port in a scratch folder.
need_postgres() {
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && return 0
    # Without a server of the system's own: the tests start theirs.
    if is_root && has apt-get && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    apt_install postgresql || say "no PostgreSQL here and none could be installed: the tests of the ledger in it will be skipped"
}

# What NativeAOT links with: clang, lld and zlib's headers. On macOS Xcode's command line tools bring them.
need_linker() {
    [ "$(uname -s)" = Linux ] || return 0
    has clang && has ld.lld && [ -e /usr/include/zlib.h ] && return 0
    apt_install clang lld zlib1g-dev || die "publishing needs clang, lld and zlib's headers (Debian: clang lld zlib1g-dev)"
}

# One number for everything that the build of the program reads.
fingerprint() {
    (cd "$ROOT" && find src Directory.Build.props Directory.Packages.props global.json .editorconfig BannedSymbols.txt build -type f -print \
        | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cksum | cksum)
}

# The stamp holds the fingerprint and, in its second line, the dotnet that built it. Output written by another build since then does not count as ours.
is_built() {
    [ -f "$STAMP" ] && [ -f "$OUTPUT/ballast.dll" ] || return 1
    local dll
    for dll in "$OUTPUT"/[Bb]allast*.dll; do
        [ "$dll" -nt "$STAMP" ] && return 1
    done
    { read -r built && read -r DOTNET; } <"$STAMP"
    [ -x "$DOTNET" ] && [ "$built" = "$(fingerprint)" ]
}

stamp() {
    local before=$1
    printf '%s\n%s\n' "$before" "$DOTNET" >"$STAMP.$$" && mv -f "$STAMP.$$" "$STAMP"
}

# Builds one project or solution; a signal ends the build and us with it. File descriptor 9 holds the lock, which no child may keep.
build() {
    local child
    "$DOTNET" build "$@" --configuration "$CONFIGURATION" --disable-build-servers --nologo --verbosity quiet -consoleLoggerParameters:NoSummary >&2 9>&- &
    child=$!
    trap 'kill "$child" 2>/dev/null; exit 143' INT TERM HUP
    wait "$child"
    local code=$?
    trap - INT TERM HUP
    return $code
}

# Runs a function while no other ./ballast, ./test or ./publish of this checkout builds.
locked() {
    mkdir -p "$ROOT/artifacts"
    if has flock; then
        exec 9>"$ROOT/artifacts/.lock"
        flock 9
        "$@"
        local code=$?
        exec 9>&-
        return $code
    fi
    # macOS has no flock: a directory is made by one process only, and a dead owner's is taken over.
    local lock=$ROOT/artifacts/.lockdir owner
    until mkdir "$lock" 2>/dev/null; do
        owner=$(cat "$lock/pid" 2>/dev/null || true)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$lock"; else sleep 1; fi
    done
    echo $$ >"$lock/pid"
    "$@"
    local code=$?
    rm -rf "$lock"
    return $code
}
