import { screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createTask, listTasks, updateTask } from '#lib/api/tasks.ts';
import { contentOf } from '#lib/tasks/changes.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { FakeServer } from '#lib/testing/server.ts';
import ExpiredDialog from '#lib/login/ExpiredDialog.svelte';
import { address } from './address.svelte';
import type { App } from './app.svelte';

let server: FakeServer;
let app: App;

beforeEach(async () => {
  server = FakeServer.start();
  app = anApp();
  onTestFinished(app.start());
  await vi.waitFor(() => expect(app.session.state).toBe('present'));
});

/** Add a task, a notification and unsaved edits. */
function write(): void {
  const task = server.tasks.add();
  app.tasks.receive(task);
  app.inbox.receive(server.inbox.add());
  app.drafts.set({ seen: task, content: { ...contentOf(task), title: 'Mine', typedLabel: '' } });
}

function left(): number[] {
  return [
    app.tasks.cache.all.length,
    app.inbox.notifications.length,
    app.drafts.get(server.tasks.all[0]?.id ?? '') ? 1 : 0,
  ];
}

async function type(event: 'input' | 'focusout'): Promise<void> {
  document.body.dispatchEvent(new Event(event, { bubbles: true }));
  await tick();
}

async function expire(): Promise<void> {
  server.isSignedIn = false;
  server.next('PATCH', () => new Response('{}', { status: 401 }));
  await updateTask('id', {}, 'r1').catch(() => undefined);
}

test('a session that expires keeps the unsaved edits', async () => {
  write();
  await expire();
  expect([app.session.state, app.liveStatus, ...left()]).toEqual(['expired', 'offline', 1, 1, 1]);
  await app.logIn('ann', 'secret');
  expect([app.session.state, ...left()]).toEqual(['present', 1, 1, 1]);
});

test('the dialog for an expired session waits until the user has finished typing', async () => {
  await type('input');
  await expire();
  renderIn(app, ExpiredDialog, {});
  expect(screen.queryByRole('dialog')).toBeNull();
  await type('focusout');
  expect(screen.getByRole('dialog', { name: 'Sign in again' })).toBeTruthy();
  await type('input');
  expect(screen.getByRole('dialog', { name: 'Sign in again' })).toBeTruthy();
});

test('a 401 just after a login is retried and the session stays; a later one ends it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const { id } = server.tasks.add();
  const login = app.logIn('ann', 'secret');
  await vi.advanceTimersByTimeAsync(50);
  await login;

  server.refuse('PATCH', new Refusal(401, 'UNAUTHENTICATED'));
  const early = updateTask(id, { title: 'Buy milk' }, 'r1');
  await vi.advanceTimersByTimeAsync(100);
  expect(await early).toMatchObject({ title: 'Buy milk' });
  expect(app.session.state).toBe('present');

  await vi.advanceTimersByTimeAsync(2_000);
  server.refuse('PATCH', new Refusal(401, 'UNAUTHENTICATED'));
  await expect(updateTask(id, { title: 'Buy bread' }, 'r2')).rejects.toMatchObject({ status: 401 });
  expect(app.session.state).toBe('expired');
});

test('another user who signs in sees none of the data', async () => {
  write();
  await expire();
  server.inbox.notifications = [];
  await app.logIn('bob', 'secret');
  expect(left()).toEqual([0, 0, 0]);
});

test.each([
  ['a sign-out', '', 'present'],
  ['a sign-out', '', 'expired'],
  ['another user’s sign-in', 'bob', 'present'],
])('%s in another tab empties this one at once, and sends nothing more (%s, %s)', async (_, user, state) => {
  write();
  if (state === 'expired') await expire();
  address.show({ query: 'secret' });
  localStorage.setItem('user', user);
  void createTask({ title: 'Ann’s secret' }, 'key');
  window.dispatchEvent(new StorageEvent('storage', { key: 'user', newValue: user }));
  expect([app.session.state, app.session.user, ...left()]).toEqual(['absent', '', 0, 0, 0]);
  expect(address.filters.query).toBe('');
  await listTasks({});
  expect(server.asked('POST')).toEqual([]);
});

test('signing out discards all data', async () => {
  write();
  await app.logOut();
  expect([app.session.state, ...left()]).toEqual(['absent', 0, 0, 0]);
});

test('a notification that has already arrived is not pending', () => {
  write();
  app.expectNotification(server.inbox.notifications[0]?.task_id ?? '');
  app.expectNotification('another');
  expect([...app.underway]).toEqual(['another']);
});

test('a failed load is retried when the server is back', async () => {
  await vi.waitFor(() => expect(app.liveStatus).toBe('live'));
  server.inbox.add();
  server.refuse('GET', new Refusal(500, 'INTERNAL'));
  await app.inbox.reload();
  expect([app.inbox.error, app.inbox.notifications.length]).toEqual([expect.objectContaining({ status: 500 }), 0]);
  app.live.onstatus?.('live');
  await vi.waitFor(() => expect(app.inbox.notifications).toHaveLength(1));
});

test('where only event streams are blocked, the page says so and loads its data on focus', async () => {
  app.live.stop();
  server.inbox.add();
  window.dispatchEvent(new Event('focus'));
  await vi.waitFor(() => expect(app.liveStatus).toBe('blocked'));
  expect(app.inbox.notifications).toHaveLength(1);
  server.inbox.add();
  window.dispatchEvent(new Event('focus'));
  await vi.waitFor(() => expect(app.inbox.notifications).toHaveLength(2));
});
