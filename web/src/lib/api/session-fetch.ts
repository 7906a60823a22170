/**
 * The fetch function for all API calls and the event stream.
 *
 * Kong stores a new session shortly after it has responded to the login, and caches for one second that a session was
 * not found. A 401 just after a login therefore does not mean that the session has ended, and the request is retried.
 * The retry is safe for every method, because the gateway rejects a request before it has an effect.
 */
import { pause } from './pause';

const RETRY_WINDOW_MS = 2_000;
const PAUSES_MS = [100, 300, 700, 1_000]; // the third retry comes after Kong's cache entry has expired

let windowEnd = -Infinity;

/** Call this when the gateway has accepted a password: 401 responses are retried for the next two seconds. */
export function loginAccepted(): void {
  windowEnd = performance.now() + RETRY_WINDOW_MS;
}

/** Call this when the session has ended: 401 responses are final, even just after the login. */
export function sessionEnded(): void {
  windowEnd = -Infinity;
}

/** Like `fetch`, but retry a 401 for two seconds after a login. A 401 for a password is final. */
export async function sessionFetch(path: string, init: RequestInit): Promise<Response> {
  const ownWindowEnd = windowEnd;
  let response = await fetch(path, init);
  if (new Headers(init.headers).has('Authorization')) return response;
  for (const pauseMs of PAUSES_MS) {
    const leftMs = ownWindowEnd - performance.now();
    if (response.status !== 401 || leftMs <= 0) break;
    await pause(Math.min(pauseMs, leftMs));
    if (windowEnd !== ownWindowEnd) break; // the cookie may now belong to another user
    response = await fetch(path, init);
  }
  return response;
}
