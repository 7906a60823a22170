import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { rateLimit } from '#lib/api/rate-limit.svelte.ts';
import type { Task, TaskPatch } from '#lib/api/tasks.ts';
import type { App } from '#lib/shell/app.svelte.ts';
import { TaskList } from '#lib/tasks/list.svelte.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { anApp } from '#lib/testing/render.ts';
import { FakeServer } from '#lib/testing/server.ts';
import type { Toast } from '#lib/toasts/toasts.svelte.ts';

let server: FakeServer;
let app: App;

beforeEach(() => {
  server = FakeServer.start();
  app = anApp();
});

/** Add this many tasks, and select all tasks. */
async function select(count: number, task: Partial<Task> = {}): Promise<Task[]> {
  const tasks = Array.from({ length: count }, (_, i) => server.tasks.add({ title: `Task ${i}`, ...task }));
  const list = new TaskList(app.tasks.cache, { order_by: 'create_time' });
  app.lists.clear();
  app.lists.add(list);
  await list.loadMore();
  app.selection.selectAll();
  return tasks;
}

function stored({ id }: Task): Task {
  return server.tasks.get(id, true);
}

function statuses(tasks: readonly Task[]): string[] {
  return tasks.map((task) => stored(task).status);
}

/** Change a task at the service, without a live event. */
function changeElsewhere({ id }: Task, patch: TaskPatch): void {
  server.tasks.update(id, patch);
}

function selected(): string[] {
  return app.selection.tasks.map(({ title }) => title);
}

/** The newest toast. */
function theToast(): Toast {
  return app.toasts.shown.at(-1) as Toast;
}

/** Undo with the newest toast. */
async function undo(): Promise<void> {
  const before = theToast();
  app.toasts.dismiss(before.id);
  before.action?.run();
  await vi.waitFor(() => expect(app.toasts.shown.some(({ id }) => id > before.id)).toBe(true));
}

function sent(): string[] {
  return server.received.map(({ method }) => method).filter((method) => method !== 'GET');
}

describe('a change of the selected tasks', () => {
  test('is one call for each task with its ETag, ends the selection, and can be undone', async () => {
    const tasks = [...(await select(2)), ...(await select(1, { title: 'Busy', status: 'IN_PROGRESS' }))];
    await app.selectionActions.move('DONE');
    expect(statuses(tasks)).toEqual(['DONE', 'DONE', 'DONE']);
    expect(server.asked('PATCH').map(({ headers }) => headers.get('If-Match'))).toEqual(['"r1"', '"r1"', '"r1"']);
    expect([app.selection.isOn, theToast().title, theToast().kind]).toEqual([
      false,
      '3 tasks moved to Done',
      'success',
    ]);
    await undo();
    expect(statuses(tasks)).toEqual(['TODO', 'TODO', 'IN_PROGRESS']);
    expect([theToast().title, theToast().action]).toEqual(['3 tasks restored', undefined]);
  });

  test('adds a label to those of each task, and its undo removes only that', async () => {
    const tasks = [...(await select(1, { labels: ['home'] })), ...(await select(1, { labels: ['shop', 'x'] }))];
    await app.selectionActions.addLabel('shop');
    expect(tasks.map((task) => stored(task).labels)).toEqual([
      ['home', 'shop'],
      ['shop', 'x'],
    ]);
    expect(sent()).toEqual(['PATCH']);
    await undo();
    expect(tasks.map((task) => stored(task).labels)).toEqual([['home'], ['shop', 'x']]);
  });

  test('deletes, and its undo restores', async () => {
    const tasks = await select(3);
    await app.selectionActions.remove();
    expect(tasks.every((task) => stored(task).delete_time)).toBe(true);
    await undo();
    expect(tasks.some((task) => stored(task).delete_time)).toBe(false);
    expect(app.tasks.cache.all.some((task) => task.delete_time)).toBe(false);
  });

  test('shows all tasks at once, and sends at most four calls at a time', async () => {
    const tasks = await select(6);
    const held = tasks.map(() => server.holdRequest('PATCH'));
    const move = app.selectionActions.move('DONE');
    await Promise.all(held.slice(0, 4).map(({ arrived }) => arrived));
    expect(app.tasks.cache.all.map(({ status }) => status)).toEqual(tasks.map(() => 'DONE'));
    expect([sent().length, app.bulk.running?.done, app.bulk.running?.total]).toEqual([4, 0, 6]);
    held.forEach(({ release }) => release());
    await move;
    expect(statuses(tasks)).toEqual(tasks.map(() => 'DONE'));
  });

  test('leaves a task that was changed elsewhere alone, and keeps it selected', async () => {
    const [first, second] = (await select(2)) as [Task, Task];
    changeElsewhere(first, { title: 'New title' });
    await app.selectionActions.move('DONE');
    expect(statuses([first, second])).toEqual(['TODO', 'DONE']);
    expect(selected()).toEqual(['New title']);
    expect(theToast()).toMatchObject({
      kind: 'error',
      title: '1 task moved to Done',
      detail: '1 task was changed elsewhere and left as is.',
    });
    expect(app.selectionActions.problems).toMatchObject([{ task: { id: first.id }, error: { fields: ['title'] } }]);
    expect(sent()).toEqual(['PATCH', 'PATCH']);
    await app.selectionActions.move('DONE');
    expect(statuses([first])).toEqual(['DONE']);
  });

  test('leaves a task alone whose change arrived as a live event after the start', async () => {
    const tasks = await select(5);
    const held = server.holdRequest('PATCH');
    const removed = tasks.slice(1, 4).map(() => server.holdRequest('PATCH'));
    const move = app.selectionActions.move('DONE');
    await Promise.all([held, ...removed].map(({ arrived }) => arrived));
    changeElsewhere(tasks[4] as Task, { priority: 'URGENT' });
    app.tasks.receive(stored(tasks[4] as Task));
    [held, ...removed].forEach(({ release }) => release());
    await move;
    expect([sent().length, selected()]).toEqual([4, ['Task 4']]);
  });

  test('does not retry a failed task, and continues with the others', async () => {
    const tasks = await select(6);
    server.refuse('PATCH', new Refusal(500, 'INTERNAL'));
    await app.selectionActions.move('DONE');
    expect([sent().length, selected(), theToast().detail]).toEqual([6, ['Task 0'], '1 task could not be saved.']);
    expect(statuses(tasks.slice(1))).toEqual(['DONE', 'DONE', 'DONE', 'DONE', 'DONE']);
  });

  test('waits for the rate limit and continues', async () => {
    const tasks = await select(3);
    server.refuse('PATCH', new Refusal(429, 'RATE_LIMITED', {}, { 'Retry-After': '1' }));
    await app.selectionActions.move('DONE');
    expect([statuses(tasks), rateLimit.seconds, theToast().kind]).toEqual([['DONE', 'DONE', 'DONE'], 0, 'success']);
  });

  test('counts a task that is already deleted as deleted, and its undo does not restore it', async () => {
    const tasks = await select(2);
    server.tasks.delete((tasks[0] as Task).id);
    await app.selectionActions.remove();
    expect([theToast().title, theToast().kind, app.selection.isOn]).toEqual(['2 tasks deleted', 'success', false]);
    await undo();
    expect(tasks.map((task) => stored(task).delete_time === null)).toEqual([false, true]);
  });

  test.each([
    ['the session has ended', () => server.refuse('PATCH', new Refusal(401, 'UNAUTHENTICATED'))],
    ['the server is unavailable', () => server.refuse('PATCH', new Refusal(503, 'UNAVAILABLE'))],
    ['there is no connection', () => server.cutOff('PATCH')],
  ])('stops if %s, and keeps the rest selected', async (_, fail) => {
    const tasks = await select(9);
    for (let i = 0; i < 4; i++) fail();
    await app.selectionActions.move('DONE');
    expect([sent().length, selected().length]).toEqual([4, 9]);
    expect(theToast()).toMatchObject({ kind: 'error', detail: expect.stringMatching(/^9 tasks not changed. \w/) });
    expect([...statuses(tasks), ...app.tasks.cache.all.map(({ status }) => status)]).not.toContain('DONE');
  });

  test('whose response is lost is checked, and can be undone', async () => {
    const tasks = await select(1);
    server.loseResponse('PATCH');
    await app.selectionActions.move('DONE');
    expect([theToast().title, sent().length]).toEqual(['1 task moved to Done', 1]);
    await undo();
    expect(statuses(tasks)).toEqual(['TODO']);
  });

  test('can be stopped: calls under way end, and the rest stays selected', async () => {
    const tasks = await select(6);
    const held = tasks.map(() => server.holdRequest('PATCH'));
    const move = app.selectionActions.move('DONE');
    await Promise.all(held.slice(0, 4).map(({ arrived }) => arrived));
    app.bulk.stop();
    held.forEach(({ release }) => release());
    await move;
    expect([sent().length, selected()]).toEqual([4, ['Task 4', 'Task 5']]);
    expect(theToast()).toMatchObject({ kind: 'success', detail: '2 tasks not changed.' });
    await undo();
    expect(statuses(tasks)).toEqual(tasks.map(() => 'TODO'));
  });

  test('affects only tasks that match the filters, and deselects the others', async () => {
    const tasks = await select(2);
    changeElsewhere(tasks[0] as Task, { labels: ['home'] });
    app.tasks.receive(stored(tasks[0] as Task));
    app.lists.clear();
    const list = new TaskList(app.tasks.cache, { labels: ['home'] });
    app.lists.add(list);
    await list.loadMore();
    expect(selected()).toEqual(['Task 0']);
    await app.selectionActions.remove();
    expect(tasks.map((task) => stored(task).delete_time === null)).toEqual([false, true]);
    expect(app.selection.isOn).toBe(false);
  });
});

describe('the undo', () => {
  test('leaves a task alone that was changed since', async () => {
    const tasks = await select(3);
    await app.selectionActions.move('DONE');
    changeElsewhere(tasks[0] as Task, { title: 'Newer' });
    changeElsewhere(tasks[1] as Task, { status: 'IN_PROGRESS' });
    app.tasks.receive(stored(tasks[1] as Task)); // the other change is not known here
    await undo();
    expect(statuses(tasks)).toEqual(['DONE', 'IN_PROGRESS', 'TODO']);
    expect(theToast()).toMatchObject({
      kind: 'error',
      title: '1 task restored',
      detail: '2 tasks were changed elsewhere and left as is.',
    });
    expect(app.selectionActions.problems.map(({ task }) => task.id).sort()).toEqual(
      tasks.slice(0, 2).map(({ id }) => id),
    );
    expect(theToast().action).toBeUndefined();
  });

  test('of a deletion accepts that a task was restored elsewhere', async () => {
    const tasks = await select(2);
    await app.selectionActions.remove();
    server.tasks.undelete((tasks[0] as Task).id);
    await undo();
    expect(theToast()).toMatchObject({ kind: 'success', title: '2 tasks restored' });
  });

  test('can be continued after it stopped', async () => {
    const tasks = await select(2);
    await app.selectionActions.move('DONE');
    server.refuse('PATCH', new Refusal(503, 'UNAVAILABLE'));
    await undo();
    expect(statuses(tasks)).toEqual(['DONE', 'TODO']);
    await undo();
    expect(statuses(tasks)).toEqual(['TODO', 'TODO']);
  });

  test('of an earlier operation waits for the one under way', async () => {
    const [first] = (await select(1)) as [Task];
    await app.selectionActions.move('DONE');
    const early = theToast();
    const [second] = (await select(1)) as [Task];
    app.selection.toggle(first.id);
    const held = server.holdRequest('PATCH');
    const move = app.selectionActions.move('IN_PROGRESS');
    await held.arrived;
    early.action?.run();
    held.release();
    await move;
    await vi.waitFor(() => expect(theToast().title).toBe('1 task restored'));
    expect(statuses([first, second])).toEqual(['TODO', 'IN_PROGRESS']);
  });
});

describe('the selection', () => {
  test('ends, and the operation with it, when the user signs out', async () => {
    onTestFinished(app.start());
    await vi.waitFor(() => expect(app.session.state).toBe('present'));
    const tasks = await select(6);
    const held = tasks.map(() => server.holdRequest('PATCH'));
    void app.selectionActions.move('DONE');
    await Promise.all(held.slice(0, 4).map(({ arrived }) => arrived));
    await app.logOut();
    expect([app.selection.isOn, app.bulk.running]).toEqual([false, undefined]);
    await app.logIn('ann', 'secret');
    held.forEach(({ release }) => release());
    await select(0);
    await app.selectionActions.move('IN_PROGRESS');
    expect(statuses(tasks)).toEqual(tasks.map(() => 'IN_PROGRESS'));
    expect(app.toasts.shown.map(({ title }) => title)).toEqual(['6 tasks moved to In progress']);
    expect(sent()).toHaveLength(1 + 4 + 6); // the sign-out, the calls under way, and those of the second operation
  });

  test('loses a task that is deleted elsewhere, and keeps one that moves', async () => {
    const tasks = await select(2);
    server.tasks.delete((tasks[0] as Task).id);
    changeElsewhere(tasks[1] as Task, { status: 'DONE' });
    app.tasks.receive(...tasks.map(stored));
    expect(selected()).toEqual(['Task 1']);
  });

  test('extends to a range in one list', async () => {
    const tasks = await select(5);
    app.selection.end();
    app.selection.toggle((tasks[3] as Task).id);
    app.selection.extendTo((tasks[1] as Task).id);
    expect([selected(), app.announcer.message]).toEqual([['Task 1', 'Task 2', 'Task 3'], '3 selected']);
  });
});
