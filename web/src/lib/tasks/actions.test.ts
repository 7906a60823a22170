// @vitest-environment node
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Task } from '#lib/api/tasks.ts';
import { Announcer } from '#lib/shell/announcer.svelte.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { FakeServer } from '#lib/testing/server.ts';
import { Toasts, type Toast } from '#lib/toasts/toasts.svelte.ts';
import { TaskActions } from './actions';
import { Tasks } from './tasks.svelte';

let server: FakeServer;
let tasks: Tasks;
let toasts: Toasts;
let announcer: Announcer;
let actions: TaskActions;
let task: Task;

beforeEach(() => {
  server = FakeServer.start();
  tasks = new Tasks();
  toasts = new Toasts();
  announcer = new Announcer();
  actions = new TaskActions(tasks, toasts, announcer);
  task = server.tasks.add();
  tasks.receive(task);
});

/** The only toast. */
function theToast(): Toast {
  expect(toasts.shown).toHaveLength(1);
  return toasts.shown[0] as Toast;
}

function stored(): Task {
  return server.tasks.get(task.id, true);
}

test('a move is saved and announced', async () => {
  await actions.move(task, 'IN_PROGRESS');
  expect(stored().status).toBe('IN_PROGRESS');
  expect(announcer.message).toBe('“Buy milk” moved to In progress');
  expect(toasts.shown).toEqual([]);
});

test('a move to the same status does nothing', async () => {
  await actions.move(task, 'TODO');
  expect([server.received.length, announcer.message]).toEqual([0, '']);
});

test('a failure shows an error with the request ID', async () => {
  server.refuse('PATCH', new Refusal(403, 'FORBIDDEN', { request_id: 'abc' }));
  await actions.move(task, 'DONE');
  expect(theToast()).toMatchObject({
    kind: 'error',
    title: 'Buy milk',
    detail: 'You are not allowed to do this.',
    requestId: 'abc',
  });
});

describe('a deletion', () => {
  test('can be undone from its toast', async () => {
    await actions.remove(task);
    expect(stored().delete_time).not.toBeNull();
    const { title, action } = theToast();
    expect([title, action?.label]).toEqual(['“Buy milk” deleted', 'Undo']);
    action?.run();
    await vi.waitFor(() => expect(announcer.message).toBe('“Buy milk” restored'));
    expect(stored().delete_time).toBeNull();
  });

  test('that is undone after someone restored and changed the task keeps and names those changes', async () => {
    await actions.remove(task);
    server.tasks.undelete(task.id);
    server.tasks.update(task.id, { title: 'Buy bread' });
    theToast().action?.run();
    await vi.waitFor(() => expect(toasts.shown).toHaveLength(2));
    const { title, detail } = toasts.shown[1] as Toast;
    expect([title, detail]).toEqual(['“Buy bread” restored', 'Changes made elsewhere are kept: Title.']);
    expect(stored().title).toBe('Buy bread');
  });

  test('with a conflict names the changed fields, and can be repeated', async () => {
    server.tasks.update(task.id, { title: 'Buy bread', due_time: '2026-02-01T09:00:00Z' });
    await actions.remove(task);
    const { title, detail, action } = theToast();
    expect(title).toBe('“Buy milk” was changed elsewhere');
    expect(detail).toBe('Changed fields: Title, Due. Your change was not saved.');
    expect(stored().delete_time).toBeNull();
    action?.run();
    await vi.waitFor(() => expect(stored().delete_time).not.toBeNull());
  });

  test('shows an error if it cannot be undone', async () => {
    await actions.remove(task);
    const [deleted] = toasts.shown;
    server.refuse('POST', new Refusal(500, 'INTERNAL'));
    deleted?.action?.run();
    await vi.waitFor(() => expect(toasts.shown.at(-1)?.kind).toBe('error'));
    expect(stored().delete_time).not.toBeNull();
  });
});
