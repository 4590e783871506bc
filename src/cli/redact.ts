const HIDDEN = '***';
const SECRET_HEADER =
  /^(?:authorization|proxy-authorization|cookie|set-cookie)$|token|secret|password|api-?key/i;
const SECRET_PARAMETER = /([?&](?:[\w.[\]-]*(?:token|secret|password)[\w.[\]-]*|code|otp)=)[^&#]*/gi;

/** The value of a header as it may be shown. */
export function shownHeader(name: string, value: string): string {
  if (!SECRET_HEADER.test(name)) return value;
  return /^(?:OAuth2|Bearer|Basic) /.exec(value)?.[0].concat(HIDDEN) ?? HIDDEN;
}

/** A path as it may be shown: without the secrets in its query. */
export function shownPath(path: string): string {
  return path.replace(SECRET_PARAMETER, `$1${HIDDEN}`);
}
