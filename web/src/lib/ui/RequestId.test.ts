import { render, screen } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import RequestId from './RequestId.svelte';

test.each([
  ['is available', { writeText: () => Promise.resolve() }, 'Copied', ''],
  ['is absent', undefined, /^Selected/, 'request-1'],
  [
    'is refused',
    { writeText: () => Promise.reject(new DOMException('', 'NotAllowedError')) },
    /^Selected/,
    'request-1',
  ],
])('where the clipboard %s, the button says what happened', async (_, clipboard, label, selected) => {
  const user = userEvent.setup();
  vi.spyOn(navigator, 'clipboard', 'get').mockReturnValue(clipboard as unknown as Clipboard);
  render(RequestId, { id: 'request-1' });
  await user.click(screen.getByRole('button', { name: 'Copy ID' }));
  expect(await screen.findByRole('button', { name: label })).toBeTruthy();
  expect(String(getSelection())).toBe(selected);
});
