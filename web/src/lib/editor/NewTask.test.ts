import { cleanup, fireEvent, screen } from '@testing-library/svelte';
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

function descriptionOf(input: HTMLInputElement): string {
  const ids = input.getAttribute('aria-describedby')?.split(' ') ?? [];
  return ids.map((id) => document.getElementById(id)?.textContent).join(' ');
}

test('a title is enough, and the form is ready for the next task immediately', async () => {
  const held = server.holdResponse('POST');
  await add('Buy milk');
  expect(field('Title').value).toBe('');
  expect(app.tasks.cache.all).toMatchObject([{ title: 'Buy milk' }]);
  held.release();
  await vi.waitFor(() => expect(app.announcer.message).toBe('“Buy milk” added'));
  expect(server.tasks.all).toMatchObject([{ title: 'Buy milk', status: 'TODO', priority: 'MEDIUM', labels: [] }]);
  expect(app.underway.has(server.tasks.all[0]?.id ?? '')).toBe(true);
});

test('what is typed survives a reload', async () => {
  app.drafts.load('ann');
  await user.type(field('Title'), 'Half a thou');
  cleanup();
  app = anApp();
  app.drafts.load('ann');
  renderIn(app, NewTask, {});
  expect(field('Title').value).toBe('Half a thou');
});

test('a tab in a pasted title is a blank, and the length is counted in code points', async () => {
  await user.click(field('Title'));
  await user.paste(`Milk\t${'🥛'.repeat(195)}`);
  expect(field('Title').value).toBe(`Milk ${'🥛'.repeat(195)}`);
  expect(screen.getByText('200 of 200 characters')).toBeTruthy();
  await user.keyboard('{Enter}');
  await vi.waitFor(() => expect(server.tasks.all).toHaveLength(1));
});

test('without a title nothing is sent', async () => {
  await user.click(screen.getByRole('button', { name: 'Add' }));
  expect(server.received).toEqual([]);
});

test('the details are hidden until they are opened, and saved with the title', async () => {
  expect(screen.queryByLabelText('Priority')).toBeNull();
  await user.click(screen.getByRole('button', { name: 'Details' }));
  expect(screen.getByRole('button', { name: 'Details' }).getAttribute('aria-expanded')).toBe('true');
  await user.type(field('Description'), 'two litres');
  await user.selectOptions(field('Priority'), 'High');
  await user.type(field('Labels'), 'home, sweet home{Enter}shop');
  await add('Buy milk');
  await vi.waitFor(() => expect(server.tasks.all).toHaveLength(1));
  const given = { description: 'two litres', priority: 'HIGH', labels: ['home, sweet home', 'shop'] };
  expect(server.tasks.all).toMatchObject([{ title: 'Buy milk', ...given }]);
  expect([field('Description').value, field('Labels').value]).toEqual(['', '']);
});

test('a label is added after a press in the form ends, so that nothing moves under the pointer', async () => {
  await user.click(screen.getByRole('button', { name: 'Details' }));
  await user.type(field('Labels'), 'home');
  await user.pointer({ keys: '[MouseLeft>]', target: field('Description') });
  expect(screen.queryByRole('button', { name: 'Remove label home' })).toBeNull();
  await user.pointer({ keys: '[/MouseLeft]' });
  expect(await screen.findByRole('button', { name: 'Remove label home' })).toBeTruthy();
});

test('an invalid year is not sent, and stays in the field', async () => {
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
  test('the content is restored, with the request ID', async () => {
    server.refuse('POST', REFUSED);
    await user.click(screen.getByRole('button', { name: 'Details' }));
    await user.type(field('Labels'), 'home');
    await add('Buy milk');
    expect((await screen.findByRole('alert')).textContent).toContain('abc');
    expect(field('Title').value).toBe('Buy milk');
    expect(screen.getByRole('button', { name: 'Remove label home' })).toBeTruthy();
    expect(app.tasks.cache.all).toEqual([]);
  });

  test('the same content is sent with the same key, so that it creates one task', async () => {
    server.next('POST', (answer) => (answer(), REFUSED.response));
    await add('Buy milk');
    await screen.findByRole('alert');
    await user.click(screen.getByRole('button', { name: 'Add' }));
    await vi.waitFor(() => expect(app.tasks.cache.all).toMatchObject([{ revision: 1 }]));
    expect(new Set(keys()).size).toBe(1);
    expect(server.tasks.all).toHaveLength(1);
    expect(screen.queryByRole('alert')).toBeNull();
  });

  test('different content is sent with another key', async () => {
    server.refuse('POST', REFUSED);
    await add('Buy milk');
    await screen.findByRole('alert');
    await add(' and bread');
    await vi.waitFor(() => expect(server.tasks.all).toMatchObject([{ title: 'Buy milk and bread' }]));
    expect(new Set(keys()).size).toBe(2);
  });

  test('and a successful retry, the same content creates another task', async () => {
    server.refuse('POST', REFUSED);
    await add('Buy milk');
    await screen.findByRole('alert');
    await user.click(screen.getByRole('button', { name: 'Add' }));
    await vi.waitFor(() => expect(app.tasks.cache.all).toMatchObject([{ revision: 1 }]));
    await add('Buy milk');
    await vi.waitFor(() => expect(server.tasks.all).toHaveLength(2));
  });

  test('while the next task is being typed, a toast shows the error and offers a retry', async () => {
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

describe('a value that the service rejects', () => {
  test.each([
    ['  ', 'Title must not be blank.'],
    ['\u200b', 'Title must have a visible character.'],
  ])('stays, with the error at the title: %o', async (title, reason) => {
    await add(title);
    await vi.waitFor(() => expect(field('Title').getAttribute('aria-invalid')).toBe('true'));
    expect(descriptionOf(field('Title'))).toBe(reason);
    expect(screen.queryByRole('alert')).toBeNull();
  });

  test('shows the error at its field and opens the details', async () => {
    await user.click(screen.getByRole('button', { name: 'Details' }));
    await user.click(field('Description'));
    await user.paste('x'.repeat(10_001));
    await user.click(screen.getByRole('button', { name: 'Details' }));
    await add('Buy milk');
    await vi.waitFor(() => expect(field('Description').getAttribute('aria-invalid')).toBe('true'));
    expect(descriptionOf(field('Description'))).toContain('Description must be at most 10000 characters.');
    expect(field('Title').getAttribute('aria-invalid')).toBe('false');
  });

  test('in no field of the form shows the error below', async () => {
    const violations = [{ field: 'Idempotency-Key', description: 'must not be empty' }];
    server.refuse('POST', new Refusal(422, 'INVALID_FIELD', { violations }));
    await add('Buy milk');
    expect((await screen.findByRole('alert')).textContent).toContain('Idempotency-Key must not be empty.');
  });
});
