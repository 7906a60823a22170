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

/** Has something happen when the server has read a load's request and has not answered it yet. */
async function beforeTheAnswer(load: () => Promise<void>, happens: () => unknown): Promise<void> {
  const held = server.holdAnswer('GET');
  const loading = load();
  await held.arrived;
  const happened = happens();
  held.release();
  await Promise.all([loading, happened]);
}

describe('loading', () => {
  test('goes on page by page, newest first, and counts what is unread in all', async () => {
    add(120);
    await inbox.reload();
    expect([inbox.notifications.length, inbox.unread, inbox.hasMore]).toEqual([50, 120, true]);
    await inbox.loadMore();
    await inbox.loadMore();
    expect(titles()).toEqual(server.inbox.notifications.map(({ title }) => title));
    expect(inbox.hasMore).toBe(false);
  });

  test('of nothing leaves an empty inbox', async () => {
    await inbox.reload();
    expect([titles(), inbox.unread, inbox.hasMore, inbox.isLoading]).toEqual([[], 0, false, false]);
  });

  test('that fails says why and can be tried again', async () => {
    add(1);
    server.refuse('GET', REFUSED);
    await inbox.reload();
    expect(inbox.error).toMatchObject({ status: 500 });
    await inbox.retry();
    expect([inbox.error, titles()]).toEqual([undefined, ['Task 1']]);
  });

  test('is tried again only where it failed', async () => {
    add(51);
    await inbox.reload();
    await inbox.retry();
    expect(server.received).toHaveLength(1);
  });

  test('again brings what was missed, although it is still being loaded', async () => {
    add(1);
    const held = server.holdAnswer('GET');
    const first = inbox.reload();
    await held.arrived;
    add(1);
    await inbox.reload();
    expect([titles(), inbox.unread]).toEqual([['Task 2', 'Task 1'], 2]);
    held.release();
    await first;
    expect([titles(), inbox.unread, inbox.isLoading]).toEqual([['Task 2', 'Task 1'], 2, false]);
  });

  test('for one user brings nothing into the inbox of the next', async () => {
    add(1);
    const held = server.holdAnswer('GET');
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

describe('what comes live', () => {
  test('is new once', async () => {
    await inbox.reload();
    expect(inbox.receive(aNotification())).toBe(true);
    expect(inbox.receive(aNotification())).toBe(false);
    expect([titles(), inbox.unread]).toEqual([['Buy milk'], 1]);
  });

  test('is not new when it was loaded before', async () => {
    const notification = server.inbox.add();
    await inbox.reload();
    expect(inbox.receive(notification)).toBe(false);
    expect(inbox.unread).toBe(1);
  });

  test('while the inbox is being loaded is counted, though the answer does not know of it', async () => {
    add(1);
    await beforeTheAnswer(
      () => inbox.reload(),
      () => inbox.receive(server.inbox.add()),
    );
    expect([titles(), inbox.unread]).toEqual([['Task 2', 'Task 1'], 2]);
  });

  test('while the inbox is being loaded is counted once, where the answer knows of it', async () => {
    const notification = server.inbox.add();
    await beforeTheAnswer(
      () => inbox.reload(),
      () => inbox.receive(notification),
    );
    expect([titles(), inbox.unread]).toEqual([['Task 1'], 1]);
  });

  test('while an older page is being loaded is counted, though the answer does not know of it', async () => {
    add(60);
    await inbox.reload();
    await beforeTheAnswer(
      () => inbox.loadMore(),
      () => inbox.receive(server.inbox.add()),
    );
    expect([inbox.notifications.length, inbox.unread]).toEqual([61, 61]);
  });

  test('and was read elsewhere is not counted', () => {
    inbox.receive(aNotification({ read_time: READ }));
    expect(inbox.unread).toBe(0);
  });

  test('is sorted in by its time, and by its id where the times are the same', () => {
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
  test('one shows at once and is told to the service', async () => {
    add(3);
    await inbox.reload();
    const { id } = server.inbox.notifications[1] as { id: string };
    const marking = inbox.markRead(id);
    expect([inbox.unread, inbox.notifications[1]?.read_time]).toEqual([2, expect.any(String)]);
    await marking;
    expect(server.asked('POST')[0]?.body).toEqual({ ids: [id] });
    expect(server.inbox.list('').unread_count).toBe(2);
  });

  test('one that is read already, or not there, asks for nothing', async () => {
    inbox.receive(aNotification({ read_time: READ }));
    await inbox.markRead(aNotification().id);
    await inbox.markRead('unknown');
    expect(server.received).toEqual([]);
  });

  test('all means those as well that are not loaded', async () => {
    add(60);
    await inbox.reload();
    await inbox.markAllRead();
    expect([inbox.unread, server.inbox.list('').unread_count]).toEqual([0, 0]);
    await inbox.loadMore();
    expect(inbox.unread).toBe(0);
    expect(inbox.notifications.every(({ read_time }) => read_time)).toBe(true);
  });

  test('holds, though what was being loaded is from before', async () => {
    add(2);
    await inbox.reload();
    await beforeTheAnswer(
      () => inbox.reload(),
      () => inbox.markAllRead(),
    );
    expect([inbox.unread, inbox.notifications.every(({ read_time }) => read_time)]).toEqual([0, true]);
  });

  test('asks for nothing more when the inbox was cleared meanwhile', async () => {
    add(1);
    await inbox.reload();
    const held = server.holdAnswer('POST');
    const marking = inbox.markAllRead();
    await held.arrived;
    inbox.clear();
    held.release();
    await marking;
    expect(server.asked('GET')).toHaveLength(1);
  });

  test('is taken back when it fails, and what came meanwhile is counted', async () => {
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

test('nothing is left when the inbox is cleared', async () => {
  add(60);
  await inbox.reload();
  inbox.clear();
  expect([titles(), inbox.unread, inbox.hasMore]).toEqual([[], 0, true]);
});
