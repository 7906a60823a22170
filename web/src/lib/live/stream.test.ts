import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Block } from './parser';
import { loginAccepted } from '#lib/api/session-fetch.ts';
import { browserDependencies } from './dependencies';
import { Stream } from './stream';
import { blackHole, FakeServer, refuse } from './testing/server';

let server: FakeServer;
let stream: Stream;
let calls: string[];
let blocks: Block[];
let random = 0.5;

beforeEach(() => {
  vi.useFakeTimers();
  random = 0.5;
  server = new FakeServer();
  vi.stubGlobal('fetch', server.fetch);
  calls = [];
  blocks = [];
});

afterEach(() => {
  stream.end();
  vi.useRealTimers();
});

function run(lastId = ''): Promise<void> {
  const dependencies = { ...browserDependencies(), random: () => random };
  stream = new Stream(dependencies, lastId, {
    onopen: (isResumed) => calls.push(isResumed ? 'resumed' : 'begun'),
    onblock: (block) => blocks.push(block),
    onstatus: (status) => calls.push(status),
    onunauthorized: () => calls.push('unauthorized'),
  });
  return stream.run();
}

async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

async function opened(lastId = ''): Promise<void> {
  void run(lastId);
  await pass();
  calls.splice(0);
}

function data(): string[] {
  return blocks.flatMap(({ event }) => (event ? [event.data] : []));
}

function sentLastIds(): (string | null)[] {
  return server.requests.map(({ headers }) => headers.get('Last-Event-ID'));
}

describe('the stream', () => {
  it('is live once it is open', async () => {
    void run();
    expect(calls).toEqual(['connecting']);
    await pass();
    expect(calls).toEqual(['connecting', 'live', 'begun']);
    expect(server.requests[0]?.path).toBe('/api/v1/events');
    expect(server.requests[0]?.headers.get('Accept')).toBe('text/event-stream');
    expect(sentLastIds()).toEqual([null]);
  });

  it('passes on each event when it arrives', async () => {
    await opened();
    server.publish('task.created', 'a');
    await pass();
    expect(blocks.at(-1)).toEqual({ id: '1', event: { name: 'task.created', data: 'a' } });
  });

  it('starts after the given ID', async () => {
    void run('5');
    await pass();
    expect(sentLastIds()).toEqual(['5']);
    expect(calls.at(-1)).toBe('resumed');
  });

  it('reconnects after the server’s retry time when the server ends the stream', async () => {
    await opened();
    server.onlyConnection.send('retry: 4000\n\n');
    server.onlyConnection.end();
    await pass(3_999);
    expect(calls).toEqual(['connecting']);
    await pass(1);
    expect(calls).toEqual(['connecting', 'live', 'resumed']);
  });

  it.each([
    ['0', 500],
    ['99999999', 60_000],
  ])('limits a retry time of %s ms to %s ms', async (retry, expected) => {
    await opened();
    server.onlyConnection.send(`retry: ${retry}\n\n`);
    server.onlyConnection.end();
    await pass(expected - 1);
    expect(server.requests).toHaveLength(1);
    await pass(1);
    expect(server.requests).toHaveLength(2);
  });

  it('misses and repeats nothing across reconnects', async () => {
    await opened();
    server.publish('task.created', 'a');
    await pass();
    server.onlyConnection.break();
    server.publish('task.created', 'b');
    await pass(1_000);
    server.publish('task.created', 'c');
    await pass();
    server.onlyConnection.end();
    server.publish('task.created', 'd');
    await pass(1_000);
    expect(data()).toEqual(['a', 'b', 'c', 'd']);
    expect(sentLastIds()).toEqual([null, '1', '3']);
  });

  it('resumes after the ID of a heartbeat', async () => {
    await opened();
    server.onlyConnection.send(': heartbeat\nid: 41\n\n');
    await pass();
    server.onlyConnection.break();
    await pass(1_000);
    expect(sentLastIds()).toEqual([null, '41']);
  });

  it('resumes after the last ID that is valid in a header', async () => {
    await opened();
    server.onlyConnection.send('id: 41\n\nid: 4€2\n\n');
    await pass();
    server.onlyConnection.break();
    await pass(1_000);
    expect(sentLastIds()).toEqual([null, '41']);
  });

  it('waits longer after each failure, and is offline until a stream is open', async () => {
    server.isReachable = false;
    random = 1;
    void run();
    const pauses = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (const [failures, pause] of pauses.entries()) {
      await pass(pause - 1);
      expect(server.requests).toHaveLength(failures + 1);
      await pass(1);
    }
    server.isReachable = true;
    await pass(30_000);
    expect([...new Set(calls)]).toEqual(['connecting', 'offline', 'live', 'begun']);
  });

  it('counts a stream that breaks soon after opening as a failure', async () => {
    await opened();
    server.onlyConnection.break();
    await pass(500);
    server.onlyConnection.break();
    await pass(999);
    expect(server.requests).toHaveLength(2);
    await pass(1);
    expect(server.requests).toHaveLength(3);
  });

  it('reconnects quickly when a stream breaks that was open for a while', async () => {
    server.isReachable = false;
    void run();
    await pass(5_000);
    server.isReachable = true;
    await pass(30_000);
    const before = server.requests.length;
    server.onlyConnection.break();
    await pass(500);
    expect(server.requests).toHaveLength(before + 1);
  });

  it('resets the backoff when the server ends the stream', async () => {
    server.isReachable = false;
    void run();
    await pass(5_000);
    server.isReachable = true;
    await pass(30_000);
    server.onlyConnection.end();
    server.isReachable = false;
    await pass(1_000);
    const before = server.requests.length;
    await pass(500);
    expect(server.requests).toHaveLength(before + 1);
  });

  it.each([429, 503])('waits after %i for the time in Retry-After, even if the page becomes visible', async (code) => {
    server.refusals.push(refuse(code, { 'Retry-After': '20' }));
    void run();
    await pass(10_000);
    document.dispatchEvent(new Event('visibilitychange'));
    window.dispatchEvent(new Event('online'));
    await pass(9_999);
    expect(server.requests).toHaveLength(1);
    await pass(501);
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ['an error', refuse(500)],
    ['an error with the content type of a stream', refuse(500, { 'Content-Type': 'text/event-stream' })],
    ['a page of another server', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })],
    ['empty', () => new Response(null, { status: 204 })],
  ])('retries when the response is %s', async (_, answer) => {
    server.refusals.push(answer);
    void run();
    await pass();
    expect(calls).toEqual(['connecting', 'offline']);
    await pass(500);
    expect(calls).toEqual(['connecting', 'offline', 'live', 'begun']);
  });

  it('stops when the session has ended', async () => {
    server.refusals.push(refuse(401));
    await run();
    await pass(60_000);
    expect(calls).toEqual(['connecting', 'unauthorized']);
    expect(server.requests).toHaveLength(1);
  });

  it('retries a 401 for two seconds after a login', async () => {
    loginAccepted();
    server.refusals.push(refuse(401), refuse(401), refuse(401));
    void run();
    await pass(1_100);
    expect(calls).toEqual(['connecting', 'live', 'begun']);
    expect(server.requests).toHaveLength(4);
  });

  it('stops when it still gets a 401 two seconds after a login', async () => {
    loginAccepted();
    server.refusals.push(...Array<() => Response>(10).fill(refuse(401)));
    void run();
    await pass(1_999);
    expect(calls).toEqual(['connecting']);
    await pass(1);
    expect(calls).toEqual(['connecting', 'unauthorized']);
  });

  it('closes a stream that is silent for 45 seconds', async () => {
    await opened();
    await pass(30_000);
    server.heartbeat();
    await pass(44_999);
    expect(calls).toEqual([]);
    await pass(1);
    expect(calls).toEqual(['offline']);
    expect(server.connections).toEqual([]);
    await pass(500);
    expect(calls).toEqual(['offline', 'live', 'resumed']);
  });

  it('aborts a request without a response', async () => {
    server.refusals.push(blackHole);
    void run();
    await pass(15_000);
    expect(calls.at(-1)).toBe('offline');
    await pass(500);
    expect(calls.at(-1)).toBe('begun');
  });

  it('closes a stream that sends an endless line', async () => {
    await opened();
    for (let i = 0; i < 17; i++) server.onlyConnection.send(new Uint8Array(64 * 1024).fill(120));
    await pass();
    expect(calls).toEqual(['offline']);
    expect(server.connections).toEqual([]);
  });

  it.each([
    ['the network is back', () => window.dispatchEvent(new Event('online'))],
    ['the page becomes visible', () => document.dispatchEvent(new Event('visibilitychange'))],
  ])('reconnects immediately when %s', async (_, happen) => {
    server.isReachable = false;
    void run();
    await pass(120_000);
    server.isReachable = true;
    const before = server.requests.length;
    happen();
    await pass();
    expect(server.requests).toHaveLength(before + 1);
    expect(calls.at(-1)).toBe('begun');
  });

  it.each([
    ['resumes after a short sleep', 9, [null, '0'], 'resumed'],
    ['starts with new events after a long sleep, so that the page loads its data again', 11, [null, null], 'begun'],
  ])('%s', async (_, minutes, lastIds, opening) => {
    await opened();
    vi.setSystemTime(Date.now() + minutes * 60_000); // timers do not run during a sleep
    document.dispatchEvent(new Event('visibilitychange'));
    await pass(1_000);
    expect(sentLastIds()).toEqual(lastIds);
    expect(calls.at(-1)).toBe(opening);
  });

  it('closes a stale stream when the page becomes visible', async () => {
    server.refusals.push(refuse(500));
    await opened();
    await pass(500);
    calls.splice(0);
    await pass(19_000);
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(calls).toEqual([]);
    await pass(2_000);
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(calls).toEqual(['offline']);
  });

  it('is offline as soon as the network is gone, but retries: the server may be on this machine', async () => {
    await opened();
    window.dispatchEvent(new Event('offline'));
    expect(calls).toEqual(['offline']);
    await pass(500);
    expect([...new Set(calls)]).toEqual(['offline', 'live', 'resumed']);
  });

  it('makes no more calls after its end, and closes its connection', async () => {
    await opened();
    server.publish('task.created', 'a');
    stream.end();
    await pass(60_000);
    window.dispatchEvent(new Event('online'));
    await pass();
    expect([calls, data(), server.connections, server.requests.length]).toEqual([[], [], [], 1]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
