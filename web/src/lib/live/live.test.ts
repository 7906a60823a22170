import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Live } from './live';
import { FakeBrowser } from './testing/browser';
import { FakeServer, refuse } from './testing/server';

let server: FakeServer;
let browser: FakeBrowser;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  browser = new FakeBrowser(server);
});

afterEach(async () => {
  browser.close();
  await pass();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

function publish(id: string): void {
  server.publish('task.created', { id });
}

async function open(tabs: number, user = 'alice') {
  const opened = Array.from({ length: tabs }, () => browser.openTab(user));
  await pass();
  for (const tab of opened) tab.take();
  return opened as [(typeof opened)[number], (typeof opened)[number], (typeof opened)[number]];
}

describe('one tab', () => {
  it('receives each event by its name and ignores unknown names', async () => {
    const [tab] = await open(1);
    server.publish('task.created', { id: 'a' });
    server.publish('task.updated', { id: 'b' });
    server.publish('task.deleted', { id: 'c' });
    server.publish('notification', { id: 'd' });
    server.publish('task.painted', { id: 'e' });
    await pass();
    expect(tab.heard).toEqual(['task.created a', 'task.updated b', 'task.deleted c', 'notification d']);
  });

  it('resets when its stream opens, because the stream contains only new events', async () => {
    const tab = browser.openTab('alice');
    await pass();
    expect(tab.heard).toEqual(['reset']);
    expect(tab.statuses).toEqual(['connecting', 'live']);
  });

  it('resets on each reset event from the server', async () => {
    const [tab] = await open(1);
    server.onlyConnection.send('id: 9\nevent: reset\ndata: {}\n\n'.repeat(2));
    await pass();
    expect(tab.heard).toEqual(['reset', 'reset']);
  });

  it('does not reset when its stream resumes', async () => {
    const [tab] = await open(1);
    server.onlyConnection.end();
    await pass(1_000);
    expect(tab.live.status).toBe('live');
    expect(tab.heard).toEqual([]);
  });

  it.each(['{"id": "a"', 'null', '[]', '{"id": 7}'])(
    'resets when an event is %s, and receives the next events',
    async (data) => {
      const warn = vi.spyOn(console, 'warn').mockReturnValue();
      const [tab] = await open(1);
      server.publish('task.created', data);
      publish('b');
      await pass();
      expect(tab.heard).toEqual(['reset', 'task.created b']);
      expect(warn).toHaveBeenCalledOnce();
    },
  );

  it('calls the other handlers and receives the next events when a handler throws', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    const [tab] = await open(1);
    const others: string[] = [];
    tab.live.on('notification', () => {
      throw new Error('broken');
    });
    tab.live.on('notification', ({ id }) => others.push(id));
    server.publish('notification', { id: 'a' });
    publish('b');
    await pass();
    expect(tab.heard).toEqual(['notification a', 'task.created b']);
    expect(others).toEqual(['a']);
  });

  it('does not call a removed handler', async () => {
    const [tab] = await open(1);
    const handler = vi.fn();
    tab.live.on('task.created', handler)();
    publish('a');
    await pass();
    expect(handler).not.toHaveBeenCalled();
  });

  it('can be stopped by a handler of an event', async () => {
    const [tab] = await open(1);
    tab.live.on('task.created', () => tab.live.stop());
    publish('a');
    publish('b');
    await pass(60_000);
    expect(tab.heard).toEqual(['task.created a']);
    expect(server.connections).toEqual([]);
  });

  it('stops when the session has ended', async () => {
    server.refusals.push(refuse(401));
    const [tab] = await open(1);
    await pass(60_000);
    expect(tab.isUnauthorized).toBe(true);
    expect(tab.live.status).toBe('offline');
    expect(server.requests).toHaveLength(1);
  });

  it.each(['connecting', 'live', 'offline'])('can be stopped by a handler of the status %s', async (when) => {
    if (when === 'offline') server.isReachable = false;
    const tab = browser.openTab('alice');
    tab.live.stop();
    tab.live.onstatus = (status) => status === when && tab.live.stop();
    tab.live.start('alice');
    await pass(60_000);
    expect(tab.heard).toEqual([]);
    expect(tab.live.status).toBe('offline');
    expect(server.connections).toEqual([]);
    tab.live.onstatus = undefined;
    server.isReachable = true;
    tab.live.start('alice');
    await pass();
    expect(tab.live.status).toBe('live');
  });

  it('ignores a late response to the previous session', async () => {
    let answer!: (response: Response) => void;
    const late = new Promise<Response>((resolve) => (answer = resolve));
    const fetch = vi.fn(server.fetch).mockReturnValueOnce(late);
    const live = new Live({ fetch, locks: undefined });
    live.onunauthorized = vi.fn();
    live.start('alice');
    live.start('bob');
    answer(new Response(null, { status: 401 }));
    await pass();
    expect(live.status).toBe('live');
    expect(live.onunauthorized).not.toHaveBeenCalled();
    live.stop();
  });

  it('starts again after a login, without an ID or event of the previous user', async () => {
    const [tab] = await open(1);
    publish('a');
    await pass();
    tab.live.stop();
    publish('b');
    tab.live.start('bob');
    tab.take();
    await pass();
    expect(tab.heard).toEqual(['reset']);
    expect(server.requests.map(({ headers }) => headers.get('Last-Event-ID'))).toEqual([null, null]);
    expect(server.connections).toHaveLength(1);
  });
});

describe('several tabs', () => {
  it('share one stream: eight tabs receive each event once', async () => {
    const tabs = await open(8);
    publish('a');
    await pass();
    expect(tabs.map((tab) => tab.heard)).toEqual(Array(8).fill(['task.created a']));
    expect(tabs.map((tab) => tab.live.status)).toEqual(Array(8).fill('live'));
    expect(server.requests).toHaveLength(1);
  });

  it('send their state to a tab that joins, which does not reset', async () => {
    await open(1);
    const joining = browser.openTab('alice');
    await pass();
    expect(joining.statuses).toEqual(['connecting', 'live']);
    expect(joining.heard).toEqual([]);
  });

  it('do not reply to a tab that joins unless they lead', async () => {
    const [, second] = await open(2);
    const saying = vi.spyOn(second.channel, 'postMessage');
    browser.openTab('alice');
    await pass();
    expect(saying).not.toHaveBeenCalled();
  });

  it('continue after the last event they received when the leader leaves', async () => {
    const [leader, second, third] = await open(3);
    publish('a');
    await pass();
    leader.live.stop();
    publish('b');
    await pass();
    for (const tab of [second, third]) {
      expect(tab.heard).toEqual(['task.created a', 'task.created b']);
      expect(tab.live.status).toBe('live');
    }
    expect(leader.heard).toEqual(['task.created a']);
    expect(server.requests.map(({ headers }) => headers.get('Last-Event-ID'))).toEqual([null, '1']);
  });

  it('continue when the leader crashes', async () => {
    const [leader, second] = await open(2);
    leader.crash(server);
    publish('a');
    await pass();
    expect(second.heard).toEqual(['task.created a']);
    await pass(60_000);
    expect(server.connections).toHaveLength(1);
  });

  it('continue after the ID of a heartbeat', async () => {
    const [leader, second] = await open(2);
    server.onlyConnection.send(': heartbeat\nid: 41\n\n');
    await pass();
    leader.live.stop();
    await pass();
    expect(server.requests.at(-1)?.headers.get('Last-Event-ID')).toBe('41');
    expect(second.heard).toEqual([]);
  });

  it('all reset once when the first stream opens, whichever tab opens it', async () => {
    server.isReachable = false;
    const [leader, second, third] = await open(3);
    leader.live.stop();
    server.isReachable = true;
    await pass(1_000);
    expect([leader, second, third].map((tab) => tab.heard)).toEqual([[], ['reset'], ['reset']]);
  });

  it('drop repeated events when a new leader resumes from an older ID', async () => {
    const [leader, second, third] = await open(3);
    second.fallBehind();
    publish('a');
    await pass();
    expect(third.take()).toEqual(['task.created a']);
    leader.live.stop();
    await pass();
    publish('b');
    await pass();
    expect(second.heard).toEqual(['task.created a', 'task.created b']);
    expect(third.heard.filter((event) => event !== 'reset')).toEqual(['task.created b']);
    second.goOn();
    expect(second.heard).toEqual(['task.created a', 'task.created b']);
    third.take();
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(third.heard).toEqual([]);
  });

  it('reset if a page was frozen and lost messages of the leader', async () => {
    const [, second] = await open(2);
    second.fallBehind();
    publish('a');
    await pass();
    second.channel.lose();
    second.goOn();
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(second.heard).toEqual(['reset']);
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(second.heard).toEqual(['reset']);
  });

  it('are all notified when the stream breaks and when it is back', async () => {
    const tabs = await open(3);
    server.isReachable = false;
    server.onlyConnection.break();
    await pass();
    expect(tabs.map((tab) => tab.live.status)).toEqual(['offline', 'offline', 'offline']);
    server.isReachable = true;
    await pass(2_000);
    expect(tabs.map((tab) => tab.live.status)).toEqual(['live', 'live', 'live']);
  });

  it('replace a leader that does not reply', async () => {
    const [leader, second] = await open(2);
    leader.freeze();
    await pass(45_000 + 5_000);
    publish('a');
    await pass();
    expect(second.heard).toEqual(['task.created a']);
    leader.goOn();
    await pass();
    expect(server.connections).toHaveLength(1);
    publish('b');
    await pass();
    expect(second.heard).toEqual(['task.created a', 'task.created b']);
    expect(leader.heard).toEqual(['task.created a', 'task.created b']);
    second.live.stop();
    publish('c');
    await pass();
    expect(leader.heard.at(-1)).toBe('task.created c');
  });

  it('keep a leader whose stream is idle', async () => {
    await open(3);
    for (let i = 0; i < 20; i++) {
      server.heartbeat();
      await pass(15_000);
    }
    expect(server.requests).toHaveLength(1);
  });

  it('keep a leader that cannot reach the server', async () => {
    const [leader] = await open(3);
    server.isReachable = false;
    server.onlyConnection.break();
    await pass(10 * 60_000);
    server.isReachable = true;
    await pass(30_000);
    leader.live.stop();
    await pass();
    expect(server.requests.at(-1)?.headers.get('Last-Event-ID')).toBe('0');
    expect(server.connections).toHaveLength(1);
  });

  it('are all notified that the session has ended', async () => {
    const tabs = await open(3);
    server.refusals.push(refuse(401), refuse(401), refuse(401));
    server.onlyConnection.end();
    await pass(1_000);
    expect(tabs.map((tab) => tab.isUnauthorized)).toEqual([true, true, true]);
    expect(server.connections).toEqual([]);
  });

  it('are all notified of a logout', async () => {
    const [one, two, three] = await open(3);
    two.live.logout();
    await pass();
    expect([one, two, three].map((tab) => tab.isUnauthorized)).toEqual([true, false, true]);
    expect(server.connections).toEqual([]);
  });

  it('of one user end when another user logs in, and send that user no events', async () => {
    const [alice] = await open(2);
    const bob = browser.openTab('bob');
    publish('a');
    await pass();
    expect(alice.isUnauthorized).toBe(true);
    expect(bob.isUnauthorized).toBe(false);
    expect(bob.heard).toEqual(['reset']);
    expect(server.connections).toHaveLength(1);
  });
});

describe('a browser without Web Locks or broadcast channels', () => {
  it('has one stream per tab', async () => {
    const dependencies = { fetch: server.fetch, locks: undefined, openChannel: undefined };
    const tabs = [new Live(dependencies), new Live(dependencies)];
    const heard: string[] = [];
    for (const [place, live] of tabs.entries()) {
      live.on('task.created', ({ id }) => heard.push(`${place} ${id}`));
      live.start('alice');
    }
    await pass();
    publish('a');
    await pass();
    expect(heard).toEqual(['0 a', '1 a']);
    expect(server.connections).toHaveLength(2);
    for (const live of tabs) live.stop();
    expect(server.connections).toEqual([]);
  });

  it('has one stream per tab if locks exist but are not permitted', async () => {
    const live = new Live({
      fetch: server.fetch,
      locks: { request: () => Promise.reject(new DOMException('no', 'SecurityError')) },
    });
    live.start('alice');
    await pass();
    expect(live.status).toBe('live');
    live.stop();
  });
});
