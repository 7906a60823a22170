import type { Session } from './generated';
import { send } from './send';

const PATH = '/api/v1/session';

/** Who is signed in. Throws an ApiError of status 401 when nobody is. */
export function getSession(): Promise<Session> {
  return send(PATH);
}

/** Signs in; the gateway answers with the session's cookie, which no script can read. */
export function logIn(user: string, password: string): Promise<Session> {
  return send(PATH, { headers: { Authorization: `Basic ${base64(`${user}:${password}`)}` } });
}

/** Ends the session for good: the gateway forgets it, so that a copy of its cookie is worth nothing. */
export function logOut(): Promise<void> {
  return send(PATH, { method: 'POST', query: { session_logout: true } });
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}
