import { fireEvent, screen, within } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Task } from '#lib/api/tasks.ts';
import { address } from '#lib/shell/address.svelte.ts';
import type { App } from '#lib/shell/app.svelte.ts';
import { FIELDS } from '#lib/tasks/changes.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import { FakeServer } from '#lib/testing/server.ts';
import { text } from '#lib/text/index.ts';
import Card from '#lib/board/Card.svelte';
import OpenTask from './OpenTask.svelte';

const user = userEvent.setup();
let server: FakeServer;
let app: App;
let task: Task;

beforeEach(() => {
  server = FakeServer.start();
  app = anApp();
  task = server.tasks.add({ title: 'Buy milk', description: 'two litres' });
  app.tasks.receive(task);
  address.open(task.id);
});

/** Render the editor; it is shown while the URL names the task. */
function show() {
  return renderIn(app, OpenTask, {});
}

function field(label: string): HTMLInputElement {
  return screen.getByLabelText<HTMLInputElement>(label);
}

async function write(label: string, value: string): Promise<void> {
  await user.clear(field(label));
  await user.click(field(label));
  await user.paste(value);
}

async function save(name = 'Save'): Promise<void> {
  await user.click(screen.getByRole('button', { name }));
}

async function isClosed(): Promise<void> {
  await vi.waitFor(() => expect(screen.queryByRole('form')).toBeNull());
}

function stored(): Task {
  return server.tasks.get(task.id);
}

test.each(FIELDS)('%s can be edited', (name) => {
  show();
  expect(field(text.fields[name])).toBeInstanceOf(HTMLElement);
});

test('an edit does not conflict with an own change that is not confirmed yet', async () => {
  const moved = app.tasks.update(task.id, { status: 'IN_PROGRESS' });
  show();
  await write('Title', 'Buy bread');
  await save();
  await isClosed();
  await moved;
  expect(stored()).toMatchObject({ title: 'Buy bread', status: 'IN_PROGRESS' });
});

test('saving sends only the changed fields', async () => {
  show();
  await write('Title', 'Buy bread');
  await user.selectOptions(field('Status'), 'Done');
  await save();
  await isClosed();
  expect(server.asked('PATCH').map(({ body }) => body)).toEqual([{ title: 'Buy bread', status: 'DONE' }]);
  expect(app.announcer.message).toBe('“Buy bread” saved');
});

test('saving without a change sends nothing', async () => {
  show();
  await save();
  await isClosed();
  expect(server.received).toEqual([]);
});

test('after saving, the focus returns to the task', async () => {
  renderIn(app, Card, { task });
  show();
  await save();
  await vi.waitFor(() => expect(document.activeElement?.textContent).toBe('Buy milk'));
});

test('Escape keeps the edits for the next time, and says so at the card', async () => {
  renderIn(app, Card, { task });
  show();
  await write('Title', 'Later');
  await user.keyboard('{Escape}');
  await isClosed();
  expect([stored(), server.received]).toEqual([task, []]);
  expect(screen.getByText('Unsaved changes')).toBeTruthy();
  address.open(task.id);
  await vi.waitFor(() => expect(field('Title').value).toBe('Later'));
});

test('edits are discarded on request', async () => {
  show();
  await write('Title', 'Never mind');
  await user.click(screen.getByRole('button', { name: 'Discard changes' }));
  await isClosed();
  address.open(task.id);
  await vi.waitFor(() => expect(field('Title').value).toBe('Buy milk'));
});

test('a value that the service rejects stays, with the error at its field', async () => {
  show();
  await write('Title', 'x'.repeat(201));
  await save();
  await vi.waitFor(() => expect(field('Title').getAttribute('aria-invalid')).toBe('true'));
  expect(screen.getByText('Title must be at most 200 characters.')).toBeTruthy();
  expect(field('Title').value).toHaveLength(201);
});

test('a label that is not valid is not saved', async () => {
  show();
  await user.click(field('Labels'));
  await user.paste('x'.repeat(51));
  await save();
  expect(field('Labels').getAttribute('aria-invalid')).toBe('true');
  expect([field('Labels').value.length, server.received]).toEqual([51, []]);
});

test('after an error, the edits stay and can be saved again', async () => {
  server.refuse('PATCH', new Refusal(500, 'INTERNAL', { request_id: 'abc' }));
  show();
  await write('Title', 'Buy bread');
  await save();
  expect((await screen.findByRole('alert')).textContent).toContain('abc');
  expect(field('Title').value).toBe('Buy bread');
  await save();
  await isClosed();
  expect(stored().title).toBe('Buy bread');
});

describe('when the task was changed elsewhere in the meantime', () => {
  test('in other fields, both changes are saved without a question', async () => {
    show();
    server.tasks.update(task.id, { priority: 'URGENT' });
    await write('Title', 'Mine');
    await save();
    await isClosed();
    expect(stored()).toMatchObject({ title: 'Mine', priority: 'URGENT' });
  });

  test('in the same field, the edits are kept and the new values are shown', async () => {
    show();
    server.tasks.update(task.id, { title: 'Theirs', priority: 'URGENT' });
    await write('Title', 'Mine');
    await save();
    const alert = await screen.findByRole('alert');
    const changes = within(alert).getAllByRole('listitem');
    expect(changes.map(({ textContent }) => textContent)).toEqual(['Title is now “Theirs”', 'Priority is now Urgent']);
    expect(field('Title').value).toBe('Mine');
    expect(stored().title).toBe('Theirs');
  });

  test('saving anyway overwrites only the edited fields', async () => {
    show();
    server.tasks.update(task.id, { title: 'Theirs', description: 'three litres' });
    await write('Title', 'Mine');
    await save();
    await screen.findByRole('alert');
    await save('Save my edits');
    await isClosed();
    expect(stored()).toMatchObject({ title: 'Mine', description: 'three litres' });
  });

  test('the new values can be used, and the other edits are saved', async () => {
    show();
    server.tasks.update(task.id, { title: 'Theirs' });
    await write('Title', 'Mine');
    await write('Description', 'mine too');
    await save();
    await user.click(await screen.findByRole('button', { name: 'Use the new values' }));
    expect([field('Title').value, field('Description').value]).toEqual(['Theirs', 'mine too']);
    expect(screen.queryByRole('alert')).toBeNull();
    await save();
    await isClosed();
    expect(stored()).toMatchObject({ title: 'Theirs', description: 'mine too' });
  });

  test('the new labels are shown one by one', async () => {
    show();
    server.tasks.update(task.id, { labels: ['a, b', 'c'] });
    await user.type(field('Labels'), 'mine');
    await save();
    expect(await screen.findByText('Labels is now “a, b”, “c”')).toBeTruthy();
  });

  test('and changed again before saving anyway, there is another conflict', async () => {
    show();
    server.tasks.update(task.id, { title: 'Theirs' });
    await write('Title', 'Mine');
    await save();
    await screen.findByRole('alert');
    server.tasks.update(task.id, { title: 'Theirs again' });
    await save('Save my edits');
    await screen.findByText('Title is now “Theirs again”');
    expect([field('Title').value, stored().title]).toEqual(['Mine', 'Theirs again']);
  });
});

describe('while the user types', () => {
  test.each<[string, (task: Task) => Task]>([
    ['is moved', (task) => server.tasks.update(task.id, { status: 'DONE' })],
    ['is changed', (task) => server.tasks.update(task.id, { title: 'Theirs', labels: ['theirs'] })],
    ['is deleted', (task) => (server.tasks.delete(task.id), server.tasks.get(task.id, true))],
  ])('the field and the focus stay, although the task %s elsewhere', async (_, change) => {
    show();
    const labels = field('Labels');
    await user.type(labels, 'home, sh');
    app.tasks.receive(change(task));
    await user.keyboard('op,');
    expect(document.activeElement).toBe(labels);
    expect([field('Labels'), labels.value]).toEqual([labels, 'home, shop,']);
  });

  test('a task that is deleted elsewhere can be restored and saved', async () => {
    show();
    await write('Title', 'Mine');
    server.tasks.delete(task.id);
    app.tasks.receive(server.tasks.get(task.id, true));
    await user.click(await screen.findByRole('button', { name: 'Restore task' }));
    await vi.waitFor(() => expect(screen.queryByRole('alert')).toBeNull());
    await save();
    await isClosed();
    expect(stored()).toMatchObject({ title: 'Mine', delete_time: null });
  });

  test('a task that no longer exists leaves what was typed', async () => {
    show();
    await write('Title', 'Mine');
    server.tasks.purge(task.id);
    app.tasks.cache.drop(task.id);
    await screen.findByText(/^This task was deleted/);
    expect(field('Title').value).toBe('Mine');
  });

  test('Escape belongs to the input method that composes', async () => {
    onTestFinished(app.typing.start());
    show();
    for (const key of [{ isComposing: true }, { keyCode: 229 }])
      await fireEvent.keyDown(field('Title'), { key: 'Escape', ...key });
    expect(address.task).toBe(task.id);
    await fireEvent.keyDown(field('Title'), { key: 'Escape' });
    expect(address.task).toBe('');
  });
});

test('a due time stays the same when the time zone changes, and a new one is in the new zone', async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('TZ', 'America/New_York');
  app.clock.tick();
  show();
  await fireEvent.change(field('Due'), { target: { value: '2026-03-09T22:30' } });
  vi.stubEnv('TZ', 'Asia/Tokyo');
  app.clock.tick();
  await vi.waitFor(() => expect(field('Due').value).toBe('2026-03-10T11:30'));
  expect(screen.getByText('Time zone: Asia/Tokyo')).toBeTruthy();
  await fireEvent.change(field('Due'), { target: { value: '2026-03-10T12:30' } });
  await save();
  await isClosed();
  expect(stored().due_time).toBe('2026-03-10T03:30:00.000Z');
});

describe('after a reload', () => {
  test('the edits are still there, and saving them does not undo a move', async () => {
    app.drafts.load('ann');
    const { unmount } = show();
    await write('Title', 'Mine');
    unmount();
    app = anApp();
    app.drafts.load('ann');
    app.tasks.receive(server.tasks.update(task.id, { status: 'IN_PROGRESS' }));
    show();
    expect(field('Title').value).toBe('Mine');
    await save();
    await isClosed();
    expect(stored()).toMatchObject({ title: 'Mine', status: 'IN_PROGRESS' });
  });

  test('a label that is not added yet is still there, and is saved', async () => {
    app.drafts.load('ann');
    const { unmount } = show();
    await user.type(field('Labels'), 'home{Enter}shop');
    unmount();
    app = anApp();
    app.drafts.load('ann');
    app.tasks.receive(task);
    show();
    expect(field('Labels').value).toBe('shop');
    await save();
    await isClosed();
    expect(stored().labels).toEqual(['home', 'shop']);
  });

  test('another user gets none of them', async () => {
    app.drafts.load('ann');
    const { unmount } = show();
    await write('Title', 'Mine');
    unmount();
    app = anApp();
    app.drafts.load('bob');
    app.tasks.receive(task);
    show();
    expect(field('Title').value).toBe('Buy milk');
  });

  test('without edits, the editor shows the current task', () => {
    const { unmount } = show();
    unmount();
    app.tasks.receive(server.tasks.update(task.id, { title: 'Theirs' }));
    show();
    expect(field('Title').value).toBe('Theirs');
  });
});
