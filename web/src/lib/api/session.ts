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
 * Returns when the gateway accepts the new session. Throws ApiError: 401 for a wrong username or password, with reason
 * SESSION_NOT_READY if the gateway still does not accept the session after two seconds.
 */
export async function logIn(user: string, password: string): Promise<Session> {
  await send(PATH, { headers: { Authorization: `Basic ${base64(`${user}:${password}`)}` } });
  loginAccepted();
  await pause(STORED_AFTER_MS);
  try {
    return await getSession();
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    throw new ApiError(0, 'SESSION_NOT_READY', 'The gateway does not accept the new session yet', error.requestId);
  }
}

/** End the session at the gateway, so that a copy of its cookie is no longer valid. */
export async function logOut(): Promise<void> {
  await send(PATH, { method: 'POST', query: { session_logout: true } });
  sessionEnded();
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}
