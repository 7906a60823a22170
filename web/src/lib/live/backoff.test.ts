import { afterEach, describe, expect, it, vi } from 'vitest';
import { Backoff, retryAfter } from './backoff';

describe('the backoff', () => {
  it('doubles from 1 s up to 30 s', () => {
    const backoff = new Backoff(() => 1);
    expect(Array.from({ length: 7 }, () => backoff.next())).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
  });

  it('is multiplied by a random factor, so that browsers reconnect at different times', () => {
    expect(new Backoff(() => 0).next()).toBe(0);
    expect(new Backoff(() => 0.25).next()).toBe(250);
  });

  it('starts again after a reset', () => {
    const backoff = new Backoff(() => 1);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(1_000);
  });
});

describe('Retry-After', () => {
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['7', 7_000],
    [null, 0],
    ['soon', 0],
    ['-5', 0],
    ['999999', 300_000],
    ['Thu, 01 Jan 2026 00:00:09 GMT', 9_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ])('%j asks for %i ms', (header, expected) => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    expect(retryAfter(header)).toBe(expected);
  });
});
