export type { AuthorizeOptions } from './client/authorize-url.ts';
export type { Login } from './client/login.ts';
export {
  type ApiCall,
  PodioClient,
  type PodioClientOptions,
} from './client/podio-client.ts';
export type { Keep } from './client/session-tokens.ts';
export { SecondFactorNeeded } from './client/token-endpoint.ts';
export {
  ConnectionError,
  Failure,
  NotLoggedInError,
  PodioError,
  RateLimitError,
  StoreError,
  UsageError,
} from './errors.ts';
export type { HttpResponse } from './http/http.ts';
export type { BrowserRequest, BrowserSession } from './session/browser-request.ts';
export { acquireLock, type LockOptions } from './session/lock.ts';
export {
  BrowserSessionManager,
  type BrowserSessionManagerOptions,
} from './session/managers/browser-session.ts';
export {
  FileSessionManager,
  type FileSessionManagerOptions,
} from './session/managers/file.ts';
export type { GivenManager } from './session/managers/given.ts';
export type { ManagerOptions } from './session/managers/index.ts';
export { KeychainSessionManager } from './session/managers/keychain.ts';
export { MemorySessionManager } from './session/managers/memory.ts';
export type { OwnSessionManager, SessionManagerClass } from './session/managers/own-session-manager.ts';
export {
  RedisSessionManager,
  type RedisSessionManagerOptions,
} from './session/managers/redis.ts';
export {
  EMPTY_OAUTH,
  expiresAt,
  isEmpty,
  type PodioOAuth,
  type PodioRef,
  refreshEndsAt,
} from './values/podio-oauth.ts';
export type { Query } from './values/query.ts';
export type {
  AuthType,
  Release,
  SessionManager,
  SessionScope,
} from './values/session-manager.ts';
