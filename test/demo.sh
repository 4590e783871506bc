# The main job, shown against the bundled sandbox: npm run demo
set -eu
cd "$(dirname "$0")/.."
HOME=$(mktemp -d)
export HOME PODIO_SESSION_MANAGER=file
unset XDG_DATA_HOME XDG_CONFIG_HOME PODIO_DATA_DIR PODIO_CONFIG_DIR PODIO_AS PODIO_ACCESS_TOKEN
trap 'rm -rf "$HOME"' EXIT

podio() { node bin/podio.js "$@"; }
title='console.log(JSON.parse(require("fs").readFileSync(0)).title)'
tokens='console.log(JSON.parse(require("fs").readFileSync(0)).filter(({ path }) => path === "/oauth/token").length)'

show() {
  printf '\n$ %s\n' "$1"
  eval "$1"
}
token_requests() {
  printf '  … token requests so far: '
  podio call GET /sandbox/seen | node -e "$tokens"
}

show 'podio login --app'
show 'podio call GET /item/123 | node -e "$title"'
show 'podio call GET /item/123 | node -e "$title"'
token_requests
printf '\n  … the access token ends\n'
podio call POST /sandbox/expire -d '{"what":"access"}'
show 'podio call GET /item/123 | node -e "$title"'
token_requests
show 'podio logout'
show 'podio status || echo "exit code $?"'
