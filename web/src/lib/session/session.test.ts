// @vitest-environment node
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Refusal } from '#lib/testing/refusal.ts';
import { FakeServer } from '#lib/testing/server.ts';
import { Session } from './session.svelte';

let server: FakeServer;
let session: Session;

beforeEach(() => {
  server = FakeServer.start();
  session = new Session();
});

describe('loading the session', () => {
  test('returns the user', async () => {
    expect(session.state).toBe('unknown');
    await session.load();
    expect([session.state, session.user]).toEqual(['present', 'ann']);
  });

  test('without one sets the state to absent', async () => {
    server.isSignedIn = false;
    await session.load();
    expect([session.state, session.user, session.error]).toEqual(['absent', '', undefined]);
  });

  test('stores an error, leaves the state unknown, and can be retried', async () => {
    server.refuse('GET', new Refusal(500, 'INTERNAL'));
    await session.load();
    expect([session.state, session.error]).toEqual(['unknown', expect.objectContaining({ status: 500 })]);
    await session.load();
    expect([session.state, session.error]).toEqual(['present', undefined]);
  });
});

describe('signing in', () => {
  test('starts a session for this user', async () => {
    await session.logIn('bob', 'secret');
    expect([session.state, session.user]).toEqual(['present', 'bob']);
  });

  test('with a wrong password throws, and starts no session', async () => {
    await expect(session.logIn('bob', 'wrong')).rejects.toMatchObject({ status: 401 });
    expect([session.state, session.user]).toEqual(['unknown', '']);
  });

  test('completes when the gateway accepts the new session, even after it cached a miss for a second', async () => {
    vi.useFakeTimers();
    server.storesSessionAfterMs = 1_100;
    const login = session.logIn('bob', 'secret');
    await vi.advanceTimersByTimeAsync(1_050);
    expect(session.state).toBe('unknown');
    await vi.advanceTimersByTimeAsync(100);
    await login;
    expect([session.state, session.user]).toEqual(['present', 'bob']);
    expect(server.received.map(({ headers }) => headers.has('Authorization'))).toEqual([true, ...Array(4).fill(false)]);
  });

  test('fails if the gateway does not accept the session within two seconds of the login', async () => {
    vi.useFakeTimers();
    server.storesSessionAfterMs = Infinity;
    const failure = session.logIn('bob', 'secret').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await failure).toMatchObject({ status: 0, reason: 'SESSION_NOT_READY', requestId: 'request-1' });
    expect(vi.getTimerCount()).toBe(0);
    expect(session.state).toBe('unknown');
  });

  test('where the browser keeps no cookie says so', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('isSecureContext', false);
    server.storesSessionAfterMs = Infinity;
    const failure = session.logIn('bob', 'secret').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await failure).toMatchObject({ status: 0, reason: 'NO_COOKIE' });
  });

  test('renews an expired session', async () => {
    await session.load();
    session.expire();
    expect([session.state, session.user]).toEqual(['expired', 'ann']);
    await session.logIn('ann', 'secret');
    expect(session.state).toBe('present');
  });
});

test('signing out ends the session at the gateway', async () => {
  await session.load();
  await session.logOut();
  expect([session.state, session.user, server.isSignedIn]).toEqual(['absent', '', false]);
  expect(server.asked('POST')[0]?.url.search).toBe('?session_logout=true');
});

test('a failed sign-out leaves the user signed in', async () => {
  await session.load();
  server.refuse('POST', new Refusal(503, 'UNAVAILABLE'));
  await expect(session.logOut()).rejects.toMatchObject({ status: 503 });
  expect([session.state, session.user]).toEqual(['present', 'ann']);
});

test('only a present session can expire', async () => {
  session.expire();
  expect(session.state).toBe('unknown');
  server.isSignedIn = false;
  await session.load();
  session.expire();
  expect(session.state).toBe('absent');
});
