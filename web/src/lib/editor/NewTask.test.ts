import { fireEvent, screen } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { App } from '#lib/shell/app.svelte.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import { FakeServer } from '#lib/testing/server.ts';
import NewTask from './NewTask.svelte';

const REFUSED = new Refusal(500, 'INTERNAL', { request_id: 'abc' });
const user = userEvent.setup();
let server: FakeServer;
let app: App;

beforeEach(() => {
  server = FakeServer.start();
  app = anApp();
  renderIn(app, NewTask, {});
});

function field(label: string): HTMLInputElement {
  return screen.getByLabelText<HTMLInputElement>(label);
}

async function add(title: string): Promise<void> {
  await user.type(field('Title'), `${title}{Enter}`);
}

function keys(): (string | null)[] {
  return server.asked('POST').map(({ headers }) => headers.get('Idempotency-Key'));
}

function wordsAt(input: HTMLInputElement): string {
  const ids = input.getAttribute('aria-describedby')?.split(' ') ?? [];
  return ids.map((id) => document.getElementById(id)?.textContent).join(' ');
}

test('a title is enough, and the form is free for the next one at once', async () => {
  const held = server.holdAnswer('POST');
  await add('Buy milk');
  expect(field('Title').value).toBe('');
  expect(app.tasks.cache.all).toMatchObject([{ title: 'Buy milk' }]);
  held.release();
  await vi.waitFor(() => expect(app.announcer.message).toBe('“Buy milk” was added'));
  expect(server.tasks.all).toMatchObject([{ title: 'Buy milk', status: 'TODO', priority: 'MEDIUM', labels: [] }]);
  expect(app.underway.has(server.tasks.all[0]?.id ?? '')).toBe(true);
});

test('without a title nothing is sent', async () => {
  await user.click(screen.getByRole('button', { name: 'Add' }));
  expect(server.received).toEqual([]);
});

test('the rest is folded away until it is asked for, and saved with the title', async () => {
  expect(screen.queryByLabelText('Priority')).toBeNull();
  await user.click(screen.getByRole('button', { name: 'Details' }));
  expect(screen.getByRole('button', { name: 'Details' }).getAttribute('aria-expanded')).toBe('true');
  await user.type(field('Description'), 'two litres');
  await user.selectOptions(field('Priority'), 'High');
  await user.type(field('Labels'), 'home, shop, home,');
  await add('Buy milk');
  await vi.waitFor(() => expect(server.tasks.all).toHaveLength(1));
  const given = { description: 'two litres', priority: 'HIGH', labels: ['home', 'shop'] };
  expect(server.tasks.all).toMatchObject([{ title: 'Buy milk', ...given }]);
  expect([field('Description').value, field('Labels').value]).toEqual(['', '']);
});

test('a year that the service does not know is not sent, and is still there to be mended', async () => {
  await user.click(screen.getByRole('button', { name: 'Details' }));
  await fireEvent.change(field('Due'), { target: { value: '20266-01-15T09:00' } });
  await add('Buy milk');
  expect(server.received).toEqual([]);
  expect(field('Due').value).toBe('20266-01-15T09:00');
  await fireEvent.change(field('Due'), { target: { value: '2026-01-15T09:00' } });
  await user.click(screen.getByRole('button', { name: 'Add' }));
  const due_time = new Date(2026, 0, 15, 9).toISOString();
  await vi.waitFor(() => expect(server.tasks.all).toMatchObject([{ title: 'Buy milk', due_time }]));
});

describe('after a failure', () => {
  test('what was typed is given back, and the request can be named', async () => {
    server.refuse('POST', REFUSED);
    await user.click(screen.getByRole('button', { name: 'Details' }));
    await user.type(field('Labels'), 'home');
    await add('Buy milk');
    expect((await screen.findByRole('alert')).textContent).toContain('abc');
    expect([field('Title').value, field('Labels').value]).toEqual(['Buy milk', 'home']);
    expect(app.tasks.cache.all).toEqual([]);
  });

  test('the same is sent under the same key, so that it counts once', async () => {
    server.next('POST', (answer) => (answer(), REFUSED.response));
    await add('Buy milk');
    await screen.findByRole('alert');
    await user.click(screen.getByRole('button', { name: 'Add' }));
    await vi.waitFor(() => expect(app.tasks.cache.all).toMatchObject([{ revision: 1 }]));
    expect(new Set(keys()).size).toBe(1);
    expect(server.tasks.all).toHaveLength(1);
    expect(screen.queryByRole('alert')).toBeNull();
  });

  test('something else is sent under another key', async () => {
    server.refuse('POST', REFUSED);
    await add('Buy milk');
    await screen.findByRole('alert');
    await add(' and bread');
    await vi.waitFor(() => expect(server.tasks.all).toMatchObject([{ title: 'Buy milk and bread' }]));
    expect(new Set(keys()).size).toBe(2);
  });

  test('that was made up for, the same once more is another task', async () => {
    server.refuse('POST', REFUSED);
    await add('Buy milk');
    await screen.findByRole('alert');
    await user.click(screen.getByRole('button', { name: 'Add' }));
    await vi.waitFor(() => expect(app.tasks.cache.all).toMatchObject([{ revision: 1 }]));
    await add('Buy milk');
    await vi.waitFor(() => expect(server.tasks.all).toHaveLength(2));
  });

  test('while the next task is being written, it is said in a toast, and can be sent again from there', async () => {
    const held = server.holdRequest('POST');
    await add('Buy milk');
    await user.type(field('Title'), 'Buy bread');
    server.tasks.create = vi.fn(server.tasks.create.bind(server.tasks)).mockImplementationOnce(() => {
      throw REFUSED;
    });
    held.release();
    await vi.waitFor(() => expect(app.toasts.shown).toHaveLength(1));
    expect(app.toasts.shown[0]).toMatchObject({ kind: 'error', title: 'Buy milk', requestId: 'abc' });
    expect(field('Title').value).toBe('Buy bread');
    app.toasts.shown[0]?.action?.run();
    await vi.waitFor(() => expect(server.tasks.all).toMatchObject([{ title: 'Buy milk' }]));
    expect(new Set(keys()).size).toBe(1);
    expect(field('Title').value).toBe('Buy bread');
  });
});

describe('what the service does not take', () => {
  test('is said at the title, and given back', async () => {
    await add('  ');
    await vi.waitFor(() => expect(field('Title').getAttribute('aria-invalid')).toBe('true'));
    expect(wordsAt(field('Title'))).toBe('Title must not be blank.');
    expect(screen.queryByRole('alert')).toBeNull();
  });

  test('is said at its field, which is unfolded for it', async () => {
    await user.click(screen.getByRole('button', { name: 'Details' }));
    await user.click(field('Labels'));
    await user.paste('x'.repeat(51));
    await user.click(screen.getByRole('button', { name: 'Details' }));
    await add('Buy milk');
    await vi.waitFor(() => expect(field('Labels').getAttribute('aria-invalid')).toBe('true'));
    expect(wordsAt(field('Labels'))).toContain('Labels must be at most 50 characters.');
    expect(field('Title').getAttribute('aria-invalid')).toBe('false');
  });

  test('and has no field is said below', async () => {
    const violations = [{ field: 'Idempotency-Key', description: 'must not be empty' }];
    server.refuse('POST', new Refusal(422, 'INVALID_FIELD', { violations }));
    await add('Buy milk');
    expect((await screen.findByRole('alert')).textContent).toContain('Idempotency-Key must not be empty.');
  });
});
