import type { Session } from './generated';
import { ApiError } from './errors';
import { pause } from './pause';
import { send } from './send';
import { loginAccepted, sessionEnded } from './session-fetch';

const PATH = '/api/v1/session';
const STORED_AFTER_MS = 50; // an earlier request often misses the new session, and Kong caches the miss for one second

/** Return the current session. Throws ApiError: 401 if there is none. */
export function getSession(): Promise<Session> {
  return send(PATH);
}

/**
 * Sign in. The gateway sets the session cookie, which is HttpOnly: scripts cannot read it.
 *
 * Returns when the gateway accepts the new session. Throws ApiError: 401 for a wrong username or password. If the gateway
 * still does not accept the session after two seconds, the reason is NO_COOKIE where the browser keeps no session cookie,
 * otherwise SESSION_NOT_READY.
 */
export async function logIn(user: string, password: string): Promise<Session> {
  await send(PATH, { headers: { Authorization: `Basic ${base64(`${user}:${password}`)}` } });
  loginAccepted();
  await pause(STORED_AFTER_MS);
  try {
    return await getSession();
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    const reason = keepsCookies() ? 'SESSION_NOT_READY' : 'NO_COOKIE';
    throw new ApiError(0, reason, 'The gateway does not accept the new session yet', error.requestId);
  }
}

/** End the session at the gateway, so that a copy of its cookie is no longer valid. */
export async function logOut(): Promise<void> {
  await send(PATH, { method: 'POST', query: { session_logout: true } });
  sessionEnded();
}

// The cookie is Secure: it is kept only over HTTPS and on localhost.
function keepsCookies(): boolean {
  return globalThis.isSecureContext !== false && globalThis.navigator?.cookieEnabled !== false;
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}
