import { ApiError, errorOf } from './errors';
import { pause } from './pause';
import { rateLimit } from './rate-limit.svelte';
import { signedInUser } from '#lib/session/signed-in-user.ts';
import { sessionFetch } from './session-fetch';

type Value = string | number | boolean;

/** The options of an API call. */
export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Query parameters. A list becomes one parameter for each value; empty values are omitted. */
  query?: Record<string, Value | readonly Value[] | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Whether to retry the call if its outcome is unknown. Defaults to true for GET. */
  isRepeatable?: boolean;
  signal?: AbortSignal;
}

const TIMEOUT_MS = 20_000;
const PAUSES_MS = [300, 1200];
const LONGEST_LIMIT_S = 120;

let author = '';

/** Set the user whose data the page shows from now on; empty for none. */
export function sendAs(user: string): void {
  author = user;
}

let onUnauthorized: () => void = () => undefined;

/** Set the handler that is called on each response with status 401. */
export function whenUnauthorized(handler: () => void): void {
  onUnauthorized = handler;
}

/**
 * Call the API at the page's origin. Return the response's JSON, or `undefined` if it is empty. Throws ApiError.
 *
 * A call ends with the session that it was made in: no request is sent, and no result is returned, for another user. A
 * call over the rate limit had no effect, so it waits and is sent again, whatever its method.
 */
export async function send<T>(path: string, call: Call = {}): Promise<T> {
  const user = author;
  try {
    return await sendRepeatedly(path, call, user);
  } finally {
    if (user !== author) await never();
  }
}

async function sendRepeatedly<T>(path: string, call: Call, user: string): Promise<T> {
  const isRepeatable = call.isRepeatable ?? (call.method ?? 'GET') === 'GET';
  for (let attempt = 0; ;) {
    await rateLimit.wait(call.signal);
    if (user !== author || isOfAnother(user, call)) await never();
    try {
      return await sendOnce<T>(path, call);
    } catch (error) {
      const limitSeconds = limitOf(error, call);
      if (limitSeconds) {
        rateLimit.begin(limitSeconds);
        continue;
      }
      const pauseMs = PAUSES_MS[attempt++];
      if (!(error instanceof ApiError && error.isPassing && isRepeatable) || pauseMs === undefined) throw error;
      await pause(pauseMs * (0.5 + Math.random()));
    }
  }
}

/** Whether a change would be made in the session of another user, who has signed in in another tab. */
function isOfAnother(user: string, { method = 'GET' }: Call): boolean {
  const current = signedInUser();
  return method !== 'GET' && user !== '' && current !== null && current !== user;
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** The seconds to wait after an error; 0 if it is no rate limit. Passwords have a limit of their own, against guessing. */
function limitOf(error: unknown, { headers }: Call): number {
  if (!(error instanceof ApiError) || error.status !== 429 || headers?.['Authorization']) return 0;
  const seconds = error.retryAfterSeconds ?? 0;
  return seconds <= LONGEST_LIMIT_S ? seconds : 0;
}

async function sendOnce<T>(path: string, call: Call): Promise<T> {
  const response = await fetchResponse(path, call);
  if (response.status === 401) onUnauthorized();
  if (!response.ok) throw await errorOf(response);
  try {
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  } catch (error) {
    if (call.signal?.aborted) throw error;
    if (!(error instanceof SyntaxError)) throw new ApiError(0, 'OFFLINE', 'The response ended early');
    const requestId = response.headers.get('X-Request-ID') ?? '';
    throw new ApiError(response.status, 'UNREADABLE', 'The response is not JSON', requestId);
  }
}

async function fetchResponse(
  path: string,
  { method = 'GET', query = {}, body, headers = {}, signal }: Call,
): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await sessionFetch(path + queryString(query), {
      method,
      headers: {
        Accept: 'application/json',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: JSON.stringify(body),
      cache: 'no-store',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (timeout.aborted) throw new ApiError(0, 'TIMEOUT', 'No response in time');
    throw new ApiError(0, 'OFFLINE', 'Could not reach the server');
  }
}

function queryString(query: NonNullable<Call['query']>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): [string, string] => [name, String(each)]),
  );
  const given = pairs.filter(([, value]) => value !== '');
  return given.length ? `?${new URLSearchParams(given)}` : '';
}
