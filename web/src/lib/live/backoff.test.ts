import { afterEach, describe, expect, it, vi } from 'vitest';
import { Backoff, retryAfter } from './backoff';

describe('the back-off', () => {
  it('doubles from one second up to half a minute', () => {
    const backoff = new Backoff(() => 1);
    expect(Array.from({ length: 7 }, () => backoff.next())).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
  });

  it('takes any part of that, so that browsers come back apart', () => {
    expect(new Backoff(() => 0).next()).toBe(0);
    expect(new Backoff(() => 0.25).next()).toBe(250);
  });

  it('begins anew after a success', () => {
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
