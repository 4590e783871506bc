import {
  endAllLogins,
  endLogin,
  getApp,
  getScope,
  listOrganizations,
  userStatus,
} from './account-operations.ts';
import { authorizePage, decideAuthorization } from './authorize-page.ts';
import { downloadFile, getFile, uploadFile } from './file-operations.ts';
import { createItem, deleteItem, filterItems, getItem, updateItem } from './item-operations.ts';
import type { Route } from './router.ts';
import { tokensForForm, tokensForJson, verifySecondFactor } from './token-endpoint.ts';

/** Every operation of the sandbox. Lists end with a slash, single things do not. */
export const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/oauth/token', limited: true, open: tokensForForm },
  { method: 'POST', path: '/oauth/token/v2', limited: true, open: tokensForJson },
  { method: 'POST', path: '/mfa/verify', open: verifySecondFactor },
  { method: 'GET', path: '/oauth/authorize', open: authorizePage },
  { method: 'POST', path: '/oauth/authorize', open: decideAuthorization },
  { method: 'GET', path: '/oauth/scope', for: 'everyone', call: getScope },
  { method: 'POST', path: '/oauth/grant/invalidate', for: 'everyone', call: endLogin },
  { method: 'POST', path: '/oauth/token/invalidate', for: 'everyone', call: endAllLogins },
  { method: 'GET', path: '/user/status', for: 'users', call: userStatus },
  { method: 'GET', path: '/org/', for: 'users', call: listOrganizations },
  { method: 'GET', path: '/app/{id}', for: 'everyone', call: getApp },
  { method: 'GET', path: '/item/{id}', for: 'everyone', call: getItem },
  { method: 'PUT', path: '/item/{id}', for: 'everyone', call: updateItem },
  { method: 'DELETE', path: '/item/{id}', for: 'everyone', call: deleteItem },
  { method: 'POST', path: '/item/app/{id}/', for: 'everyone', call: createItem },
  { method: 'POST', path: '/item/app/{id}/filter/', for: 'everyone', call: filterItems },
  { method: 'POST', path: '/file/', for: 'everyone', call: uploadFile },
  { method: 'POST', path: '/file/v2/', for: 'everyone', call: uploadFile },
  { method: 'GET', path: '/file/{id}', for: 'everyone', call: getFile },
  { method: 'GET', path: '/file/{id}/raw', for: 'everyone', call: downloadFile },
];
