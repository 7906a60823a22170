import { screen } from '@testing-library/svelte';
import { userEvent, type UserEvent } from '@testing-library/user-event';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Task } from '#lib/api/tasks.ts';
import { address } from '#lib/shell/address.svelte.ts';
import type { App } from '#lib/shell/app.svelte.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import { FakeServer } from '#lib/testing/server.ts';
import Card from './Card.svelte';

const HOUR_MS = 3_600_000;
let user: UserEvent;
let server: FakeServer;
let app: App;

beforeEach(() => {
  user = userEvent.setup(); // a pointer of its own: it would leave what another test's was over
  server = FakeServer.start();
  app = anApp();
});

function show(given: Partial<Task> = {}): Task {
  const task = server.tasks.add(given);
  app.tasks.receive(task);
  renderIn(app, Card, { task });
  return task;
}

function hours(fromNow: number): string {
  return new Date(app.clock.now.getTime() + fromNow * HOUR_MS).toISOString();
}

describe('the keyboard', () => {
  test.each([
    ['TODO', '{ArrowRight}', 'IN_PROGRESS'],
    ['IN_PROGRESS', '{ArrowRight}', 'DONE'],
    ['IN_PROGRESS', '{ArrowLeft}', 'TODO'],
  ] as const)('moves a task from %s by Alt and %s to %s', async (status, key, target) => {
    const { id } = show({ status });
    screen.getByRole('button', { name: 'Buy milk' }).focus();
    await user.keyboard(`{Alt>}${key}{/Alt}`);
    await vi.waitFor(() => expect(server.tasks.get(id).status).toBe(target));
    expect(app.announcer.message).toMatch(/^“Buy milk” was moved to/);
  });

  test.each([
    ['TODO', '{Alt>}{ArrowLeft}{/Alt}'],
    ['DONE', '{Alt>}{ArrowRight}{/Alt}'],
    ['TODO', '{ArrowRight}'],
    ['TODO', '{Alt>}{ArrowDown}{/Alt}'],
  ] as const)('leaves a task in %s where it is by %s', async (status, keys) => {
    show({ status });
    screen.getByRole('button', { name: 'Buy milk' }).focus();
    await user.keyboard(keys);
    expect(server.received).toEqual([]);
  });

  test('completes a task and takes that back', async () => {
    const { id } = show();
    await user.tab();
    expect(document.activeElement).toBe(screen.getByRole('checkbox', { name: 'Mark “Buy milk” as done' }));
    await user.keyboard(' ');
    await vi.waitFor(() => expect(server.tasks.get(id).status).toBe('DONE'));
  });

  test('opens a task for editing', async () => {
    const { id } = show();
    await user.tab();
    await user.tab();
    await user.keyboard('{Enter}');
    expect(address.task).toBe(id);
    expect(await screen.findByRole('form', { name: 'Edit “Buy milk”' })).toBeTruthy();
  });
});

describe('the menu', () => {
  const unplaced = { hidden: true }; // without a layout, what floats is never placed and so never visible

  async function open(): Promise<HTMLElement[]> {
    await user.click(screen.getByRole('button', { name: 'What to do with “Buy milk”' }));
    return screen.findAllByRole('menuitem', unplaced);
  }

  test('is not there until it is opened, and offers what can be done', async () => {
    show({ status: 'IN_PROGRESS' });
    expect(screen.queryByRole('menu', unplaced)).toBeNull();
    const entries = await open();
    expect(entries.map(({ textContent }) => textContent.trim())).toEqual([
      'Edit',
      'Move to To do',
      'Move to Done',
      'Delete',
    ]);
  });

  test('deletes', async () => {
    const { id } = show();
    const entries = await open();
    await user.click(entries.at(-1) as HTMLElement);
    await vi.waitFor(() => expect(app.toasts.shown).toHaveLength(1));
    expect(server.tasks.get(id, true).delete_time).not.toBeNull();
    expect(app.toasts.shown).toMatchObject([{ title: '“Buy milk” was deleted', action: { label: 'Undo' } }]);
  });

  test('closes by Escape, and the keyboard is back at its button', async () => {
    show();
    await open();
    await user.keyboard('{Escape}');
    await vi.waitFor(() => expect(screen.queryByRole('menu', unplaced)).toBeNull());
    const button = screen.getByRole('button', { name: 'What to do with “Buy milk”' });
    await vi.waitFor(() => expect(document.activeElement).toBe(button));
  });

  test('is not there while the task is on its way', () => {
    const task = server.tasks.add();
    app.tasks.receive(task);
    app.tasks.cache.overlay(task.id, { title: 'Changed' });
    renderIn(app, Card, { task });
    expect(screen.getByRole('article').getAttribute('aria-busy')).toBe('true');
    expect(screen.queryByRole('button', { name: /^What to do with/ })).toBeNull();
  });
});

describe('what was due', () => {
  test('is said to be overdue', () => {
    show({ due_time: hours(-1) });
    expect(screen.getByRole('listitem').textContent).toContain('Overdue');
  });

  test.each([
    ['is still to come', 1, 'TODO'],
    ['is done', -1, 'DONE'],
  ] as const)('is not overdue when it %s', (_, fromNow, status) => {
    show({ due_time: hours(fromNow), status });
    expect(screen.getByRole('listitem').textContent).not.toContain('Overdue');
  });

  test('is overdue as soon as its time has come, while it is looked at', async () => {
    show({ due_time: hours(1) });
    app.clock.now = new Date(hours(2));
    await vi.waitFor(() => expect(screen.getByRole('listitem').textContent).toContain('Overdue'));
  });
});

test('a label shows what else has it', async () => {
  show({ labels: ['home'] });
  await user.click(screen.getByRole('button', { name: 'home' }));
  expect(address.filters.labels).toEqual(['home']);
});

test('a title is text, whatever it contains', () => {
  show({ title: '<img src=x onerror=alert(1)>', description: '<b>bold</b>', labels: ['<i>'] });
  expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeTruthy();
  expect(document.querySelector('article img, article b, article i')).toBeNull();
});

test('a task whose notification is on its way says so', async () => {
  const { id } = show();
  app.expectNotification(id);
  expect(await screen.findByText('Notification on its way')).toBeTruthy();
  app.underway.delete(id);
  await vi.waitFor(() => expect(screen.queryByText('Notification on its way')).toBeNull());
});
