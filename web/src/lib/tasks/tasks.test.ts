// @vitest-environment node
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError } from '#lib/api/errors.ts';
import type { Task, TaskPatch } from '#lib/api/tasks.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { FakeServer } from '#lib/testing/server.ts';
import { Conflict, isDraft, newKey, Tasks } from './tasks.svelte';

const REFUSED = new Refusal(500, 'INTERNAL');
let server: FakeServer;
let tasks: Tasks;

beforeEach(() => {
  server = FakeServer.start();
  tasks = new Tasks();
});

/** A task that is stored at the service and in the cache. */
function known(task: Partial<Task> = {}): Task {
  const added = server.tasks.add(task);
  tasks.receive(added);
  return added;
}

/** Change a task at the service, without a live event. */
function changeElsewhere({ id }: Task, patch: TaskPatch): Task {
  return server.tasks.update(id, patch);
}

function hear(): void {
  server.tasks.onwrite = (task) => tasks.receive(task);
}

function titles(): string[] {
  return tasks.cache.all.map(({ title }) => title);
}

describe('creating', () => {
  test('shows the task immediately as pending', async () => {
    const creation = tasks.create({ title: 'Buy milk', labels: ['home'] }, 'key');
    const [draft] = tasks.cache.all as [Task];
    expect(draft).toMatchObject({ title: 'Buy milk', labels: ['home'], status: 'TODO', priority: 'MEDIUM' });
    expect([isDraft(draft.id), tasks.isPending(draft.id)]).toEqual([true, true]);
    const created = await creation;
    expect(tasks.cache.all).toEqual([created]);
    expect([isDraft(created.id), tasks.isPending(created.id)]).toEqual([false, false]);
  });

  test('removes the task when it fails', async () => {
    server.refuse('POST', REFUSED);
    await expect(tasks.create({ title: 'Buy milk' }, 'key')).rejects.toMatchObject({ status: 500 });
    expect(titles()).toEqual([]);
  });

  test('shows only one card, even if the event arrives before the response', async () => {
    hear();
    const seen: string[][] = [];
    server.next('POST', async (answer) => {
      const response = answer();
      await vi.waitFor(() => seen.push(titles()));
      return response;
    });
    const created = await tasks.create({ title: 'Buy milk' }, 'key');
    await vi.waitFor(() => expect(tasks.cache.confirmed(created.id)).toBeDefined());
    seen.push(titles());
    expect(seen).toEqual([['Buy milk'], ['Buy milk']]);
  });

  test('does not delay changes of a known task', async () => {
    const task = known();
    hear();
    const held = server.holdResponse('POST');
    const creation = tasks.create({ title: 'Buy bread' }, 'key');
    changeElsewhere(task, { title: 'Buy cheese' });
    expect(tasks.cache.get(task.id)?.title).toBe('Buy cheese');
    held.release();
    await creation;
  });

  test('shows tasks created elsewhere when it is done, whether or not it succeeds', async () => {
    hear();
    const { promise, reject } = Promise.withResolvers<Response>();
    server.next('POST', () => promise);
    const creation = tasks.create({ title: 'Mine' }, 'key').catch(() => undefined);
    server.tasks.add({ title: 'Theirs' });
    expect(titles()).toEqual(['Mine']);
    reject(new Error('not retried'));
    server.refuse('POST', REFUSED);
    await creation;
    await vi.waitFor(() => expect(titles()).toEqual(['Theirs']));
  });

  test('twice with one key creates and shows one task', async () => {
    const made = await Promise.all([
      tasks.create({ title: 'Buy milk' }, 'key'),
      tasks.create({ title: 'Buy milk' }, 'key'),
    ]);
    expect(made[0].id).toBe(made[1].id);
    expect(titles()).toEqual(['Buy milk']);
  });
});

test('keys are unique and valid for the service', () => {
  const keys = Array.from({ length: 100 }, newKey);
  expect(new Set(keys).size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^[ -~]{32}$/);
});

describe('changing', () => {
  test('shows the change immediately, then the result of the service', async () => {
    const task = known();
    const update = tasks.update(task.id, { status: 'DONE' });
    expect(tasks.cache.get(task.id)).toMatchObject({ status: 'DONE', revision: 1, complete_time: null });
    expect(tasks.isPending(task.id)).toBe(true);
    await update;
    expect(tasks.cache.get(task.id)).toMatchObject({ status: 'DONE', revision: 2, complete_time: expect.any(String) });
    expect(tasks.isPending(task.id)).toBe(false);
    expect(server.asked('PATCH')[0]?.headers.get('If-Match')).toBe('"r1"');
  });

  test('is reverted when it fails', async () => {
    const task = known();
    server.refuse('PATCH', REFUSED);
    await expect(tasks.update(task.id, { title: 'No' })).rejects.toBeInstanceOf(ApiError);
    expect(tasks.cache.all).toEqual([task]);
    expect(tasks.isPending(task.id)).toBe(false);
  });

  test('twice is sent in order, each based on the previous result', async () => {
    const task = known();
    const held = server.holdRequest('PATCH');
    const first = tasks.update(task.id, { title: 'First' });
    const second = tasks.update(task.id, { title: 'Second', priority: 'HIGH' });
    const third = tasks.update(task.id, { title: 'Third' });
    expect(tasks.cache.get(task.id)).toMatchObject({ title: 'Third', priority: 'HIGH' });
    await held.arrived;
    expect(server.asked('PATCH')).toHaveLength(1);
    held.release();
    await Promise.all([first, second, third]);
    expect(server.asked('PATCH').map(({ headers }) => headers.get('If-Match'))).toEqual(['"r1"', '"r2"', '"r3"']);
    expect(server.tasks.get(task.id)).toMatchObject({ title: 'Third', priority: 'HIGH', revision: 4 });
  });

  test('continues after a failed change', async () => {
    const task = known();
    server.refuse('PATCH', REFUSED);
    const first = tasks.update(task.id, { title: 'First' });
    const second = tasks.update(task.id, { priority: 'HIGH' });
    await expect(first).rejects.toBeInstanceOf(ApiError);
    await second;
    expect(tasks.cache.get(task.id)).toMatchObject({ title: 'Buy milk', priority: 'HIGH' });
  });

  test('does not wait for the changes of other tasks', async () => {
    const [one, other] = [known(), known()];
    const held = server.holdRequest('PATCH');
    const slow = tasks.update(one.id, { status: 'DONE' });
    await tasks.update(other.id, { status: 'DONE' });
    held.release();
    await slow;
  });

  test('of an unknown task fails and sends nothing', async () => {
    await expect(tasks.update('unknown', {})).rejects.toMatchObject({ status: 404 });
    expect(server.received).toEqual([]);
  });

  test('of a deleted task fails and removes the task', async () => {
    const task = known();
    server.tasks.delete(task.id);
    await expect(tasks.update(task.id, { title: 'Mine' })).rejects.toMatchObject({ status: 404 });
    expect(tasks.cache.get(task.id)).toBeUndefined();
  });
});

describe('when the task was changed elsewhere first', () => {
  test('a change of other fields is merged', async () => {
    const task = known();
    changeElsewhere(task, { title: 'Theirs' });
    await tasks.update(task.id, { status: 'DONE' });
    expect(tasks.cache.get(task.id)).toMatchObject({ title: 'Theirs', status: 'DONE', revision: 3 });
  });

  test('a change of the same field is a conflict with all changed fields', async () => {
    const task = known();
    const theirs = changeElsewhere(task, { title: 'Theirs', priority: 'HIGH' });
    const failure = await tasks.update(task.id, { title: 'Mine' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Conflict);
    expect(failure).toMatchObject({ latest: theirs, fields: ['title', 'priority'] });
    expect(tasks.cache.get(task.id)).toEqual(theirs);
    expect(server.tasks.get(task.id)).toEqual(theirs);
  });

  test('an equal change succeeds without a conflict', async () => {
    const task = known();
    const theirs = changeElsewhere(task, { status: 'DONE' });
    await tasks.update(task.id, { status: 'DONE' });
    expect(tasks.cache.get(task.id)).toEqual(theirs);
  });

  test('a conflict is decided by the version that the user saw, not by newer events', async () => {
    const seen = known();
    hear();
    changeElsewhere(seen, { title: 'Theirs' });
    expect(tasks.cache.get(seen.id)?.title).toBe('Theirs');
    await expect(tasks.update(seen.id, { title: 'Mine' }, seen)).rejects.toBeInstanceOf(Conflict);
    await tasks.update(seen.id, { title: 'Mine' }, server.tasks.get(seen.id));
    expect(server.tasks.get(seen.id).title).toBe('Mine');
  });

  test('the user’s own pending change is not a conflict', async () => {
    const seen = known();
    const move = tasks.update(seen.id, { status: 'DONE' });
    const edit = tasks.update(seen.id, { title: 'Edited' }, seen);
    await Promise.all([move, edit]);
    expect(server.tasks.get(seen.id)).toMatchObject({ status: 'DONE', title: 'Edited' });
  });

  test('and again during the merge, the change fails and is reverted', async () => {
    const task = known();
    changeElsewhere(task, { description: 'First' });
    server.next('PATCH', (answer) => answer());
    server.next('PATCH', (answer) => (changeElsewhere(task, { description: 'Second' }), answer()));
    await expect(tasks.update(task.id, { title: 'Mine' })).rejects.toMatchObject({ status: 412 });
    expect(tasks.cache.get(task.id)?.title).toBe('Buy milk');
  });
});

describe('when the response is lost', () => {
  test('a change that was saved is not an error', async () => {
    const task = known();
    server.loseResponse('PATCH');
    await tasks.update(task.id, { title: 'Mine' });
    expect(tasks.cache.confirmed(task.id)).toMatchObject({ title: 'Mine', revision: 2 });
    expect(server.asked('PATCH')).toHaveLength(1);
  });

  test('a change that was not saved is an error and is reverted', async () => {
    const task = known();
    server.cutOff('PATCH');
    await expect(tasks.update(task.id, { title: 'Mine' })).rejects.toMatchObject({ reason: 'OFFLINE' });
    expect(tasks.cache.get(task.id)).toEqual(task);
  });

  test('a completed deletion is not an error', async () => {
    const task = known();
    server.loseResponse('DELETE');
    await tasks.remove(task.id);
    expect(tasks.cache.confirmed(task.id)?.delete_time).not.toBeNull();
  });

  test('a deletion that was not made is an error and is reverted', async () => {
    const task = known();
    server.cutOff('DELETE');
    await expect(tasks.remove(task.id)).rejects.toMatchObject({ reason: 'OFFLINE' });
    expect(tasks.cache.get(task.id)).toEqual(task);
  });
});

describe('deleting', () => {
  test('hides the task immediately and permanently', async () => {
    const task = known();
    const deletion = tasks.remove(task.id);
    expect(tasks.cache.get(task.id)?.delete_time).not.toBeNull();
    await deletion;
    tasks.receive(task);
    expect(tasks.cache.confirmed(task.id)).toMatchObject({ revision: 2, delete_time: expect.any(String) });
  });

  test('restores the task when it fails', async () => {
    const task = known();
    server.refuse('DELETE', REFUSED);
    await expect(tasks.remove(task.id)).rejects.toBeInstanceOf(ApiError);
    expect(tasks.cache.get(task.id)).toEqual(task);
  });

  test('a changed task is a conflict, and the task stays', async () => {
    const task = known();
    const theirs = changeElsewhere(task, { title: 'Theirs' });
    await expect(tasks.remove(task.id)).rejects.toMatchObject({ name: 'Conflict', fields: ['title'] });
    expect(tasks.cache.get(task.id)).toEqual(theirs);
  });

  test('can be undone', async () => {
    const task = known();
    await tasks.remove(task.id);
    const restoring = tasks.restore(task.id);
    expect(tasks.cache.get(task.id)?.delete_time).toBeNull();
    await restoring;
    expect(tasks.cache.confirmed(task.id)).toMatchObject({ revision: 3, delete_time: null });
  });

  test('stays when the undo fails', async () => {
    const task = known();
    await tasks.remove(task.id);
    server.refuse('POST', REFUSED);
    await expect(tasks.restore(task.id)).rejects.toBeInstanceOf(ApiError);
    expect(tasks.cache.get(task.id)?.delete_time).not.toBeNull();
  });

  test('a task with a new revision but equal fields is not a conflict', async () => {
    const task = known();
    changeElsewhere(task, { title: 'Theirs' });
    changeElsewhere(task, { title: task.title });
    await tasks.remove(task.id);
    expect(server.tasks.get(task.id, true).delete_time).not.toBeNull();
  });

  test('can be undone twice, and if the response to the undo is lost', async () => {
    const task = known();
    await tasks.remove(task.id);
    server.loseResponse('POST');
    await tasks.restore(task.id);
    expect(tasks.cache.get(task.id)?.delete_time).toBeNull();
    await tasks.restore(task.id);
    expect(server.tasks.get(task.id, true).revision).toBe(3);
  });

  test('waits for an earlier change', async () => {
    const task = known();
    await Promise.all([tasks.update(task.id, { title: 'Last words' }), tasks.remove(task.id)]);
    expect(server.tasks.get(task.id, true)).toMatchObject({ title: 'Last words', revision: 3 });
  });
});

describe('finding', () => {
  test('loads an unknown task once, deleted or not', async () => {
    const task = server.tasks.add();
    server.tasks.delete(task.id);
    expect(await tasks.find(task.id)).toMatchObject({ id: task.id, revision: 2 });
    await tasks.find(task.id);
    expect(server.received).toHaveLength(1);
  });

  test('a task that does not exist fails', async () => {
    await expect(tasks.find('nothing')).rejects.toMatchObject({ status: 404 });
  });
});
