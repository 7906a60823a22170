import { screen } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { expect, test } from 'vitest';
import { goto, page } from '#lib/testing/page.svelte.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import FilterFields from './FilterFields.svelte';

test('a label is added by a press elsewhere, which may close the panel', async () => {
  renderIn(anApp(), FilterFields, {});
  await userEvent.type(screen.getByLabelText('Labels'), 'home');
  await userEvent.pointer({ keys: '[MouseLeft>]', target: document.body });
  expect(page.url.search).toBe('?label=home');
});

test.each(['{Enter}', '{Escape}', '{Tab}'])('a label with a comma is added to the URL by %s', async (key) => {
  await goto('?label=home');
  renderIn(anApp(), FilterFields, {});
  await userEvent.type(screen.getByLabelText('Labels'), `milk, bread${key}`);
  expect(page.url.searchParams.getAll('label')).toEqual(['home', 'milk, bread']);
  await userEvent.click(screen.getByRole('button', { name: 'Remove label home' }));
  expect(page.url.search).toBe('?label=milk%2C+bread');
});
