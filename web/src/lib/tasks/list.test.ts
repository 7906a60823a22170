// @vitest-environment node
import { beforeEach, describe, expect, test } from 'vitest';
import { listTasks, type Task, type TaskQuery } from '#lib/api/tasks.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { FakeServer } from '#lib/testing/server.ts';
import { TaskCache } from './cache.svelte';
import { TaskList } from './list.svelte';
import { Tasks } from './tasks.svelte';

const REFUSED = new Refusal(500, 'INTERNAL');
let server: FakeServer;
let cache: TaskCache;

beforeEach(() => {
  server = FakeServer.start();
  cache = new TaskCache();
});

function listOf(query: TaskQuery = {}): TaskList {
  return new TaskList(cache, query);
}

function add(count: number, task: Partial<Task> = {}): Task[] {
  return Array.from({ length: count }, () => server.tasks.add(task));
}

function hear(): void {
  server.tasks.onwrite = (task) => cache.put(task);
}

function idsOf(tasks: readonly Task[]): string[] {
  return tasks.map(({ id }) => id);
}

const newestFirst = (tasks: readonly Task[]) => idsOf(tasks).reverse();

describe('loading', () => {
  test('works page by page until all tasks are loaded', async () => {
    const tasks = add(120);
    const list = listOf();
    expect([list.isLoaded, list.hasMore, list.tasks.length]).toEqual([false, true, 0]);
    await list.loadMore();
    expect([list.isLoaded, list.hasMore, list.tasks.length]).toEqual([true, true, 50]);
    await list.loadMore();
    await list.loadMore();
    expect(list.hasMore).toBe(false);
    expect(idsOf(list.tasks)).toEqual(newestFirst(tasks));
    await list.loadMore();
    expect(server.received).toHaveLength(3);
  });

  test('an empty list works', async () => {
    const list = listOf();
    await list.loadMore();
    expect([list.isLoaded, list.hasMore, list.tasks]).toEqual([true, false, []]);
  });

  test('sends one request for concurrent calls', async () => {
    add(1);
    const list = listOf();
    await Promise.all([list.loadMore(), list.loadMore()]);
    expect(server.received).toHaveLength(1);
    expect(list.isLoading).toBe(false);
  });

  test('accepts a short page', async () => {
    add(30, { priority: 'HIGH' });
    server.tasks.scannedMax = 10;
    const list = listOf({ priorities: ['HIGH'] });
    await list.loadMore();
    expect([list.tasks.length, list.hasMore, server.received.length]).toEqual([10, true, 1]);
  });

  test('continues over empty pages', async () => {
    const [wanted] = add(1, { priority: 'HIGH' });
    add(50);
    server.tasks.scannedMax = 10;
    const list = listOf({ priorities: ['HIGH'] });
    await list.loadMore();
    expect(idsOf(list.tasks)).toEqual([wanted?.id]);
    expect(server.received).toHaveLength(6);
  });

  test('stops after too many empty pages, and continues from there on the next call', async () => {
    const [wanted] = add(1, { priority: 'HIGH' });
    add(150);
    server.tasks.scannedMax = 10;
    const list = listOf({ priorities: ['HIGH'] });
    await list.loadMore();
    expect([list.isLoading, list.hasMore, list.tasks.length]).toEqual([false, true, 0]);
    await list.loadMore();
    expect(idsOf(list.tasks)).toEqual([wanted?.id]);
    expect(server.received).toHaveLength(16);
  });

  test('that fails stores the error, keeps the tasks, and can be retried', async () => {
    const tasks = add(60);
    const list = listOf();
    await list.loadMore();
    server.refuse('GET', REFUSED);
    await list.loadMore();
    expect(list.error).toMatchObject({ status: 500 });
    expect([list.isLoading, list.hasMore, list.tasks.length]).toEqual([false, true, 50]);
    await list.retry();
    expect(list.error).toBeUndefined();
    expect(idsOf(list.tasks)).toEqual(newestFirst(tasks));
  });

  test('is retried only after a failure', async () => {
    add(60);
    const list = listOf();
    await list.loadMore();
    await list.retry();
    expect(server.received).toHaveLength(1);
  });

  test('that is closed changes nothing and is not an error', async () => {
    add(1);
    const held = server.holdResponse('GET');
    const list = listOf();
    const loading = list.loadMore();
    await held.arrived;
    list.close();
    held.release();
    await loading;
    expect([list.isLoading, list.isLoaded, list.error, list.tasks]).toEqual([false, false, undefined, []]);
  });
});

test('a response that arrived before the list was closed changes nothing', async () => {
  const list = new TaskList(cache, {}, () => Promise.resolve({ tasks: [server.tasks.add()], next_page_token: '' }));
  const loading = list.loadMore();
  list.close();
  await loading;
  expect([list.isLoaded, cache.all]).toEqual([false, []]);
});

describe('a live event', () => {
  test('adds a new task at its position', async () => {
    add(3);
    const list = listOf({ order_by: 'priority desc' });
    await list.loadMore();
    hear();
    const urgent = server.tasks.add({ priority: 'URGENT' });
    const low = server.tasks.add({ priority: 'LOW' });
    expect([list.tasks[0]?.id, list.tasks.at(-1)?.id]).toEqual([urgent.id, low.id]);
  });

  test('adds no task beyond the loaded pages until they are loaded', async () => {
    const tasks = add(60);
    const list = listOf({ order_by: 'create_time' });
    await list.loadMore();
    hear();
    const beyond = server.tasks.add();
    expect(list.tasks).toHaveLength(50);
    await list.loadMore();
    expect(idsOf(list.tasks)).toEqual(idsOf([...tasks, beyond]));
  });

  test('moves a task, and removes tasks that no longer match or were deleted', async () => {
    const [first, second, third] = add(3) as [Task, Task, Task];
    const list = listOf({ statuses: ['TODO'], order_by: 'update_time desc' });
    await list.loadMore();
    hear();
    server.tasks.update(first.id, { title: 'Changed' });
    expect(idsOf(list.tasks)).toEqual([first.id, third.id, second.id]);
    server.tasks.update(third.id, { status: 'DONE' });
    server.tasks.delete(second.id);
    expect(idsOf(list.tasks)).toEqual([first.id]);
  });

  test('that is newer than a page being loaded is not undone by it', async () => {
    const [task] = add(1) as [Task];
    const list = listOf();
    const held = server.holdResponse('GET');
    const loading = list.loadMore();
    await held.arrived;
    hear();
    server.tasks.update(task.id, { title: 'Newer' });
    held.release();
    await loading;
    expect(list.tasks.map(({ title }) => title)).toEqual(['Newer']);
  });
});

describe('a pending change', () => {
  test('moves the task from one list to the other immediately', async () => {
    const [task] = add(1) as [Task];
    const [todo, done] = [listOf({ statuses: ['TODO'] }), listOf({ statuses: ['DONE'] })];
    await Promise.all([todo.loadMore(), done.loadMore()]);
    const uncover = cache.overlay(task.id, { status: 'DONE' });
    expect([todo.tasks.length, done.tasks.length]).toEqual([0, 1]);
    uncover();
    expect([todo.tasks.length, done.tasks.length]).toEqual([1, 0]);
  });
});

describe('reloading', () => {
  test('drops missing tasks and updates changed ones, up to where the list was loaded', async () => {
    const tasks = add(300);
    const list = listOf();
    for (let i = 0; i < 5; i++) await list.loadMore();
    server.tasks.purge(tasks[299]?.id ?? '');
    server.tasks.purge(tasks[60]?.id ?? '');
    server.tasks.update(tasks[298]?.id ?? '', { title: 'Changed' });
    await list.reload();
    expect(idsOf(list.tasks)).toEqual(newestFirst(tasks.filter((_, i) => i !== 299 && i !== 60)));
    expect(list.tasks[0]?.title).toBe('Changed');
    expect([list.isLoading, list.error]).toEqual([false, undefined]);
  });

  test('requests no more than was loaded before', async () => {
    add(500);
    const list = listOf();
    await list.loadMore();
    await list.reload();
    expect(server.received.map(({ url }) => url.searchParams.get('page_size'))).toEqual(['50', '50']);
    expect(list.hasMore).toBe(true);
  });

  test('moves a task that was changed elsewhere from one list to the other', async () => {
    const [task] = add(1) as [Task];
    const [todo, done] = [listOf({ statuses: ['TODO'] }), listOf({ statuses: ['DONE'] })];
    await Promise.all([todo.loadMore(), done.loadMore()]);
    server.tasks.update(task.id, { status: 'DONE' });
    await Promise.all([todo.reload(), done.reload()]);
    expect([idsOf(todo.tasks), idsOf(done.tasks)]).toEqual([[], [task.id]]);
  });

  test('keeps tasks received meanwhile that the response does not include', async () => {
    const [task] = add(1) as [Task];
    const list = listOf({ statuses: ['TODO'] });
    await list.loadMore();
    server.tasks.update(task.id, { status: 'DONE' });
    const held = server.holdResponse('GET');
    const reloading = list.reload();
    await held.arrived;
    hear();
    const meanwhile = server.tasks.add();
    server.tasks.update(task.id, { status: 'TODO', title: 'Back' });
    held.release();
    await reloading;
    expect(list.tasks.map(({ id, title }) => [id, title])).toEqual([
      [meanwhile.id, meanwhile.title],
      [task.id, 'Back'],
    ]);
  });

  test('keeps a task that is being created', async () => {
    const tasks = new Tasks();
    const list = new TaskList(tasks.cache, {});
    await list.loadMore();
    const held = server.holdRequest('POST');
    const creation = tasks.create({ title: 'New' }, 'key');
    await list.reload();
    expect(list.tasks.map(({ title }) => title)).toEqual(['New']);
    held.release();
    await creation;
    expect(list.tasks.map(({ title }) => title)).toEqual(['New']);
  });

  test('keeps a task that is being moved here, whether or not the move succeeds', async () => {
    const [task] = add(1) as [Task];
    const [todo, done] = [listOf({ statuses: ['TODO'] }), listOf({ statuses: ['DONE'] })];
    await Promise.all([todo.loadMore(), done.loadMore()]);
    const uncover = cache.overlay(task.id, { status: 'DONE' });
    await done.reload();
    expect(idsOf(done.tasks)).toEqual([task.id]);
    const held = server.holdResponse('GET');
    const reloading = done.reload();
    await held.arrived;
    uncover();
    held.release();
    await reloading;
    expect([idsOf(todo.tasks), idsOf(done.tasks)]).toEqual([[task.id], []]);
  });

  test('keeps tasks until they are known to be gone, even over empty pages', async () => {
    const wanted = add(2, { priority: 'HIGH' });
    const list = listOf({ priorities: ['HIGH'] });
    await list.loadMore();
    add(50);
    server.tasks.scannedMax = 10;
    const counts: number[] = [];
    for (let i = 0; i < 6; i++) server.next('GET', (answer) => (counts.push(list.tasks.length), answer()));
    await list.reload();
    expect(counts).toEqual([2, 2, 2, 2, 2, 2]);
    expect(idsOf(list.tasks)).toEqual(newestFirst(wanted));
  });

  test('replaces a load in progress', async () => {
    add(1);
    const list = listOf();
    const held = server.holdResponse('GET');
    const loading = list.loadMore();
    await held.arrived;
    server.tasks.add();
    await list.reload();
    expect([list.tasks.length, list.isLoading]).toEqual([2, false]);
    held.release();
    await loading;
    expect(list.tasks).toHaveLength(2);
  });

  test('that fails is completed by a retry', async () => {
    const tasks = add(300);
    const list = listOf();
    for (let i = 0; i < 6; i++) await list.loadMore();
    const [early, late] = [tasks[10], tasks[290]] as [Task, Task];
    server.tasks.purge(early.id);
    server.tasks.purge(late.id);
    server.next('GET', (answer) => answer());
    server.refuse('GET', REFUSED);
    await list.reload();
    expect(list.error).toMatchObject({ status: 500 });
    expect(list.tasks).toHaveLength(299);
    while (list.hasMore) await list.loadMore();
    expect(list.error).toBeUndefined();
    expect(idsOf(list.tasks)).toEqual(newestFirst(tasks.filter((task) => task !== early && task !== late)));
  });

  test('shows a change without a live event at its new position', async () => {
    const [task] = add(1) as [Task];
    const list = listOf({ order_by: 'update_time desc' });
    await list.loadMore();
    server.tasks.update(task.id, { title: 'Changed' });
    server.tasks.add();
    await list.reload();
    expect(list.tasks.map(({ title }) => title)).toEqual(['Buy milk', 'Changed']);
  });
});

test('a list requests with its own query', async () => {
  const asked: TaskQuery[] = [];
  const list = new TaskList(cache, { labels: ['home'], order_by: 'due_time' }, (query, signal) => {
    asked.push(query);
    return listTasks(query, signal);
  });
  await list.loadMore();
  expect(asked).toEqual([{ labels: ['home'], order_by: 'due_time', page_size: 50, page_token: '' }]);
});

test('another query loads its tasks, and the same one loads nothing', async () => {
  server.tasks.add({ title: 'Today', due_time: '2026-01-01T12:00:00Z' });
  server.tasks.add({ title: 'Tomorrow', due_time: '2026-01-02T12:00:00Z' });
  const day = (date: number) => ({
    due_after: `2026-01-0${date}T00:00:00Z`,
    due_before: `2026-01-0${date + 1}T00:00:00Z`,
  });
  const list = listOf(day(1));
  await list.loadMore();
  await list.ask(day(1));
  expect([list.tasks.map(({ title }) => title), server.received.length]).toEqual([['Today'], 1]);
  await list.ask(day(2));
  expect([list.tasks.map(({ title }) => title), server.received.length]).toEqual([['Tomorrow'], 2]);
});
