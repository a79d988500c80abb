#!/usr/bin/env bash
# Makes sure that there is a Chromium for the tests of pages: one that is installed, else the distribution's own package.
set -u
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  as_root=(sudo -n)
  if ! sudo -n true 2>/dev/null; then
    echo "There is no Chromium and no right to install one: the tests in a browser are skipped (or fail where CI=true)."
    exit 0
  fi
fi
install() { DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; }
if command -v apt-get >/dev/null 2>&1 && { install || { "${as_root[@]}" apt-get update -qq >/dev/null 2>&1; install; }; }; then
  echo "Installed Chromium for the tests in a browser."
else
  echo "Chromium could not be installed with apt-get: the tests in a browser are skipped (or fail where CI=true)."
fi
