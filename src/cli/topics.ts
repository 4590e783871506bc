import { EXIT_CODES } from './exit-codes.ts';

/** A page of help that is of no one command. */
export interface Topic {
  readonly summary: string;
  /** As `readBlocks` reads it: prose, lines indented by two that stay as they are, and terms with their meaning. */
  readonly text: string;
}

const exitCodes = [...EXIT_CODES]
  .sort((a, b) => a.exit - b.exit)
  .map(({ exit, meaning }) => `  ${exit}  ${meaning}`)
  .join('\n');

/** The pages, by the names that `podio help` takes. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  auth: {
    summary: 'API keys, identities, and how a session lives',
    text: `
Every login needs an API key, which is a client id and a client secret. Make one at
https://podio.com/settings/api; podio asks for it once and keeps the secret with the session.

Whom one logs in as is an identity:
  app:123456             an app, by its id and its token (in the app's settings, "Developer")
  password:ada@acme.org  a user, by e-mail address and password
  authorization_code:42  a user, by Podio's own page in the browser (podio login --web)

A login may give its identity a short name. The one that logged in last is the default; podio switch chooses
another, and --as or PODIO_AS takes one for a single command:
  podio login --password --username ada@acme.org --name ada
  podio --as ada call GET /user/status

A login brings an access token, which lasts 8 hours, and a refresh token, which is good for 28 days and for one use.
podio renews the session by itself a little before the access token ends, or when Podio calls it expired. However
many processes ask, one of them renews and the others take what it brought. Only podio logout forgets a session: a
failure of the network, of Podio or of the store never does.

Where a refresh token has ended too, log in again. With podio login --app --remember, or with a whole login in the
environment (podio help environment), that happens by itself.
`,
  },
  environment: {
    summary: 'the variables that podio reads',
    text: `
Answers to login's questions. Where they name a whole login and no session is stored, whatever calls the API logs in
by itself, once:
  PODIO_CLIENT_ID      the client id of the API key (https://podio.com/settings/api)
  PODIO_CLIENT_SECRET  its client secret
  PODIO_APP_ID         an app
  PODIO_APP_TOKEN      its token
  PODIO_USERNAME       a user's e-mail address
  PODIO_PASSWORD       the password

As the options of these names:
  PODIO_AS               whose session to use (--as)
  PODIO_SESSION_MANAGER  where sessions are kept (--session-manager)
  PODIO_API_URL          which API (--api-url)
  PODIO_NO_INPUT=1       ask nothing (--no-input)
  PODIO_DEBUG=1          tell what is sent (--verbose)

In place of a session:
  PODIO_ACCESS_TOKEN  used as it is for calls; nothing is stored, read or renewed

Places:
  PODIO_CONFIG_DIR  the folder of the settings, in place of the usual one
  PODIO_DATA_DIR    the folder of the sessions, in place of the usual one
  XDG_CONFIG_HOME   where the usual ones lie on Linux: the settings
  XDG_DATA_HOME     and the sessions

As everywhere:
  NO_COLOR             no colour
  FORCE_COLOR          colour even in a pipe
  CLICOLOR_FORCE       the same
  HTTPS_PROXY          the way through a proxy
  HTTP_PROXY           the same, for an API on http
  NO_PROXY             hosts that are reached without it
  NODE_EXTRA_CA_CERTS  a file with further certificates to trust
  REDISCLI_AUTH        the password of a Redis that keeps sessions
  BROWSER              the browser that podio login --web opens

To see where it runs:
  TERM=dumb, CI             neither spinner nor anything that is drawn over
  LC_ALL, LC_CTYPE, LANG    whether signs can be shown that are not ASCII
  DISPLAY, WAYLAND_DISPLAY  whether a browser can be opened
  SSH_CONNECTION            the same: over SSH the address is printed
  SHELL                     whose completion podio completion install puts in place

An option stands above a variable, a variable above the settings file (podio help config), that above the default.
podio config explain KEY tells which one holds.
`,
  },
  'exit-codes': {
    summary: 'how a script can tell what happened',
    text: `
${exitCodes}

podio exec -- COMMAND and podio sandbox -- COMMAND end with the exit code of COMMAND (126: not runnable, 127: not
found).

With --json an error is one line of JSON on standard error, with code, exit, message and hint.
`,
  },
  scripting: {
    summary: 'podio in scripts, loops and cron jobs',
    text: `
Log in once; every later call in any shell or cron job uses the same session. However many run at once, one of them
renews it and the others wait for that.
  podio call GET /item/123 | jq -r .title

The exit code tells what happened (podio help exit-codes):
  if podio call GET /item/123 --silent; then echo there
  elif [ $? -eq 9 ]; then echo missing
  fi

Standard input is read only where an option names it (@-, --token-stdin …), so loops keep theirs:
  while read -r id; do podio call GET "/item/$id"; done < ids.txt

Many calls are made fastest by one process, and any program can be run with the access token in its environment:
  sed 's|^|GET /item/|' ids.txt | podio batch - --concurrency 8 > items.ndjson
  podio exec -- php import.php

In CI, set PODIO_CLIENT_ID, PODIO_CLIENT_SECRET, PODIO_APP_ID and PODIO_APP_TOKEN: no login step is needed, and
nothing is asked where there is no terminal.
`,
  },
  storage: {
    summary: 'where sessions are kept, and how safe they are there',
    text: `
A session is kept by a session manager:
  auto             (the default) the keychain where it works, else the file
  keychain         the system's keychain: service "podio", an entry for each identity
  file             a file for each identity in $XDG_DATA_HOME/podio/sessions, folder 0700, files 0600
  memory           nowhere: it ends with the process
  redis://HOST/DB  a Redis, for several machines and for PHP programs: a hash for each identity
  ./mine.js        a module of your own: a path, a file: URL, or a package installed where podio is

Which one auto took is said at login and remembered for the identity; no later run takes another by itself. podio
status tells the place of each session, podio sessions move brings it to another manager, podio logout empties it.

The hash in Redis is podio_cache_TYPE_IDENTIFIER; ?prefix=NAME or ?key=KEY at the end of the URL take other keys.
rediss:// is with TLS, redis+sentinel:// and redis+cluster:// ask through sentinels or a cluster. The password goes in
REDISCLI_AUTH, which podio keeps nowhere, or in the URL, from which podio keeps it in a file with mode 0600. Whoever
may read this Redis may use the sessions in it:
  podio login --app --session-manager redis://redis.example:6379/0

The README says how a module of your own is written.

With the access token and the refresh token lies the API key's secret, and the app token only with login --remember.
The settings (podio config path) and the list of identities hold no secret.
`,
  },
  formatting: {
    summary: 'what is printed, and where',
    text: `
Standard output gets data: for podio call the body exactly as Podio sent it. On a terminal it is indented and
coloured, and control characters are made visible. -i puts status and headers before it, --silent leaves it out,
-o FILE puts it in a file.

Standard error gets everything else. An error is one line there, and then a hint; the body still goes to standard
output, unless -o was given:
  podio: DESCRIPTION (HTTP 404, not_found, request ID)

Colour is used on a terminal only, and not where NO_COLOR is set or TERM is "dumb"; --color always or never, and
FORCE_COLOR, have the last word. --json prints results and errors as JSON. Times in it are ISO 8601, in UTC.
`,
  },
};
