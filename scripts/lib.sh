# What the scripts share; sourced, not run. Everything that is built or fetched lands in one cache outside of the checkout, so that a second
# checkout, or the same one after `git clean`, starts warm.
# shellcheck shell=bash

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
CACHE="${XDG_CACHE_HOME:-${HOME:?is not set: set HOME or XDG_CACHE_HOME}/.cache}/signalbox"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CACHE/target}"
export SIGNALBOX_BODIES="${SIGNALBOX_BODIES:-$CACHE/bodies}"
mkdir -p "$CACHE"

say() { printf '%s\n' "$*"; }

# Ends the script with what is wrong and what to do.
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# seconds_as_text 83 -> 1 m 23 s
seconds_as_text() {
  if [ "$1" -ge 60 ]; then printf '%d m %02d s' $(($1 / 60)) $(($1 % 60)); else printf '%d s' "$1"; fi
}

# Runs a command as root: as it is, or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "'$*' needs root: install sudo, or run it as root and start this again"
  fi
}

# need_apt TOOL PACKAGE: installs the package that brings a tool, if the tool is not there.
need_apt() {
  local tool="$1" package="$2"
  command -v "$tool" >/dev/null && return 0
  command -v apt-get >/dev/null || die "$tool is missing and there is no apt-get here: install $tool with your package manager and start this again"
  say "   installing $package (for $tool)"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >"$CACHE/apt.log" 2>&1 \
    || { as_root apt-get update -qq >"$CACHE/apt.log" 2>&1 \
      && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >>"$CACHE/apt.log" 2>&1; } \
    || die "apt-get could not install $package: see $CACHE/apt.log"
  command -v "$tool" >/dev/null || die "$package is installed, yet there is no $tool in PATH"
}

need_cargo() {
  command -v cargo >/dev/null && return 0
  [ -r "${CARGO_HOME:-$HOME/.cargo}/env" ] && . "${CARGO_HOME:-$HOME/.cargo}/env"
  command -v cargo >/dev/null || die "cargo is missing: install Rust from https://rustup.rs (rust-toolchain.toml names the version) and start this again"
}

# A C compiler builds ring and the allocator's shims.
need_compiler() { need_apt cc build-essential; }

need_redis() { need_apt redis-server redis-server; }

need_python() {
  need_apt python3 python3
  python3 -c 'import tomllib' 2>/dev/null || die "python3 is older than 3.11: install a newer one"
}

# Debian splits venv off.
need_venv() {
  python3 -c 'import ensurepip, venv' 2>/dev/null && return 0
  say "   installing python3-venv"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >"$CACHE/apt.log" 2>&1 \
    || die "apt-get could not install python3-venv: see $CACHE/apt.log"
}

# An AWS that others wrote, in a virtual environment of the cache; tests start it by themselves.
need_ministack() {
  local wanted="ministack==1.5.33" venv="$CACHE/ministack"
  [ "$("$venv/bin/python" -m pip freeze 2>/dev/null | grep '^ministack==' || :)" = "$wanted" ] && return 0
  say "   fetching $wanted"
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$wanted" >"$CACHE/ministack.log" 2>&1 \
    || die "pip could not fetch $wanted: see $CACHE/ministack.log"
}

need_node() {
  need_apt node nodejs
  need_apt npm npm
  local major
  major="$(node -p 'process.versions.node.split(".")[0]')"
  [ "$major" -ge 20 ] || die "node is $(node --version), 20 or newer is needed: see https://nodejs.org"
}

# Sets CHROMIUM to a browser that the browser tests can start.
need_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && command -v "$name" >/dev/null; then
      CHROMIUM="$(command -v "$name")"
      export CHROMIUM
      return 0
    fi
  done
  need_apt chromium chromium
  CHROMIUM="$(command -v chromium)"
  export CHROMIUM
}

# npm_packages PACKAGE@VERSION...: fetches packages into the cache, where all scripts share them, and sets NODE_MODULES to where they are.
npm_packages() {
  local wanted name missing=()
  NODE_MODULES="$CACHE/npm/node_modules"
  export NODE_MODULES
  for wanted in "$@"; do
    name="${wanted%@*}"
    [ "$(node -p "require('$NODE_MODULES/$name/package.json').version" 2>/dev/null)" = "${wanted##*@}" ] || missing+=("$wanted")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "   fetching ${missing[*]}"
  mkdir -p "$CACHE/npm"
  npm install --prefix "$CACHE/npm" --no-audit --no-fund --loglevel=error "${missing[@]}" >"$CACHE/npm.log" 2>&1 \
    || die "npm could not fetch ${missing[*]}: see $CACHE/npm.log"
}

# free_port: a TCP port that nobody listens on.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for URL SECONDS: until it answers 200.
wait_for() {
  python3 - "$1" "$2" <<'PYTHON'
import sys, time, urllib.request
url, until = sys.argv[1], time.monotonic() + float(sys.argv[2])
while True:
    try:
        with urllib.request.urlopen(url, timeout=2):
            break
    except OSError:
        if time.monotonic() > until:
            sys.exit(f"error: {url} did not answer within {sys.argv[2]} s")
        time.sleep(0.1)
PYTHON
}
