// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { aTask } from '#lib/testing/factories.ts';
import { chance } from '#lib/testing/chance.ts';
import {
  DUES,
  fromAddress,
  isFiltered,
  matcher,
  ORDERS,
  PRIORITIES,
  STATUSES,
  toAddress,
  toQuery,
  VIEWS,
} from './filters';
import type { Filters } from './filters';

const ALL: Filters = fromAddress(new URLSearchParams());
const TEXTS = [
  '',
  'milk',
  'a&b=c',
  '50%',
  '#1',
  '+',
  '?',
  'Straße',
  '日本',
  '🥛',
  '"<script>',
  ' ',
  'a, b',
  '\\',
  '%00',
];

function of(address: string): Filters {
  return fromAddress(new URLSearchParams(address));
}

describe('an address', () => {
  test('without parameters sets no filters', () => {
    expect(ALL).toEqual({
      view: 'board',
      query: '',
      statuses: [],
      priorities: [],
      labels: [],
      due: '',
      order: 'create_time desc',
    });
    expect(toAddress(ALL)).toBe('');
    expect(isFiltered(ALL)).toBe(false);
  });

  test('is parsed back to the filters that it was made from', () => {
    const { pick, some } = chance(1);
    for (let i = 0; i < 500; i++) {
      const filters: Filters = {
        view: pick(VIEWS),
        query: pick(TEXTS),
        statuses: some(STATUSES),
        priorities: some(PRIORITIES),
        labels: some(TEXTS.filter((each) => each.trim())),
        due: pick(['', ...DUES]),
        order: pick(ORDERS),
      };
      expect(of(toAddress(filters))).toEqual(filters);
    }
  });

  test('with invalid parameters is parsed to valid filters, always the same ones', () => {
    const { pick, some } = chance(2);
    const names = ['view', 'q', 'status', 'priority', 'label', 'due', 'sort', 'task', '__proto__', 'toString', ''];
    const values = [
      ...TEXTS,
      'list',
      'DONE',
      'done',
      'URGENT',
      'overdue',
      'due_time',
      'null',
      'constructor',
      '🥛'.repeat(300),
    ];
    for (let i = 0; i < 500; i++) {
      const address = new URLSearchParams(some([...names, ...names]).map((name) => [name, pick(values)]));
      const filters = fromAddress(address);
      expect(of(toAddress(filters))).toEqual(filters);
      expect(VIEWS).toContain(filters.view);
      expect(ORDERS).toContain(filters.order);
      expect(['', ...DUES]).toContain(filters.due);
      expect(STATUSES).toEqual(expect.arrayContaining(filters.statuses));
      expect(PRIORITIES).toEqual(expect.arrayContaining(filters.priorities));
    }
  });

  test('is cut to the limits of the service', () => {
    const labels = ['🥛'.repeat(51), '\u200b', ...Array.from({ length: 30 }, (_, i) => i)].map(
      (each) => `label=${each}`,
    );
    const filters = of([`q=${'🥛'.repeat(300)}`, ...labels].join('&'));
    expect([...filters.query]).toHaveLength(200);
    expect(filters.query).toBe('🥛'.repeat(200));
    expect(filters.labels).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  });
});

test('a label is the same in whatever Unicode form, also with blanks and commas', () => {
  expect(of('label=Caf%C3%A9&label=Cafe%CC%81&label=+a,+b').labels).toEqual(['Café', ' a, b']);
});

test.each([{ query: 'milk' }, { statuses: ['TODO'] }, { priorities: ['LOW'] }, { labels: ['a'] }, { due: 'today' }])(
  '%o counts as a filter',
  (changed) => expect(isFiltered({ ...ALL, ...(changed as Partial<Filters>) })).toBe(true),
);

test('the view and the order do not count as filters', () => {
  expect(isFiltered({ ...ALL, view: 'list', order: 'due_time' })).toBe(false);
});

describe('a due filter', () => {
  const now = new Date(2026, 2, 28, 15, 30);
  const isListed = (due: Filters['due'], time: Date | null) =>
    matcher(toQuery({ ...ALL, due }, now))(aTask({ due_time: time && time.toISOString() }));

  test('for today begins and ends at midnight in the user’s time zone', () => {
    expect(isListed('today', new Date(2026, 2, 27, 23, 59, 59, 999))).toBe(false);
    expect(isListed('today', new Date(2026, 2, 28))).toBe(true);
    expect(isListed('today', new Date(2026, 2, 28, 23, 59, 59, 999))).toBe(true);
    expect(isListed('today', new Date(2026, 2, 29))).toBe(false);
  });

  test('for the next 7 days includes today, and a daylight saving change does not matter', () => {
    expect(isListed('week', new Date(2026, 2, 28))).toBe(true);
    expect(isListed('week', new Date(2026, 3, 3, 23, 59))).toBe(true);
    expect(isListed('week', new Date(2026, 3, 4))).toBe(false);
  });

  test('excludes tasks without a due time', () => {
    expect(DUES.map((due) => isListed(due, null))).toEqual([false, false, false]);
  });

  test('for overdue includes tasks that were due before now', () => {
    expect(isListed('overdue', new Date(2026, 2, 28, 15, 29))).toBe(true);
    expect(isListed('overdue', now)).toBe(false);
  });
});

test('the overdue filter excludes completed tasks, unless the status filter includes them', () => {
  const overdue = { ...ALL, due: 'overdue' } as const;
  expect(toQuery(overdue, new Date()).statuses).toEqual(['TODO', 'IN_PROGRESS']);
  expect(toQuery({ ...overdue, statuses: ['DONE'] }, new Date()).statuses).toEqual(['DONE']);
});

test('a deleted task matches no query', () => {
  expect(matcher({})(aTask({ delete_time: '2026-01-01T12:00:00Z' }))).toBe(false);
});
