import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Block } from './parser';
import { loginAccepted } from '#lib/api/session-fetch.ts';
import { browserDependencies } from './dependencies';
import { Stream } from './stream';
import { blackHole, FakeServer, refuse } from './testing/server';

let server: FakeServer;
let stream: Stream;
let told: string[];
let blocks: Block[];
let random = 0.5;

beforeEach(() => {
  vi.useFakeTimers();
  random = 0.5;
  server = new FakeServer();
  vi.stubGlobal('fetch', server.fetch);
  told = [];
  blocks = [];
});

afterEach(() => {
  stream.end();
  vi.useRealTimers();
});

function run(lastId = ''): Promise<void> {
  const dependencies = { ...browserDependencies(), random: () => random };
  stream = new Stream(dependencies, lastId, {
    onopen: (isResumed) => told.push(isResumed ? 'resumed' : 'begun'),
    onblock: (block) => blocks.push(block),
    onstatus: (status) => told.push(status),
    onunauthorized: () => told.push('unauthorized'),
  });
  return stream.run();
}

async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

async function opened(lastId = ''): Promise<void> {
  void run(lastId);
  await pass();
  told.splice(0);
}

function data(): string[] {
  return blocks.flatMap(({ event }) => (event ? [event.data] : []));
}

function askedBehind(): (string | null)[] {
  return server.requests.map(({ headers }) => headers.get('Last-Event-ID'));
}

describe('the stream', () => {
  it('is live when it is open, and not before', async () => {
    void run();
    expect(told).toEqual(['connecting']);
    await pass();
    expect(told).toEqual(['connecting', 'live', 'begun']);
    expect(server.requests[0]?.path).toBe('/api/v1/events');
    expect(server.requests[0]?.headers.get('Accept')).toBe('text/event-stream');
    expect(askedBehind()).toEqual([null]);
  });

  it('gives each event as it comes', async () => {
    await opened();
    server.publish('task.created', 'a');
    await pass();
    expect(blocks.at(-1)).toEqual({ id: '1', event: { name: 'task.created', data: 'a' } });
  });

  it('begins behind the id that it was given', async () => {
    void run('5');
    await pass();
    expect(askedBehind()).toEqual(['5']);
    expect(told.at(-1)).toBe('resumed');
  });

  it('comes back when the server asked it to, after a stream that ended in good order', async () => {
    await opened();
    server.onlyConnection.send('retry: 4000\n\n');
    server.onlyConnection.end();
    await pass(3_999);
    expect(told).toEqual(['connecting']);
    await pass(1);
    expect(told).toEqual(['connecting', 'live', 'resumed']);
  });

  it.each([
    ['0', 500],
    ['99999999', 60_000],
  ])('does not take a retry of %s by its word', async (retry, expected) => {
    await opened();
    server.onlyConnection.send(`retry: ${retry}\n\n`);
    server.onlyConnection.end();
    await pass(expected - 1);
    expect(server.requests).toHaveLength(1);
    await pass(1);
    expect(server.requests).toHaveLength(2);
  });

  it('misses nothing and repeats nothing across cuts', async () => {
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
    expect(askedBehind()).toEqual([null, '1', '3']);
  });

  it('goes on behind a heartbeat', async () => {
    await opened();
    server.onlyConnection.send(': heartbeat\nid: 41\n\n');
    await pass();
    server.onlyConnection.break();
    await pass(1_000);
    expect(askedBehind()).toEqual([null, '41']);
  });

  it('goes on behind the last id that a header can carry', async () => {
    await opened();
    server.onlyConnection.send('id: 41\n\nid: 4€2\n\n');
    await pass();
    server.onlyConnection.break();
    await pass(1_000);
    expect(askedBehind()).toEqual([null, '41']);
  });

  it('waits longer from failure to failure, and stays offline until a stream is open', async () => {
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
    expect([...new Set(told)]).toEqual(['connecting', 'offline', 'live', 'begun']);
  });

  it('counts a stream that breaks as soon as it is open as one more failure', async () => {
    await opened();
    server.onlyConnection.break();
    await pass(500);
    server.onlyConnection.break();
    await pass(999);
    expect(server.requests).toHaveLength(2);
    await pass(1);
    expect(server.requests).toHaveLength(3);
  });

  it('comes back soon when a stream breaks that was open for a while', async () => {
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

  it('counts failures anew after a stream that ended in good order', async () => {
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

  it.each([429, 503])(
    'waits after %i for as long as it is told, and nobody who looks makes it shorter',
    async (code) => {
      server.refusals.push(refuse(code, { 'Retry-After': '20' }));
      void run();
      await pass(10_000);
      document.dispatchEvent(new Event('visibilitychange'));
      window.dispatchEvent(new Event('online'));
      await pass(9_999);
      expect(server.requests).toHaveLength(1);
      await pass(501);
      expect(server.requests).toHaveLength(2);
    },
  );

  it.each([
    ['an error', refuse(500)],
    ['an error that calls itself a stream', refuse(500, { 'Content-Type': 'text/event-stream' })],
    ['a page of somebody else', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })],
    ['nothing', () => new Response(null, { status: 204 })],
  ])('tries again when the answer is %s', async (_, answer) => {
    server.refusals.push(answer);
    void run();
    await pass();
    expect(told).toEqual(['connecting', 'offline']);
    await pass(500);
    expect(told).toEqual(['connecting', 'offline', 'live', 'begun']);
  });

  it('stops when the session is over', async () => {
    server.refusals.push(refuse(401));
    await run();
    await pass(60_000);
    expect(told).toEqual(['connecting', 'unauthorized']);
    expect(server.requests).toHaveLength(1);
  });

  it('retries a 401 for two seconds after a login', async () => {
    loginAccepted();
    server.refusals.push(refuse(401), refuse(401), refuse(401));
    void run();
    await pass(1_100);
    expect(told).toEqual(['connecting', 'live', 'begun']);
    expect(server.requests).toHaveLength(4);
  });

  it('stops when it still gets a 401 two seconds after a login', async () => {
    loginAccepted();
    server.refusals.push(...Array<() => Response>(10).fill(refuse(401)));
    void run();
    await pass(1_999);
    expect(told).toEqual(['connecting']);
    await pass(1);
    expect(told).toEqual(['connecting', 'unauthorized']);
  });

  it('gives a stream up that is silent for 45 seconds', async () => {
    await opened();
    await pass(30_000);
    server.heartbeat();
    await pass(44_999);
    expect(told).toEqual([]);
    await pass(1);
    expect(told).toEqual(['offline']);
    expect(server.connections).toEqual([]);
    await pass(500);
    expect(told).toEqual(['offline', 'live', 'resumed']);
  });

  it('gives a request up that is not answered', async () => {
    server.refusals.push(blackHole);
    void run();
    await pass(15_000);
    expect(told.at(-1)).toBe('offline');
    await pass(500);
    expect(told.at(-1)).toBe('begun');
  });

  it('gives a stream up that sends a line without end', async () => {
    await opened();
    for (let i = 0; i < 17; i++) server.onlyConnection.send(new Uint8Array(64 * 1024).fill(120));
    await pass();
    expect(told).toEqual(['offline']);
    expect(server.connections).toEqual([]);
  });

  it.each([
    ['the network is back', () => window.dispatchEvent(new Event('online'))],
    ['somebody looks at the page', () => document.dispatchEvent(new Event('visibilitychange'))],
  ])('tries at once when %s', async (_, happen) => {
    server.isReachable = false;
    void run();
    await pass(120_000);
    server.isReachable = true;
    const before = server.requests.length;
    happen();
    await pass();
    expect(server.requests).toHaveLength(before + 1);
    expect(told.at(-1)).toBe('begun');
  });

  it('does not trust a stream that went quiet when somebody looks at the page', async () => {
    server.refusals.push(refuse(500));
    await opened();
    await pass(500);
    told.splice(0);
    await pass(19_000);
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(told).toEqual([]);
    await pass(2_000);
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(told).toEqual(['offline']);
  });

  it('is offline as soon as the network is gone, and tries on: the server may be on this machine', async () => {
    await opened();
    window.dispatchEvent(new Event('offline'));
    expect(told).toEqual(['offline']);
    await pass(500);
    expect([...new Set(told)]).toEqual(['offline', 'live', 'resumed']);
  });

  it('tells nothing more once it was ended, and lets go of its connection', async () => {
    await opened();
    server.publish('task.created', 'a');
    stream.end();
    await pass(60_000);
    window.dispatchEvent(new Event('online'));
    await pass();
    expect([told, data(), server.connections, server.requests.length]).toEqual([[], [], [], 1]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
