// @vitest-environment node
import { expect, describe, test, vi } from 'vitest';
import { fromInput, long, short, toInput } from './times';

const zone = 'America/New_York';
vi.stubEnv('TZ', zone);
const NOW = new Date('2026-03-10T02:30:00Z'); // 9 March, 22:30 in New York

describe('the short form', () => {
  const shortAt = (time: string) => short(time, { now: NOW, zone }).replace(/\s/g, ' ');

  test.each([
    ['2026-03-10T02:29:00Z', 'today, 10:29 PM'],
    ['2026-03-09T04:00:00Z', 'today, 12:00 AM'],
    ['2026-03-10T03:59:59Z', 'today, 11:59 PM'],
    ['2026-03-10T04:00:00Z', 'tomorrow, 12:00 AM'],
    ['2026-03-09T03:59:59.999999Z', 'yesterday, 11:59 PM'],
    ['2026-03-11T04:00:00Z', 'Mar 11'],
    ['2026-12-31T12:00:00Z', 'Dec 31'],
    ['2027-01-01T04:59:00Z', 'Dec 31'],
    ['2027-01-01T05:00:00Z', 'Jan 1, 2027'],
    ['1970-01-01T00:00:00Z', 'Dec 31, 1969'],
  ])('%s is %s', (time, expected) => expect(shortAt(time)).toBe(expected));

  test('counts calendar days, not hours, across a daylight saving change', () => {
    const before = { now: new Date('2026-03-08T05:30:00Z'), zone }; // 0:30 on a day with 23 hours
    expect(short('2026-03-09T04:30:00Z', before)).toMatch(/^tomorrow, 12:30/);
    expect(short('2026-03-07T06:00:00Z', before)).toMatch(/^yesterday, 1:00/);
  });
});

test('the full form includes the day of the week', () => {
  expect(long('2026-03-10T02:30:00Z', zone).replace(/\s/g, ' ')).toBe('Monday, March 9, 2026 at 10:30 PM');
});

describe('an input value', () => {
  test.each([
    ['2026-03-09T22:30', '2026-03-10T02:30:00.000Z'],
    ['2026-01-15T09:00', '2026-01-15T14:00:00.000Z'],
    ['2026-07-15T09:00', '2026-07-15T13:00:00.000Z'],
  ])('%s is the time %s, and is shown as it was entered', (entered, time) => {
    expect(fromInput(entered)).toBe(time);
    expect(toInput(time, zone)).toBe(entered);
  });

  test('that is empty is null', () => {
    expect([fromInput(''), toInput(null, zone)]).toEqual([null, '']);
  });

  test('with a year of more than four digits is null', () => {
    expect(fromInput('20266-01-15T09:00')).toBeNull();
  });

  test('in the hour that daylight saving skips is moved to an existing hour', () => {
    expect(fromInput('2026-03-08T02:30')).toBe('2026-03-08T07:30:00.000Z');
  });
});
