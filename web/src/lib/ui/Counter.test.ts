import { render, screen } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import Counter from './Counter.svelte';

function shownFor(value: string): string {
  const { container, unmount } = render(Counter, { value, max: 20 });
  const shown = container.querySelector('[aria-hidden]')?.textContent ?? '';
  unmount();
  return shown;
}

test('the length is shown near the limit, in code points', () => {
  expect(['x'.repeat(17), '🥛'.repeat(17), 'x'.repeat(18), '🥛'.repeat(18)].map(shownFor)).toEqual([
    '',
    '',
    '18 of 20 characters',
    '18 of 20 characters',
  ]);
});

test('beyond the limit, the reason is explained', () => {
  expect(shownFor('👨‍👩‍👧‍👦'.repeat(3))).toBe('21 of 20 characters: too long. One emoji can be several characters.');
});

test('the length is announced once, after a pause in typing', async () => {
  vi.useFakeTimers();
  const { rerender } = render(Counter, { value: 'x'.repeat(18), max: 20 });
  const status = screen.getByRole('status');
  await vi.advanceTimersByTimeAsync(500);
  await rerender({ value: 'x'.repeat(19) });
  await vi.advanceTimersByTimeAsync(500);
  expect(status.textContent).toBe('');
  await vi.advanceTimersByTimeAsync(500);
  expect(status.textContent).toBe('19 of 20 characters');
});
