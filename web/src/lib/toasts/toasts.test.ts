// @vitest-environment node
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Toasts } from './toasts.svelte';

const SHOWN_MS = 8_000;
let toasts: Toasts;

beforeEach(() => {
  vi.useFakeTimers();
  toasts = new Toasts();
});

function show(title: string, kind: 'info' | 'error' = 'info'): void {
  toasts.show({ kind, title });
}

function titles(): string[] {
  return toasts.shown.map(({ title }) => title);
}

test('a toast closes when its time is over', () => {
  show('a');
  vi.advanceTimersByTime(SHOWN_MS - 1);
  show('b');
  expect(titles()).toEqual(['a', 'b']);
  vi.advanceTimersByTime(1);
  expect(titles()).toEqual(['b']);
});

test('an error stays until it is dismissed', () => {
  show('a', 'error');
  vi.advanceTimersByTime(SHOWN_MS * 100);
  expect(titles()).toEqual(['a']);
  toasts.dismiss(toasts.shown[0]?.id ?? 0);
  expect(titles()).toEqual([]);
});

test('the oldest toasts close if there are too many', () => {
  for (const title of 'abcdef') show(title);
  expect(titles()).toEqual(['c', 'd', 'e', 'f']);
});

test('many notifications close neither an error nor a message that can be undone', () => {
  show('error', 'error');
  toasts.show({ kind: 'success', title: 'deleted', action: { label: 'Undo', run: vi.fn() } });
  for (const title of 'abcdef') show(title);
  expect(titles()).toEqual(['error', 'deleted', 'e', 'f']);
});

test('dismissing a closed toast does nothing', () => {
  show('a');
  const id = toasts.shown[0]?.id ?? 0;
  vi.advanceTimersByTime(SHOWN_MS);
  show('b');
  toasts.dismiss(id);
  expect(titles()).toEqual(['b']);
});

describe('while toasts are held', () => {
  test('all stay, and on release their time restarts', () => {
    show('a');
    vi.advanceTimersByTime(SHOWN_MS - 1);
    toasts.hold();
    vi.advanceTimersByTime(SHOWN_MS * 10);
    expect(titles()).toEqual(['a']);
    toasts.release();
    vi.advanceTimersByTime(SHOWN_MS - 1);
    expect(titles()).toEqual(['a']);
    vi.advanceTimersByTime(1);
    expect(titles()).toEqual([]);
  });

  test('new ones stay as well', () => {
    show('a');
    toasts.hold();
    show('b');
    vi.advanceTimersByTime(SHOWN_MS * 10);
    expect(titles()).toEqual(['a', 'b']);
    toasts.release();
    vi.advanceTimersByTime(SHOWN_MS);
    expect(titles()).toEqual([]);
  });

  test('releasing twice, as pointer and focus do, closes none early', () => {
    show('a');
    toasts.release();
    vi.advanceTimersByTime(SHOWN_MS - 1);
    toasts.release();
    vi.advanceTimersByTime(SHOWN_MS - 1);
    expect(titles()).toEqual(['a']);
  });

  test('dismissing the last one ends the hold', () => {
    show('a');
    toasts.hold();
    toasts.dismiss(toasts.shown[0]?.id ?? 0);
    show('b');
    vi.advanceTimersByTime(SHOWN_MS);
    expect(titles()).toEqual([]);
  });
});
