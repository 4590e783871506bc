const REPEATABLE = ['GET', 'HEAD', 'PUT'];

/** Whether a call of this method may be sent again that may have been half done: twice does what once does (RFC 9110 §9.2.2). */
export function isRepeatable(method: string): boolean {
  return REPEATABLE.includes(method);
}
