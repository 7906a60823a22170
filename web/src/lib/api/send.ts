import { ApiError, errorOf } from './errors';
import { pause } from './pause';
import { sessionFetch } from './session-fetch';

type Value = string | number | boolean;

/** What is asked of the API. */
export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Query parameters; a list is sent as one parameter for each of its values, and what is empty not at all. */
  query?: Record<string, Value | readonly Value[] | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Whether the call may be sent again when nobody knows what became of it. Reads always may. */
  isRepeatable?: boolean;
  signal?: AbortSignal;
}

const TIMEOUT_MS = 20_000;
const PAUSES_MS = [300, 1200];

let onUnauthorized: () => void = () => undefined;

/** Says what to do when the API answers that nobody is signed in any more. */
export function whenUnauthorized(what: () => void): void {
  onUnauthorized = what;
}

/** Calls the API at the page's own origin and returns the answer's JSON, `undefined` where it has none. Throws ApiError. */
export async function send<T>(path: string, call: Call = {}): Promise<T> {
  const isRepeatable = call.isRepeatable ?? (call.method ?? 'GET') === 'GET';
  for (let attempt = 0; ; attempt++) {
    try {
      return await sendOnce<T>(path, call);
    } catch (error) {
      const pauseMs = PAUSES_MS[attempt];
      if (!(error instanceof ApiError && error.isPassing && isRepeatable) || pauseMs === undefined) throw error;
      await pause(pauseMs * (0.5 + Math.random()));
    }
  }
}

async function sendOnce<T>(path: string, call: Call): Promise<T> {
  const response = await answerTo(path, call);
  if (response.status === 401) onUnauthorized();
  if (!response.ok) throw await errorOf(response);
  try {
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  } catch (error) {
    if (call.signal?.aborted) throw error;
    if (!(error instanceof SyntaxError)) throw new ApiError(0, 'OFFLINE', 'The answer broke off');
    const requestId = response.headers.get('X-Request-ID') ?? '';
    throw new ApiError(response.status, 'UNREADABLE', 'The answer is no JSON', requestId);
  }
}

async function answerTo(
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
    if (timeout.aborted) throw new ApiError(0, 'TIMEOUT', 'No answer came in time');
    throw new ApiError(0, 'OFFLINE', 'The server cannot be reached');
  }
}

function queryString(query: NonNullable<Call['query']>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): [string, string] => [name, String(each)]),
  );
  const given = pairs.filter(([, value]) => value !== '');
  return given.length ? `?${new URLSearchParams(given)}` : '';
}
