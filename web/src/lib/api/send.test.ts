// @vitest-environment node
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeServer } from '#lib/testing/server.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { ApiError } from './errors';
import { send, whenUnauthorized, type Call } from './send';
import { createTask, deleteTask, undeleteTask, updateTask } from './tasks';
import { logIn } from './session';

let server: FakeServer;

beforeEach(() => {
  server = FakeServer.start();
});

/** What sending throws, without waiting for the pauses between attempts. */
async function failureOf(call: () => Promise<unknown>): Promise<ApiError> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: new Date('2026-01-01T12:00:00Z') });
  const failure = call().then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error as ApiError,
  );
  await vi.runAllTimersAsync();
  return failure;
}

function answer(method: string, ...[body, init]: ConstructorParameters<typeof Response>) {
  server.next(method, () => new Response(body, init));
}

describe('what is sent', () => {
  test('has its query with one parameter for each value of a list, and without what is empty', async () => {
    const query = { text: 'a&b=ü', labels: ['a', 'b,c'], none: [], empty: '', missing: undefined, no: false, zero: 0 };
    await send('/api/v1/tasks', { query });
    expect(server.received[0]?.url.search).toBe('?text=a%26b%3D%C3%BC&labels=a&labels=b%2Cc&no=false&zero=0');
  });

  test('has no question mark where there is nothing to ask', async () => {
    await send('/api/v1/tasks', { query: { text: '' } });
    expect(server.received[0]?.url.href).toBe('http://taskmesh.test/api/v1/tasks');
  });

  test('says that it is JSON where it is', async () => {
    await send('/api/v1/tasks', { method: 'POST', body: { title: 'Buy milk' } });
    await send('/api/v1/tasks');
    const [post, get] = server.received;
    expect(post?.headers.get('Content-Type')).toBe('application/json');
    expect(post?.body).toEqual({ title: 'Buy milk' });
    expect(get?.headers.has('Content-Type')).toBe(false);
  });

  test('keeps an id within its path', async () => {
    await expect(updateTask('../a?b:c', {}, 'r1')).rejects.toThrow(ApiError);
    expect(server.received[0]?.url.pathname).toBe('/api/v1/tasks/..%2Fa%3Fb%3Ac');
  });

  test('has a name and a password in UTF-8', async () => {
    server.password = 'pässwörd 🥛';
    await expect(logIn('änn', 'pässwörd 🥛')).resolves.toEqual({ user: 'änn' });
  });
});

describe('what is sent again', () => {
  const task = { title: 'Buy milk' };

  test('is a read that did not get through', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    server.tasks.add();
    server.cutOff('GET');
    answer('GET', '<html>', { status: 502 });
    const page = send<{ tasks: unknown[] }>('/api/v1/tasks');
    await vi.runAllTimersAsync();
    expect((await page).tasks).toHaveLength(1);
    expect(server.received).toHaveLength(3);
  });

  test('is a create, under the same key, so that it counts once', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    server.loseAnswer('POST');
    const created = createTask(task, 'key-1');
    await vi.runAllTimersAsync();
    expect(await created).toMatchObject({ title: 'Buy milk', revision: 1 });
    expect(server.received.map(({ headers }) => headers.get('Idempotency-Key'))).toEqual(['key-1', 'key-1']);
    expect(server.tasks.all).toHaveLength(1);
  });

  test('is sent three times in all, then it has failed', async () => {
    for (let i = 0; i < 3; i++) server.cutOff('GET');
    expect(await failureOf(() => send('/api/v1/tasks'))).toMatchObject({ status: 0, reason: 'OFFLINE' });
    expect(server.received).toHaveLength(3);
  });

  test.each<[string, Call['method'], () => Promise<unknown>]>([
    ['an update', 'PATCH', () => updateTask('id', { status: 'DONE' }, 'r1')],
    ['a deletion', 'DELETE', () => deleteTask('id', 'r1')],
    ['an undeletion', 'POST', () => undeleteTask('id')],
  ])('is never %s', async (_, method = 'GET', call) => {
    server.cutOff(method);
    expect(await failureOf(call)).toMatchObject({ reason: 'OFFLINE' });
    expect(server.received).toHaveLength(1);
  });

  test.each([400, 401, 404, 412, 422, 429, 500])('is nothing that was answered with %i', async (status) => {
    server.refuse('GET', new Refusal(status, 'REFUSED'));
    expect(await failureOf(() => send('/api/v1/tasks'))).toMatchObject({ status, reason: 'REFUSED' });
    expect(server.received).toHaveLength(1);
  });
});

describe('an answer', () => {
  test('without content is nothing', async () => {
    const { id } = server.tasks.add();
    await expect(deleteTask(id, 'r1')).resolves.toBeUndefined();
  });

  test('that is a problem is told whole', async () => {
    const violations = [{ field: 'title', description: 'must not be blank' }];
    server.refuse('POST', new Refusal(422, 'INVALID_FIELD', { detail: 'Bad title', violations, request_id: 'abc' }));
    const failure = await failureOf(() => createTask({ title: '' }, 'key'));
    expect(failure).toMatchObject({ status: 422, reason: 'INVALID_FIELD', message: 'Bad title', requestId: 'abc' });
    expect(failure.violations).toEqual(violations);
  });

  test.each(['<html>Bad gateway</html>', '', 'null', '"text"', '[]', '{"message":"of the gateway"}'])(
    'that is an error but no problem is an error all the same: %s',
    async (body) => {
      answer('GET', body, { status: 500, statusText: 'Internal Server Error', headers: { 'X-Request-ID': 'abc' } });
      const failure = await failureOf(() => send('/api/v1/tasks'));
      expect(failure).toBeInstanceOf(ApiError);
      expect(failure).toMatchObject({ status: 500, reason: 'UNKNOWN', requestId: 'abc', violations: [] });
    },
  );

  test('that is no JSON is an error', async () => {
    answer('GET', '<html>Welcome to the hotel</html>', { headers: { 'X-Request-ID': 'abc' } });
    const failure = await failureOf(() => send('/api/v1/tasks'));
    expect(failure).toMatchObject({ status: 200, reason: 'UNREADABLE', requestId: 'abc' });
  });

  test('that breaks off is as good as none, and asked for again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    answer('GET', new ReadableStream({ start: (stream) => stream.error(new TypeError('network error')) }));
    const page = send('/api/v1/tasks');
    await vi.runAllTimersAsync();
    expect(await page).toEqual({ tasks: [], next_page_token: '' });
  });

  test('that does not come in time is an error', async () => {
    const time = new AbortController();
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(time.signal);
    server.next('PATCH', () => new Promise(() => time.abort(new DOMException('', 'TimeoutError'))));
    expect(await failureOf(() => updateTask('id', {}, 'r1'))).toMatchObject({ status: 0, reason: 'TIMEOUT' });
  });

  test('that nobody waits for any more throws what the abort says', async () => {
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
    answer('GET', '{}', { status: 429, headers: { 'Retry-After': header } });
    expect((await failureOf(() => send('/api/v1/tasks'))).retryAfterSeconds).toBe(seconds);
  });
});

test('whoever wants to know is told that nobody is signed in any more, and only then', async () => {
  const told = vi.fn();
  whenUnauthorized(told);
  server.isSignedIn = false;
  server.refuse('PATCH', new Refusal(403, 'FORBIDDEN'));
  await failureOf(() => updateTask('id', {}, 'r1'));
  expect(told).not.toHaveBeenCalled();
  expect(await failureOf(() => send('/api/v1/session'))).toMatchObject({ status: 401 });
  expect(told).toHaveBeenCalledOnce();
});
