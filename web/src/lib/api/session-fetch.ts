/**
 * The fetch behind every API call and behind the event stream.
 *
 * Kong stores a new session shortly after it has answered the login, and remembers for one second that it did not find
 * a session. So a 401 just after a login does not mean that the session has ended, and the request is sent again. This is
 * safe for every method, because the gateway refuses a request before it has an effect.
 */
import { pause } from './pause';

const RETRY_WINDOW_MS = 2_000;
const PAUSES_MS = [100, 300, 700, 1_000]; // the third retry comes later than a remembered miss lasts

let windowEnd = -Infinity;

/** To be called when the gateway has accepted a password: a 401 is retried for the next two seconds. */
export function loginAccepted(): void {
  windowEnd = performance.now() + RETRY_WINDOW_MS;
}

/** To be called when the session has ended: a 401 is final, even just after the login. */
export function sessionEnded(): void {
  windowEnd = -Infinity;
}

/** Like `fetch`, but retries a 401 for two seconds after a login. A 401 for a password is final. */
export async function sessionFetch(path: string, init: RequestInit): Promise<Response> {
  const ownWindowEnd = windowEnd;
  let response = await fetch(path, init);
  if (new Headers(init.headers).has('Authorization')) return response;
  for (const pauseMs of PAUSES_MS) {
    const leftMs = ownWindowEnd - performance.now();
    if (response.status !== 401 || leftMs <= 0) break;
    await pause(Math.min(pauseMs, leftMs));
    if (windowEnd !== ownWindowEnd) break; // the cookie may belong to another user by now
    response = await fetch(path, init);
  }
  return response;
}
