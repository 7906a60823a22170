// @vitest-environment node
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeServer } from '#lib/testing/server.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { ApiError } from './errors';
import { rateLimit } from './rate-limit.svelte';
import { send, sendAs, whenUnauthorized, type Call } from './send';
import { createTask, deleteTask, undeleteTask, updateTask } from './tasks';
import { logIn } from './session';

let server: FakeServer;

beforeEach(() => {
  server = FakeServer.start();
});

/** Return the error that the call throws, without waiting for the pauses between attempts. */
async function failureOf(call: () => Promise<unknown>): Promise<ApiError> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: new Date('2026-01-01T12:00:00Z') });
  const failure = call().then(
    () => expect.unreachable('the call did not fail'),
    (error: unknown) => error as ApiError,
  );
  await vi.runAllTimersAsync();
  return failure;
}

function respond(method: string, ...[body, init]: ConstructorParameters<typeof Response>) {
  server.next(method, () => new Response(body, init));
}

describe('a request', () => {
  test('has one query parameter for each value of a list, and none for empty values', async () => {
    const query = { text: 'a&b=ü', labels: ['a', 'b,c'], none: [], empty: '', missing: undefined, no: false, zero: 0 };
    await send('/api/v1/tasks', { query });
    expect(server.received[0]?.url.search).toBe('?text=a%26b%3D%C3%BC&labels=a&labels=b%2Cc&no=false&zero=0');
  });

  test('has no question mark if the query is empty', async () => {
    await send('/api/v1/tasks', { query: { text: '' } });
    expect(server.received[0]?.url.href).toBe('http://taskmesh.test/api/v1/tasks');
  });

  test('has a content type only if it has a body', async () => {
    await send('/api/v1/tasks', { method: 'POST', body: { title: 'Buy milk' } });
    await send('/api/v1/tasks');
    const [post, get] = server.received;
    expect(post?.headers.get('Content-Type')).toBe('application/json');
    expect(post?.body).toEqual({ title: 'Buy milk' });
    expect(get?.headers.has('Content-Type')).toBe(false);
  });

  test('encodes an ID in its path', async () => {
    await expect(updateTask('../a?b:c', {}, 'r1')).rejects.toThrow(ApiError);
    expect(server.received[0]?.url.pathname).toBe('/api/v1/tasks/..%2Fa%3Fb%3Ac');
  });

  test('encodes the username and the password in UTF-8', async () => {
    server.password = 'pässwörd 🥛';
    await expect(logIn('änn', 'pässwörd 🥛')).resolves.toEqual({ user: 'änn' });
  });
});

describe('a retry', () => {
  const task = { title: 'Buy milk' };

  test('is sent for a read that failed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    server.tasks.add();
    server.cutOff('GET');
    respond('GET', '<html>', { status: 502 });
    const page = send<{ tasks: unknown[] }>('/api/v1/tasks');
    await vi.runAllTimersAsync();
    expect((await page).tasks).toHaveLength(1);
    expect(server.received).toHaveLength(3);
  });

  test('is sent for a create, with the same key, so that it creates one task', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    server.loseResponse('POST');
    const created = createTask(task, 'key-1');
    await vi.runAllTimersAsync();
    expect(await created).toMatchObject({ title: 'Buy milk', revision: 1 });
    expect(server.received.map(({ headers }) => headers.get('Idempotency-Key'))).toEqual(['key-1', 'key-1']);
    expect(server.tasks.all).toHaveLength(1);
  });

  test('is sent twice, then the call fails', async () => {
    for (let i = 0; i < 3; i++) server.cutOff('GET');
    expect(await failureOf(() => send('/api/v1/tasks'))).toMatchObject({ status: 0, reason: 'OFFLINE' });
    expect(server.received).toHaveLength(3);
  });

  test.each<[string, Call['method'], () => Promise<unknown>]>([
    ['an update', 'PATCH', () => updateTask('id', { status: 'DONE' }, 'r1')],
    ['a deletion', 'DELETE', () => deleteTask('id', 'r1')],
    ['an undeletion', 'POST', () => undeleteTask('id')],
  ])('is never sent for %s', async (_, method = 'GET', call) => {
    server.cutOff(method);
    expect(await failureOf(call)).toMatchObject({ reason: 'OFFLINE' });
    expect(server.received).toHaveLength(1);
  });

  test.each([400, 401, 404, 412, 422, 429, 500])('is not sent after status %i', async (status) => {
    server.refuse('GET', new Refusal(status, 'REFUSED'));
    expect(await failureOf(() => send('/api/v1/tasks'))).toMatchObject({ status, reason: 'REFUSED' });
    expect(server.received).toHaveLength(1);
  });
});

describe('a response', () => {
  test('without content is undefined', async () => {
    const { id } = server.tasks.add();
    await expect(deleteTask(id, 'r1')).resolves.toBeUndefined();
  });

  test('with a problem becomes an error with all its details', async () => {
    const violations = [{ field: 'title', description: 'must not be blank' }];
    server.refuse('POST', new Refusal(422, 'INVALID_FIELD', { detail: 'Bad title', violations, request_id: 'abc' }));
    const failure = await failureOf(() => createTask({ title: '' }, 'key'));
    expect(failure).toMatchObject({ status: 422, reason: 'INVALID_FIELD', message: 'Bad title', requestId: 'abc' });
    expect(failure.violations).toEqual(violations);
  });

  test.each(['<html>Bad gateway</html>', '', 'null', '"text"', '[]', '{"message":"from the gateway"}'])(
    'with an error status but no problem becomes an error: %s',
    async (body) => {
      respond('GET', body, { status: 500, statusText: 'Internal Server Error', headers: { 'X-Request-ID': 'abc' } });
      const failure = await failureOf(() => send('/api/v1/tasks'));
      expect(failure).toBeInstanceOf(ApiError);
      expect(failure).toMatchObject({ status: 500, reason: 'UNKNOWN', requestId: 'abc', violations: [] });
    },
  );

  test('that is not JSON is an error', async () => {
    respond('GET', '<html>Welcome to the hotel</html>', { headers: { 'X-Request-ID': 'abc' } });
    const failure = await failureOf(() => send('/api/v1/tasks'));
    expect(failure).toMatchObject({ status: 200, reason: 'UNREADABLE', requestId: 'abc' });
  });

  test('that ends early is retried', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    respond('GET', new ReadableStream({ start: (stream) => stream.error(new TypeError('network error')) }));
    const page = send('/api/v1/tasks');
    await vi.runAllTimersAsync();
    expect(await page).toEqual({ tasks: [], next_page_token: '' });
  });

  test('that does not arrive in time is an error', async () => {
    const time = new AbortController();
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(time.signal);
    server.next('PATCH', () => new Promise(() => time.abort(new DOMException('', 'TimeoutError'))));
    expect(await failureOf(() => updateTask('id', {}, 'r1'))).toMatchObject({ status: 0, reason: 'TIMEOUT' });
  });

  test('to an aborted call throws the reason of the abort', async () => {
    const controller = new AbortController();
    server.next('GET', () => new Promise(() => controller.abort(new Error('gone'))));
    await expect(send('/api/v1/tasks', { signal: controller.signal })).rejects.toThrow('gone');
    expect(server.received).toHaveLength(1);
  });
});

describe('Retry-After', () => {
  test.each([
    ['7', 7],
    ['0', 1],
    ['Thu, 01 Jan 2026 12:00:30 GMT', 30],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 1],
    ['soon', undefined],
    ['', undefined],
  ])('of “%s” is %s seconds', async (header, seconds) => {
    respond('GET', '{}', { status: 500, headers: { 'Retry-After': header } });
    expect((await failureOf(() => send('/api/v1/tasks'))).retryAfterSeconds).toBe(seconds);
  });
});

test('the handler for 401 is called on a 401, and only then', async () => {
  const onUnauthorized = vi.fn();
  whenUnauthorized(onUnauthorized);
  server.isSignedIn = false;
  server.refuse('PATCH', new Refusal(403, 'FORBIDDEN'));
  await failureOf(() => updateTask('id', {}, 'r1'));
  expect(onUnauthorized).not.toHaveBeenCalled();
  expect(await failureOf(() => send('/api/v1/session'))).toMatchObject({ status: 401 });
  expect(onUnauthorized).toHaveBeenCalledOnce();
});

describe('over the rate limit', () => {
  const LIMITED = new Refusal(429, 'RATE_LIMITED', {}, { 'Retry-After': '3' });

  test('every call waits, and continues when the limit is over', async () => {
    vi.useFakeTimers();
    server.refuse('POST', LIMITED);
    const created = createTask({ title: 'Buy milk' }, 'key');
    await vi.advanceTimersByTimeAsync(1_600);
    expect(rateLimit.seconds).toBe(2);
    const listed = send('/api/v1/tasks');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.received).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await created).toMatchObject({ title: 'Buy milk' });
    expect(await listed).toMatchObject({ tasks: expect.any(Array) });
    expect([server.received.length, rateLimit.seconds]).toEqual([3, 0]);
  });

  test('a cancelled call does not continue', async () => {
    vi.useFakeTimers();
    server.refuse('GET', LIMITED);
    const cancel = new AbortController();
    const failure = send('/api/v1/tasks', { signal: cancel.signal }).catch((error: unknown) => error);
    cancel.abort();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await failure).toMatchObject({ name: 'AbortError' });
    expect(server.received).toHaveLength(1);
  });

  test('a password is not tried again', async () => {
    server.refuse('GET', LIMITED);
    await expect(logIn('ann', 'secret')).rejects.toMatchObject({ status: 429, retryAfterSeconds: 3 });
  });
});

test('the result of a call does not reach the next user', async () => {
  sendAs('ann');
  const done = vi.fn();
  const held = server.holdResponse('POST');
  void createTask({ title: 'Ann’s secret' }, 'key').then(done, done);
  await held.arrived;
  sendAs('bob');
  held.release();
  await send('/api/v1/tasks');
  expect(done).not.toHaveBeenCalled();
});
