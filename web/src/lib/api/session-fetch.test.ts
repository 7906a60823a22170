// @vitest-environment node
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Refusal } from '#lib/testing/refusal.ts';
import { FakeServer } from '#lib/testing/server.ts';
import { send } from './send';
import { logIn, logOut } from './session';
import { createTask, deleteTask, updateTask } from './tasks';

let server: FakeServer;

beforeEach(async () => {
  vi.useFakeTimers();
  server = FakeServer.start();
  const login = logIn('ann', 'secret');
  await vi.advanceTimersByTimeAsync(50);
  await login;
  server.received.splice(0);
});

function refuse(method: string, status: number): void {
  server.refuse(method, new Refusal(status, 'REFUSED'));
}

/** Return what the call returns or throws within `ms`. */
async function outcomeOf(call: Promise<unknown>, ms: number): Promise<unknown> {
  const outcome = call.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(ms);
  return outcome;
}

describe('a 401 just after a login', () => {
  test.each<[string, string, (id: string) => Promise<unknown>]>([
    ['read', 'GET', () => send('/api/v1/tasks')],
    ['create', 'POST', () => createTask({ title: 'Buy milk' }, 'key')],
    ['update', 'PATCH', (id) => updateTask(id, { status: 'DONE' }, 'r1')],
    ['deletion', 'DELETE', (id) => deleteTask(id, 'r1')],
  ])('is retried for a %s', async (_, method, call) => {
    const { id } = server.tasks.add();
    refuse(method, 401);
    refuse(method, 401);
    expect(await outcomeOf(call(id), 400)).not.toBeInstanceOf(Error);
    expect(server.received).toHaveLength(3);
  });

  test('is retried after the second for which the gateway caches that it did not find the session', async () => {
    const at: number[] = [];
    const missed = (): Response => {
      at.push(performance.now());
      return new Refusal(401, 'REFUSED').response;
    };
    for (let i = 0; i < 4; i++) server.next('GET', missed);
    await outcomeOf(send('/api/v1/tasks'), 2_000);
    expect((at[3] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(1_000);
  });

  test('is final two seconds after the login', async () => {
    for (let i = 0; i < 10; i++) refuse('GET', 401);
    expect(await outcomeOf(send('/api/v1/tasks'), 1_950)).toMatchObject({ status: 401 });
    const sent = server.received.length;
    expect(await outcomeOf(send('/api/v1/tasks'), 0)).toMatchObject({ status: 401 });
    expect(server.received).toHaveLength(sent + 1);
  });

  test('is final for a wrong password', async () => {
    expect(await outcomeOf(logIn('ann', 'wrong'), 0)).toMatchObject({ status: 401, reason: 'UNAUTHENTICATED' });
    expect(server.received).toHaveLength(1);
  });

  test('is not retried with the cookie of another user', async () => {
    refuse('POST', 401);
    const created = outcomeOf(createTask({ title: 'Buy milk' }, 'key'), 100);
    const next = logOut().then(() => logIn('bob', 'secret'));
    expect(await created).toMatchObject({ status: 401 });
    await next;
    expect(server.tasks.all).toEqual([]);
  });
});

test.each([403, 429])('a %i just after a login is not retried', async (status) => {
  refuse('GET', status);
  expect(await outcomeOf(send('/api/v1/tasks'), 0)).toMatchObject({ status });
  expect(server.received).toHaveLength(1);
});

test('a request that was sent before the login is not retried', async () => {
  await vi.advanceTimersByTimeAsync(2_000);
  server.next('PATCH', async () => {
    await logIn('bob', 'secret');
    return new Refusal(401, 'REFUSED').response;
  });
  expect(await outcomeOf(updateTask('id', {}, 'r1'), 200)).toMatchObject({ status: 401, reason: 'REFUSED' });
  expect(server.asked('PATCH')).toHaveLength(1);
});
