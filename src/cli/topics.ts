import { EXIT_CODES } from './exit-codes.ts';

/** A page of help that is of no one command. */
export interface Topic {
  readonly summary: string;
  readonly text: string;
}

const exitCodes = [...EXIT_CODES]
  .sort((a, b) => a.exit - b.exit)
  .map(({ exit, meaning }) => `  ${String(exit).padStart(3)}  ${meaning}`)
  .join('\n');

/** The pages, by the names that `podio help` takes. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  environment: {
    summary: 'the variables that podio reads',
    text: `Answers to login's questions:
  PODIO_CLIENT_ID, PODIO_CLIENT_SECRET   the API key (https://podio.com/settings/api)
  PODIO_APP_ID, PODIO_APP_TOKEN          an app and its token
  PODIO_USERNAME, PODIO_PASSWORD         a user and the password
Where they name a whole login and no session is stored, call and token log in by themselves, once.

As the options of these names:
  PODIO_AS, PODIO_SESSION_MANAGER, PODIO_API_URL
  PODIO_NO_INPUT=1                       ask nothing (--no-input)
  PODIO_DEBUG=1                          tell what is sent (--verbose)

  PODIO_ACCESS_TOKEN                     used as it is by call and token; nothing is stored or renewed
  PODIO_CONFIG_DIR, PODIO_DATA_DIR       folders for settings and sessions, in place of the usual ones
  XDG_CONFIG_HOME, XDG_DATA_HOME         where those lie on Linux
  NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE  colour never, or always
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY      the way through a proxy
  NODE_EXTRA_CA_CERTS                    a file with further certificates to trust

An option stands above a variable, a variable above the settings file, that above the default.
`,
  },
  'exit-codes': {
    summary: 'how a script can tell what happened',
    text: `Exit codes:\n${exitCodes}\n\npodio sandbox -- COMMAND ends with the exit code of COMMAND (126: not runnable, 127: not found).\n`,
  },
  scripting: {
    summary: 'podio in scripts, loops and cron jobs',
    text: `Log in once; every later call in any shell or cron job uses the same session. However many run
at once, one of them renews it and the others wait for that.

  podio call GET /item/123 | jq -r .title

  if podio call GET /item/123 --silent; then echo there; elif [ $? -eq 9 ]; then echo missing; fi

  while read -r id; do podio call GET "/item/$id"; done < ids.txt

Standard input is read only where an option names it (@-, --token-stdin …), so loops keep theirs.
In CI, set PODIO_CLIENT_ID, PODIO_CLIENT_SECRET, PODIO_APP_ID and PODIO_APP_TOKEN: no login step is needed.
`,
  },
  storage: {
    summary: 'where sessions are kept, and how safe they are there',
    text: `A session is kept by a session manager:
  keychain   the system's keychain: service "podio", an entry for each identity
  file       a file for each identity in $XDG_DATA_HOME/podio/sessions, folder 0700, files 0600
  memory     nowhere: it ends with the process
  auto       (the default) the keychain where it works, else the file

Which one auto took is said at login and remembered for the identity; no later run takes another by itself.
The access token, the refresh token and the API key's secret lie there, and the app token only with
login --remember. The settings file and the list of identities hold no secret.
podio status tells the place of each session, podio logout empties it.
`,
  },
  formatting: {
    summary: 'what call prints, and where',
    text: `Standard output gets the body exactly as Podio sent it; on a terminal it is indented and coloured
(--color, NO_COLOR), and control characters are made visible. -i puts status and headers before it,
--silent leaves it out, -o FILE puts it in a file.

Standard error gets everything else. An error is one line there,
  podio: DESCRIPTION (HTTP 404, not_found, request ID)
and a hint; the body still goes to standard output, unless -o was given.
`,
  },
};
