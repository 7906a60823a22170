// @vitest-environment node
import { expect, test } from 'vitest';
import { goto, page } from '#lib/testing/page.svelte.ts';
import { address } from './address.svelte';

test('what is shown is in the address, and the rest of it stays', async () => {
  await goto('?view=list&label=home');
  address.show({ query: 'milk' });
  expect(page.url.search).toBe('?view=list&q=milk&label=home');
  expect(address.filters).toMatchObject({ view: 'list', query: 'milk', labels: ['home'] });
  address.show({ view: 'board', query: '', labels: [] });
  expect(page.url.search).toBe('');
});

test('a task that is open is in the address, and chooses no other tasks', async () => {
  await goto('?q=milk');
  const { query } = address;
  address.open('id&=?');
  expect([address.task, address.query]).toEqual(['id&=?', query]);
  address.close();
  expect([address.task, page.url.search]).toEqual(['', '?q=milk']);
});

test('to show other tasks closes the one that is open', () => {
  address.open('id');
  address.show({ view: 'list' });
  expect(address.task).toBe('');
});

test('going back leaves each search at once, however many letters it has, and each task', async () => {
  await goto('?view=list');
  page.left = [];
  address.show({ query: 'm' }, true);
  address.show({ query: 'milk' }, true);
  address.open('one');
  address.open('another');
  address.close();
  expect(page.left).toEqual(['?view=list&q=milk']);
});

test('to close what is not open goes nowhere', async () => {
  await goto('?q=milk');
  page.left = [];
  address.close();
  expect(page.left).toEqual([]);
});
