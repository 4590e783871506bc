# Installs the real parts that the tests use and that the system's packages have: `npm test` runs it.
set -eu
parts='dbus:dbus-daemon libglib2.0-bin:gdbus gnome-keyring:gnome-keyring-daemon libsecret-tools:secret-tool strace:strace
tmux:tmux openssl:openssl redis-server:redis-server php-cli:php php-predis:/usr/share/php/Predis/autoload.php
chromium:chromium tinyproxy:tinyproxy curl:curl man-db:man zsh:zsh fish:fish'
missing=''
for part in $parts; do
  command -v "${part#*:}" >/dev/null 2>&1 || [ -e "${part#*:}" ] || missing="$missing ${part%%:*}"
done
[ -z "$missing" ] && exit 0

line="apt-get update && apt-get install -y$missing"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing for the tests:$missing"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >/dev/null
else
  echo "The tests use real parts that are missing here. Install them:  sudo sh -c '$line'" >&2
  exit 1
fi
