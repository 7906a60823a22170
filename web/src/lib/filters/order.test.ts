// @vitest-environment node
import { describe, expect, test } from 'vitest';
import type { Task, TaskOrder } from '#lib/api/tasks.ts';
import { aTask } from '#lib/testing/factories.ts';
import { compare, placeOf } from './order';

function sorted(order: TaskOrder, ...tasks: Partial<Task>[]): string[] {
  const places = tasks.map((task) => placeOf(aTask(task), order));
  return places.sort((a, b) => compare(a, b, order)).map(({ id }) => id);
}

describe('tasks with the same value', () => {
  const same = [{ id: 'b' }, { id: 'c' }, { id: 'a' }];

  test('are ordered by ID', () => expect(sorted('create_time', ...same)).toEqual(['a', 'b', 'c']));
  test('are ordered by descending ID in a descending order', () =>
    expect(sorted('create_time desc', ...same)).toEqual(['c', 'b', 'a']));
});

test('a task compared with itself is equal', () => {
  const place = placeOf(aTask(), 'due_time');
  expect(compare(place, { ...place }, 'due_time')).toBeCloseTo(0);
});

test('times are compared by microsecond, whatever their number of digits', () => {
  const times = ['.000002Z', 'Z', '.000001Z', '.1Z', '.0000015Z', '.000999Z', '.001Z'];
  const tasks = times.map((end, i) => ({ id: `${i}`, update_time: `2026-01-01T12:00:00${end}` }));
  expect(sorted('update_time', ...tasks)).toEqual(['1', '2', '4', '0', '5', '6', '3']);
});

describe('tasks without a due time', () => {
  const tasks = [
    { id: 'never' },
    { id: 'late', due_time: '9999-12-31T23:59:59Z' },
    { id: 'also never' },
    { id: 'early', due_time: '1970-01-01T00:00:00Z' },
  ];

  test('come last', () => expect(sorted('due_time', ...tasks)).toEqual(['early', 'late', 'also never', 'never']));
  test('come last in the descending order as well', () =>
    expect(sorted('due_time desc', ...tasks)).toEqual(['late', 'early', 'never', 'also never']));
});

test('priorities are ordered by importance, not alphabetically', () => {
  const tasks = (['MEDIUM', 'URGENT', 'LOW', 'HIGH'] as const).map((priority) => ({ id: priority, priority }));
  expect(sorted('priority', ...tasks)).toEqual(['LOW', 'MEDIUM', 'HIGH', 'URGENT']);
});
