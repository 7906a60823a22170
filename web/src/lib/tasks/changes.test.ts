// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { chance } from '#lib/testing/chance.ts';
import { aTask } from '#lib/testing/factories.ts';
import { contentOf, differences, fieldsOf, isApplied, patchBetween, type Content } from './changes';

const CHOICES: { [Name in keyof Content]: readonly Content[Name][] } = {
  title: ['Buy milk', 'Buy bread'],
  description: ['', 'two litres'],
  status: ['TODO', 'DONE'],
  priority: ['LOW', 'HIGH'],
  labels: [[], ['home'], ['home', 'shop'], ['shop', 'home']],
  due_time: [null, '2026-02-01T09:00:00Z', '2026-02-01T09:00:01Z'],
};

test('a patch turns one version into the other, and contains only changed fields', () => {
  const { pick } = chance(1);
  const any = () => Object.fromEntries(Object.entries(CHOICES).map(([name, values]) => [name, pick<unknown>(values)]));
  for (let i = 0; i < 300; i++) {
    const [before, after] = [aTask(any()), aTask(any())];
    const patch = patchBetween(before, after);
    expect({ ...contentOf(before), ...patch }).toEqual(contentOf(after));
    expect(fieldsOf(patch)).toEqual(differences(after, before));
    expect(isApplied(patch, after)).toBe(true);
    expect(isApplied(patch, before)).toBe(!fieldsOf(patch).length);
  }
});

describe('a time', () => {
  test('in another format is the same', () => {
    const [a, b] = [aTask({ due_time: '2026-02-01T09:00:00Z' }), aTask({ due_time: '2026-02-01T09:00:00.000Z' })];
    expect(patchBetween(a, b)).toEqual({});
    expect(isApplied({ due_time: '2026-02-01T09:00:00.000Z' }, a)).toBe(true);
  });

  test('that is removed is null in the patch', () => {
    expect(patchBetween(aTask({ due_time: '2026-02-01T09:00:00Z' }), aTask())).toEqual({ due_time: null });
  });
});

test('fields that only the service writes are ignored', () => {
  expect(differences(aTask(), aTask({ revision: 7, update_time: '2026-02-01T09:00:00Z' }))).toEqual([]);
});
