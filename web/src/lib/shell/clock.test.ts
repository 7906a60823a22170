import { expect, onTestFinished, test, vi } from 'vitest';
import { Clock } from './clock.svelte';

test.each([
  ['every 20 seconds', () => vi.advanceTimersByTime(20_000)],
  ['when the page gets the focus', () => window.dispatchEvent(new Event('focus'))],
  ['when the page is shown again', () => document.dispatchEvent(new Event('visibilitychange'))],
])('the clock follows the system’s clock and time zone %s', (_, happen) => {
  vi.useFakeTimers();
  const clock = new Clock();
  onTestFinished(clock.start());
  vi.setSystemTime('2031-03-03T03:30:00Z');
  vi.stubEnv('TZ', 'Asia/Tokyo');
  happen();
  expect([clock.now.getUTCFullYear(), clock.zone]).toEqual([2031, 'Asia/Tokyo']);
  vi.unstubAllEnvs();
});
