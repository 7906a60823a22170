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
  user = userEvent.setup(); // a shared pointer would leave the element that another test hovered over
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
  ] as const)('moves a task from %s with Alt and %s to %s', async (status, key, target) => {
    const { id } = show({ status });
    screen.getByRole('button', { name: 'Buy milk' }).focus();
    await user.keyboard(`{Alt>}${key}{/Alt}`);
    await vi.waitFor(() => expect(server.tasks.get(id).status).toBe(target));
    expect(app.announcer.message).toMatch(/^“Buy milk” moved to/);
  });

  test.each([
    ['TODO', '{Alt>}{ArrowLeft}{/Alt}'],
    ['DONE', '{Alt>}{ArrowRight}{/Alt}'],
    ['TODO', '{ArrowRight}'],
    ['TODO', '{Alt>}{ArrowDown}{/Alt}'],
  ] as const)('does not move a task from %s with %s', async (status, keys) => {
    show({ status });
    screen.getByRole('button', { name: 'Buy milk' }).focus();
    await user.keyboard(keys);
    expect(server.received).toEqual([]);
  });

  test('completes a task', async () => {
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
  });
});

describe('the menu', () => {
  const unplaced = { hidden: true }; // jsdom has no layout, so a floating element is never positioned and stays hidden

  async function open(): Promise<HTMLElement[]> {
    await user.click(screen.getByRole('button', { name: 'Actions for “Buy milk”' }));
    return screen.findAllByRole('menuitem', unplaced);
  }

  test('is absent until it is opened, and lists the possible actions', async () => {
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
    expect(app.toasts.shown).toMatchObject([{ title: '“Buy milk” deleted', action: { label: 'Undo' } }]);
  });

  test('closes with Escape and returns the focus to its button', async () => {
    show();
    await open();
    await user.keyboard('{Escape}');
    await vi.waitFor(() => expect(screen.queryByRole('menu', unplaced)).toBeNull());
    const button = screen.getByRole('button', { name: 'Actions for “Buy milk”' });
    await vi.waitFor(() => expect(document.activeElement).toBe(button));
  });

  test('is absent while a change is being saved', () => {
    const task = server.tasks.add();
    app.tasks.receive(task);
    app.tasks.cache.overlay(task.id, { title: 'Changed' });
    renderIn(app, Card, { task });
    expect(screen.getByRole('article').getAttribute('aria-busy')).toBe('true');
    expect(screen.queryByRole('button', { name: /^Actions for/ })).toBeNull();
  });
});

describe('a due time', () => {
  test('in the past is marked as overdue', () => {
    show({ due_time: hours(-1) });
    expect(screen.getByRole('listitem').textContent).toContain('Overdue');
  });

  test.each([
    ['in the future', 1, 'TODO'],
    ['of a completed task', -1, 'DONE'],
  ] as const)('%s is not marked as overdue', (_, fromNow, status) => {
    show({ due_time: hours(fromNow), status });
    expect(screen.getByRole('listitem').textContent).not.toContain('Overdue');
  });

  test('is marked as overdue once it passes while the card is shown', async () => {
    show({ due_time: hours(1) });
    app.clock.now = new Date(hours(2));
    await vi.waitFor(() => expect(screen.getByRole('listitem').textContent).toContain('Overdue'));
  });
});

test('a click on a label filters by it', async () => {
  show({ labels: ['home'] });
  await user.click(screen.getByRole('button', { name: 'home' }));
  expect(address.filters.labels).toEqual(['home']);
});

test('a title is shown as text, whatever it contains', () => {
  show({ title: '<img src=x onerror=alert(1)>', description: '<b>bold</b>', labels: ['<i>'] });
  expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeTruthy();
  expect(document.querySelector('article img, article b, article i')).toBeNull();
});

test('a task shows that its notification is pending', async () => {
  const { id } = show();
  app.expectNotification(id);
  expect(await screen.findByText('Notification pending')).toBeTruthy();
  app.underway.delete(id);
  await vi.waitFor(() => expect(screen.queryByText('Notification pending')).toBeNull());
});

describe('a screen reader', () => {
  test('reads no empty list', () => {
    show();
    expect(screen.queryByRole('list')).toBeNull();
  });

  test('reads a due time as due', () => {
    show({ due_time: hours(1) });
    expect(screen.getByRole('listitem').textContent.trim()).toMatch(/^Due/);
  });

  test('reads how to move the task with the keyboard', () => {
    show();
    expect(screen.getByRole('button', { name: 'Buy milk', description: /Alt/ })).toBeTruthy();
  });
});

test('a translated card shows later changes, and user text is not translated', async () => {
  show({ due_time: hours(1), labels: ['home'], description: 'two litres' });
  translate(document.body);
  app.clock.now = new Date(hours(2));
  await vi.waitFor(() => expect(screen.getByRole('article').textContent).toContain('Overdue'));
  for (const own of ['Buy milk', 'home', 'two litres']) expect(screen.getByText(own)).toBeTruthy();
  expect(screen.getByRole('article').textContent).not.toContain('translated due');
});

/** Replace text as Chrome's translator does: each text node by an element with another text. */
function translate(element: Element): void {
  for (const node of [...element.childNodes]) {
    if (node instanceof Element) {
      if (node.getAttribute('translate') !== 'no') translate(node);
    } else if (node.nodeType === Node.TEXT_NODE && node.textContent?.trim()) {
      const translated = document.createElement('font');
      translated.textContent = `translated ${node.textContent.toLowerCase()}`;
      node.parentNode?.replaceChild(translated, node);
    }
  }
}
