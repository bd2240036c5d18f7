# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Read by the programs of this folder: installs what is missing, builds, and lets GStreamer find the plugin.
# Quick when there is nothing to do. Sets build_dir.
#
#   SWIN_BUILD_DIR     build folder (default: build/ in the checkout)
#   SWIN_SKIP_BUILD=1  take the build as it is

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build_dir=${SWIN_BUILD_DIR:-$source_dir/build}
program=$(basename "$0")

say() { printf '%s: %s\n' "$program" "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# quiet WHAT COMMAND...: the command's output is shown only when it fails.
quiet() {
  local what=$1 log
  shift
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    die "$what failed; the end of its output is above."
  fi
  rm -f "$log"
}

prepare() {
  if [[ -z ${SWIN_SKIP_BUILD:-} ]]; then
    "$source_dir/tools/setup" build >&2
    if [[ ! -f $build_dir/build.ninja ]]; then
      say "setting up a build in $build_dir ..."
      # Tests need more packages; tests/run switches them on.
      quiet 'meson setup' meson setup -Dtests=disabled "$build_dir" "$source_dir"
    fi
    # Says nothing when all is up to date.
    if ! ninja -C "$build_dir" -n | grep -q 'no work to do'; then
      say 'building (a minute or two the first time) ...'
    fi
    quiet 'the build' ninja -C "$build_dir"
  fi
  export GST_PLUGIN_PATH=$build_dir/plugin${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
}
