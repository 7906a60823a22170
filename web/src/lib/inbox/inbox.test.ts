// @vitest-environment node
import { beforeEach, describe, expect, test } from 'vitest';
import { aNotification } from '#lib/testing/factories.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { FakeServer } from '#lib/testing/server.ts';
import { Inbox } from './inbox.svelte';

const REFUSED = new Refusal(500, 'INTERNAL');
const READ = '2026-01-01T13:00:00Z';
let server: FakeServer;
let inbox: Inbox;

beforeEach(() => {
  server = FakeServer.start();
  inbox = new Inbox();
});

function add(count: number): void {
  for (let i = 0; i < count; i++) server.inbox.add();
}

function titles(): string[] {
  return inbox.notifications.map(({ title }) => title);
}

/** Call `happens` after the server has read a load's request and before its response arrives. */
async function beforeResponse(load: () => Promise<void>, happens: () => unknown): Promise<void> {
  const held = server.holdResponse('GET');
  const loading = load();
  await held.arrived;
  const happened = happens();
  held.release();
  await Promise.all([loading, happened]);
}

describe('loading', () => {
  test('works page by page, newest first, and counts all unread notifications', async () => {
    add(120);
    await inbox.reload();
    expect([inbox.notifications.length, inbox.unread, inbox.hasMore]).toEqual([50, 120, true]);
    await inbox.loadMore();
    await inbox.loadMore();
    expect(titles()).toEqual(server.inbox.notifications.map(({ title }) => title));
    expect(inbox.hasMore).toBe(false);
  });

  test('an empty inbox works', async () => {
    await inbox.reload();
    expect([titles(), inbox.unread, inbox.hasMore, inbox.isLoading]).toEqual([[], 0, false, false]);
  });

  test('that fails stores the error and can be retried', async () => {
    add(1);
    server.refuse('GET', REFUSED);
    await inbox.reload();
    expect(inbox.error).toMatchObject({ status: 500 });
    await inbox.retry();
    expect([inbox.error, titles()]).toEqual([undefined, ['Task 1']]);
  });

  test('is retried only after a failure', async () => {
    add(51);
    await inbox.reload();
    await inbox.retry();
    expect(server.received).toHaveLength(1);
  });

  test('again during a load adds the notifications that the first load missed', async () => {
    add(1);
    const held = server.holdResponse('GET');
    const first = inbox.reload();
    await held.arrived;
    add(1);
    await inbox.reload();
    expect([titles(), inbox.unread]).toEqual([['Task 2', 'Task 1'], 2]);
    held.release();
    await first;
    expect([titles(), inbox.unread, inbox.isLoading]).toEqual([['Task 2', 'Task 1'], 2, false]);
  });

  test('for one user adds nothing to the inbox of the next', async () => {
    add(1);
    const held = server.holdResponse('GET');
    const loading = inbox.reload();
    await held.arrived;
    inbox.clear();
    server.inbox.notifications = [];
    await inbox.reload();
    held.release();
    await loading;
    expect([titles(), inbox.unread]).toEqual([[], 0]);
  });
});

describe('a live notification', () => {
  test('is new once', async () => {
    await inbox.reload();
    expect(inbox.receive(aNotification())).toBe(true);
    expect(inbox.receive(aNotification())).toBe(false);
    expect([titles(), inbox.unread]).toEqual([['Buy milk'], 1]);
  });

  test('is not new if it was already loaded', async () => {
    const notification = server.inbox.add();
    await inbox.reload();
    expect(inbox.receive(notification)).toBe(false);
    expect(inbox.unread).toBe(1);
  });

  test('during a load is counted if the response does not include it', async () => {
    add(1);
    await beforeResponse(
      () => inbox.reload(),
      () => inbox.receive(server.inbox.add()),
    );
    expect([titles(), inbox.unread]).toEqual([['Task 2', 'Task 1'], 2]);
  });

  test('during a load is counted once if the response includes it', async () => {
    const notification = server.inbox.add();
    await beforeResponse(
      () => inbox.reload(),
      () => inbox.receive(notification),
    );
    expect([titles(), inbox.unread]).toEqual([['Task 1'], 1]);
  });

  test('during a load of an older page is counted', async () => {
    add(60);
    await inbox.reload();
    await beforeResponse(
      () => inbox.loadMore(),
      () => inbox.receive(server.inbox.add()),
    );
    expect([inbox.notifications.length, inbox.unread]).toEqual([61, 61]);
  });

  test('that is already read is not counted', () => {
    inbox.receive(aNotification({ read_time: READ }));
    expect(inbox.unread).toBe(0);
  });

  test('is ordered by time, then by ID', () => {
    for (const [id, create_time] of [
      ['b', '2026-01-01T12:00:00Z'],
      ['d', '2026-01-01T11:00:00.5Z'],
      ['c', '2026-01-01T12:00:00Z'],
      ['a', '2026-01-01T13:00:00Z'],
    ] as const)
      inbox.receive(aNotification({ id, create_time }));
    expect(inbox.notifications.map(({ id }) => id)).toEqual(['a', 'c', 'b', 'd']);
  });
});

describe('marking as read', () => {
  test('one shows immediately and is sent to the service', async () => {
    add(3);
    await inbox.reload();
    const { id } = server.inbox.notifications[1] as { id: string };
    const marking = inbox.markRead(id);
    expect([inbox.unread, inbox.notifications[1]?.read_time]).toEqual([2, expect.any(String)]);
    await marking;
    expect(server.asked('POST')[0]?.body).toEqual({ ids: [id] });
    expect(server.inbox.list('').unread_count).toBe(2);
  });

  test('one that is already read or unknown sends nothing', async () => {
    inbox.receive(aNotification({ read_time: READ }));
    await inbox.markRead(aNotification().id);
    await inbox.markRead('unknown');
    expect(server.received).toEqual([]);
  });

  test('all includes notifications that are not loaded', async () => {
    add(60);
    await inbox.reload();
    await inbox.markAllRead();
    expect([inbox.unread, server.inbox.list('').unread_count]).toEqual([0, 0]);
    await inbox.loadMore();
    expect(inbox.unread).toBe(0);
    expect(inbox.notifications.every(({ read_time }) => read_time)).toBe(true);
  });

  test('is not undone by a concurrent load', async () => {
    add(2);
    await inbox.reload();
    await beforeResponse(
      () => inbox.reload(),
      () => inbox.markAllRead(),
    );
    expect([inbox.unread, inbox.notifications.every(({ read_time }) => read_time)]).toEqual([0, true]);
  });

  test('sends no further request after the inbox was cleared', async () => {
    add(1);
    await inbox.reload();
    const held = server.holdResponse('POST');
    const marking = inbox.markAllRead();
    await held.arrived;
    inbox.clear();
    held.release();
    await marking;
    expect(server.asked('GET')).toHaveLength(1);
  });

  test('is undone on failure, and notifications received meanwhile stay counted', async () => {
    add(3);
    await inbox.reload();
    server.refuse('POST', REFUSED);
    const marking = inbox.markRead(server.inbox.notifications[0]?.id ?? '');
    inbox.receive(aNotification({ id: 'meanwhile' }));
    await expect(marking).rejects.toMatchObject({ status: 500 });
    expect([inbox.unread, inbox.notifications.filter(({ read_time }) => !read_time).length]).toEqual([4, 4]);

    server.refuse('POST', REFUSED);
    const markingAll = inbox.markAllRead();
    inbox.receive(aNotification({ id: 'meanwhile too' }));
    expect(inbox.unread).toBe(1);
    await expect(markingAll).rejects.toMatchObject({ status: 500 });
    expect([inbox.unread, inbox.notifications.filter(({ read_time }) => !read_time).length]).toEqual([5, 5]);
  });
});

test('clearing the inbox removes everything', async () => {
  add(60);
  await inbox.reload();
  inbox.clear();
  expect([titles(), inbox.unread, inbox.hasMore]).toEqual([[], 0, true]);
});
