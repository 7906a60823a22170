import { beforeEach, expect, test, vi } from 'vitest';
import { FrameBatch } from './frame-batch';

const handle = vi.fn();
let batch: FrameBatch<number>;

beforeEach(() => {
  vi.useFakeTimers();
  handle.mockReset();
  batch = new FrameBatch(handle);
});

function add(...values: number[]): void {
  values.forEach((value) => batch.add(value));
}

test('values that arrive within a frame are handled together', () => {
  add(1, 2, 3);
  expect(handle).not.toHaveBeenCalled();
  vi.advanceTimersByTime(17);
  add(4);
  vi.advanceTimersByTime(17);
  expect(handle.mock.calls).toEqual([[[1, 2, 3]], [[4]]]);
});

test('after a batch that took long, the next one leaves time for the user', () => {
  handle.mockImplementationOnce(() => vi.advanceTimersByTime(100));
  add(1);
  vi.advanceTimersByTime(20);
  add(2);
  vi.advanceTimersByTime(300);
  expect(handle.mock.calls).toEqual([[[1]]]);
  vi.advanceTimersByTime(200);
  expect(handle.mock.calls).toEqual([[[1]], [[2]]]);
});

test('in a hidden page, which has no frames, values are handled all the same', () => {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  add(1, 2);
  vi.advanceTimersByTime(1_000);
  expect(handle.mock.calls).toEqual([[[1, 2]]]);
});
