// @vitest-environment node
import { expect, test, vi } from 'vitest';
import { goto, page } from '#lib/testing/page.svelte.ts';
import { address } from './address.svelte';

test('changing a filter keeps the other filters in the URL', async () => {
  await goto('?view=list&label=home');
  address.show({ query: 'milk' });
  expect(page.url.search).toBe('?view=list&q=milk&label=home');
  expect(address.filters).toMatchObject({ view: 'list', query: 'milk', labels: ['home'] });
  address.show({ view: 'board', query: '', labels: [] });
  expect(page.url.search).toBe('');
});

test('opening a task adds it to the URL and does not change the filters', async () => {
  await goto('?q=milk');
  const { query } = address;
  address.open('id&=?');
  expect([address.task, address.query]).toEqual(['id&=?', query]);
  address.close();
  expect([address.task, page.url.search]).toEqual(['', '?q=milk']);
});

test('changing a filter closes the open task', () => {
  address.open('id');
  address.show({ view: 'list' });
  expect(address.task).toBe('');
});

test('typing a search adds no history entry, and opening tasks adds one', async () => {
  await goto('?view=list');
  page.left = [];
  vi.useFakeTimers();
  for (const text of ['m', 'milk']) {
    address.type(text);
    vi.advanceTimersByTime(1_000);
  }
  vi.useRealTimers();
  address.open('one');
  address.open('another');
  address.close();
  expect(page.left).toEqual(['?view=list&q=milk']);
});

test('closing without an open task does not navigate', async () => {
  await goto('?q=milk');
  page.left = [];
  address.close();
  expect(page.left).toEqual([]);
});

test('two quick changes both apply, although the navigation of the first has not ended', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  page.delay = promise;
  address.show({ view: 'list' });
  address.show({ labels: ['home'] });
  expect(address.filters).toMatchObject({ view: 'list', labels: ['home'] });
  resolve(undefined);
  await vi.waitFor(() => expect(page.url.search).toBe('?view=list&label=home'));
});
