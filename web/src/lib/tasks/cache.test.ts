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

test('the newest revision is kept, in whatever order they are told', () => {
  const cache = cacheOf({ revision: 2, title: 'Second' }, { revision: 1, title: 'First' });
  expect(cache.get(id)?.title).toBe('Second');
  cache.put(aTask({ revision: 3, title: 'Third' }));
  expect(cache.get(id)?.title).toBe('Third');
});

test('a task that comes twice is there once, and nothing that shows it has to be drawn again', () => {
  const cache = cacheOf({});
  const before = cache.confirmed(id);
  cache.put(aTask());
  expect(cache.all).toHaveLength(1);
  expect(cache.confirmed(id)).toBe(before);
});

test('a deleted task is not brought back by what is older', () => {
  const cache = cacheOf({ revision: 2, delete_time: '2026-01-01T12:00:00Z' }, { revision: 1 });
  expect(cache.get(id)?.delete_time).not.toBeNull();
});

test('a change is shown until it is taken away, and the task beneath it stays as it was told', () => {
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

test('the later of two changes is on top, and each goes alone', () => {
  const cache = cacheOf({});
  const uncoverFirst = cache.overlay(id, { title: 'First', status: 'DONE' });
  const uncoverSecond = cache.overlay(id, { title: 'Second' });
  expect(cache.get(id)).toMatchObject({ title: 'Second', status: 'DONE' });
  uncoverFirst();
  expect(cache.get(id)).toMatchObject({ title: 'Second', status: 'TODO' });
  uncoverSecond();
  expect(cache.get(id)?.title).toBe('Buy milk');
});

test('two changes that say the same are two changes', () => {
  const cache = cacheOf({});
  const uncoverFirst = cache.overlay(id, { status: 'DONE' });
  cache.overlay(id, { status: 'DONE' });
  uncoverFirst();
  expect(cache.get(id)?.status).toBe('DONE');
});

test('news beneath a change shows in the fields that it does not touch', () => {
  const cache = cacheOf({});
  cache.overlay(id, { title: 'Mine' });
  cache.put(aTask({ revision: 2, title: 'Theirs', priority: 'HIGH' }));
  expect(cache.get(id)).toMatchObject({ title: 'Mine', priority: 'HIGH' });
});

test('a change of a task that is not known shows nothing', () => {
  const cache = cacheOf();
  cache.overlay(id, { title: 'Mine' });
  expect(cache.all).toEqual([]);
});

test('an answer that comes after its user has left is not taken in', () => {
  const cache = new TaskCache();
  cache.clear('bob');
  cache.put(aTask({ owner: 'ann' }), aTask({ id: 'mine', owner: 'bob' }), aTask({ id: '~draft', owner: '' }));
  expect(cache.all.map(({ id }) => id)).toEqual(['mine', '~draft']);
});

test('what is forgotten is gone, with the changes on top of it', () => {
  const cache = cacheOf({}, { id: 'another' });
  cache.drop('another');
  expect(cache.all.map((task) => task.id)).toEqual([id]);
  cache.overlay(id, { title: 'Mine' });
  cache.clear('');
  expect(cache.all).toEqual([]);
  expect(cache.isPending(id)).toBe(false);
});
