import type { Session } from './generated';
import { ApiError } from './errors';
import { pause } from './pause';
import { send } from './send';
import { loginAccepted, sessionEnded } from './session-fetch';

const PATH = '/api/v1/session';
const STORED_AFTER_MS = 50; // an earlier request often misses the new session, and Kong remembers a miss for one second

/** Who is signed in. Throws an ApiError of status 401 when nobody is. */
export function getSession(): Promise<Session> {
  return send(PATH);
}

/**
 * Signs in; the gateway answers with the session's cookie, which no script can read.
 *
 * Returns when the gateway knows the new session. Throws an ApiError of status 401 for a wrong name or password, and of
 * reason SESSION_NOT_READY when the gateway still does not know the session after two seconds.
 */
export async function logIn(user: string, password: string): Promise<Session> {
  await send(PATH, { headers: { Authorization: `Basic ${base64(`${user}:${password}`)}` } });
  loginAccepted();
  await pause(STORED_AFTER_MS);
  try {
    return await getSession();
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    throw new ApiError(0, 'SESSION_NOT_READY', 'The gateway does not know the new session', error.requestId);
  }
}

/** Ends the session for good: the gateway forgets it, so that a copy of its cookie is worth nothing. */
export async function logOut(): Promise<void> {
  await send(PATH, { method: 'POST', query: { session_logout: true } });
  sessionEnded();
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}
