// @vitest-environment node
import { expect, test } from 'vitest';
import { aTask } from '#lib/testing/factories.ts';
import { TaskCache } from './cache.svelte';

const { id } = aTask();

function cacheOf(...tasks: Parameters<typeof aTask>[0][]): TaskCache {
  const cache = new TaskCache();
  cache.put(...tasks.map(aTask));
  return cache;
}

test('the newest revision is kept, in whatever order revisions arrive', () => {
  const cache = cacheOf({ revision: 2, title: 'Second' }, { revision: 1, title: 'First' });
  expect(cache.get(id)?.title).toBe('Second');
  cache.put(aTask({ revision: 3, title: 'Third' }));
  expect(cache.get(id)?.title).toBe('Third');
});

test('a repeated task is stored once and does not cause a render', () => {
  const cache = cacheOf({});
  const before = cache.confirmed(id);
  cache.put(aTask());
  expect(cache.all).toHaveLength(1);
  expect(cache.confirmed(id)).toBe(before);
});

test('a deleted task is not restored by an older revision', () => {
  const cache = cacheOf({ revision: 2, delete_time: '2026-01-01T12:00:00Z' }, { revision: 1 });
  expect(cache.get(id)?.delete_time).not.toBeNull();
});

test('a pending change is applied until it is removed, and the confirmed task stays unchanged', () => {
  const cache = cacheOf({});
  const uncover = cache.overlay(id, { title: 'Mine' });
  expect(cache.get(id)?.title).toBe('Mine');
  expect(cache.all[0]?.title).toBe('Mine');
  expect(cache.confirmed(id)?.title).toBe('Buy milk');
  expect(cache.isPending(id)).toBe(true);
  uncover();
  expect(cache.get(id)?.title).toBe('Buy milk');
  expect(cache.isPending(id)).toBe(false);
});

test('the later of two pending changes wins, and each can be removed separately', () => {
  const cache = cacheOf({});
  const uncoverFirst = cache.overlay(id, { title: 'First', status: 'DONE' });
  const uncoverSecond = cache.overlay(id, { title: 'Second' });
  expect(cache.get(id)).toMatchObject({ title: 'Second', status: 'DONE' });
  uncoverFirst();
  expect(cache.get(id)).toMatchObject({ title: 'Second', status: 'TODO' });
  uncoverSecond();
  expect(cache.get(id)?.title).toBe('Buy milk');
});

test('two equal pending changes are separate changes', () => {
  const cache = cacheOf({});
  const uncoverFirst = cache.overlay(id, { status: 'DONE' });
  cache.overlay(id, { status: 'DONE' });
  uncoverFirst();
  expect(cache.get(id)?.status).toBe('DONE');
});

test('a new revision shows in the fields that a pending change does not set', () => {
  const cache = cacheOf({});
  cache.overlay(id, { title: 'Mine' });
  cache.put(aTask({ revision: 2, title: 'Theirs', priority: 'HIGH' }));
  expect(cache.get(id)).toMatchObject({ title: 'Mine', priority: 'HIGH' });
});

test('a pending change of an unknown task shows nothing', () => {
  const cache = cacheOf();
  cache.overlay(id, { title: 'Mine' });
  expect(cache.all).toEqual([]);
});

test('a late response for a previous user is ignored', () => {
  const cache = new TaskCache();
  cache.clear('bob');
  cache.put(aTask({ owner: 'ann' }), aTask({ id: 'mine', owner: 'bob' }), aTask({ id: '~draft', owner: '' }));
  expect(cache.all.map(({ id }) => id)).toEqual(['mine', '~draft']);
});

test('a removed task is gone, together with its pending changes', () => {
  const cache = cacheOf({}, { id: 'another' });
  cache.drop('another');
  expect(cache.all.map((task) => task.id)).toEqual([id]);
  cache.overlay(id, { title: 'Mine' });
  cache.clear('');
  expect(cache.all).toEqual([]);
  expect(cache.isPending(id)).toBe(false);
});
