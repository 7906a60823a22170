import { screen } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { ApiError } from '#lib/api/errors.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import ErrorNote from './ErrorNote.svelte';

test('an error shows its text, with the request ID to copy', async () => {
  const user = userEvent.setup();
  renderIn(anApp(), ErrorNote, { error: new ApiError(503, 'UNAVAILABLE', 'detail', 'abc'), title: 'No tasks' });
  const alert = screen.getByRole('alert');
  expect(alert.textContent).toContain('No tasks');
  expect(alert.textContent).toContain('The server is temporarily unavailable.');
  await user.click(screen.getByRole('button', { name: 'Copy ID' }));
  expect(await navigator.clipboard.readText()).toBe('abc');
  expect(screen.getByRole('button', { name: 'Copied' })).toBeTruthy();
});

test('an error without a request has no ID to copy and no retry button', () => {
  renderIn(anApp(), ErrorNote, { error: new TypeError('x is undefined') });
  expect(screen.queryByRole('button')).toBeNull();
  expect(screen.getByRole('alert').textContent).not.toContain('undefined');
});

test('a failed operation can be retried', async () => {
  const retry = vi.fn();
  renderIn(anApp(), ErrorNote, { error: new ApiError(0, 'OFFLINE', ''), retry });
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(retry).toHaveBeenCalledOnce();
});

test('a description from the API is shown as text, whatever it contains', () => {
  const violations = [{ field: 'title', description: '<img src=x onerror=alert(1)>' }];
  renderIn(anApp(), ErrorNote, { error: new ApiError(422, 'INVALID_FIELD', '', '', violations) });
  expect(screen.getByRole('alert').textContent).toContain('Title <img src=x onerror=alert(1)>.');
  expect(document.querySelector('img')).toBeNull();
});
