import { screen } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { address } from '#lib/shell/address.svelte.ts';
import { page } from '#lib/testing/page.svelte.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import Toolbar from './Toolbar.svelte';

const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  renderIn(anApp(), Toolbar, {});
});

function field(): HTMLInputElement {
  return screen.getByRole('searchbox');
}

/** Let the pause in typing pass, so that the text is put into the URL. */
async function pause(): Promise<void> {
  await vi.advanceTimersByTimeAsync(1_000);
}

describe('the text in the search field', () => {
  test('stays as typed while the navigation of an earlier text ends', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    page.delay = promise;
    await user.type(field(), 'wa');
    await pause();
    await user.type(field(), 'ter');
    resolve(undefined);
    await vi.advanceTimersByTimeAsync(0);
    expect([page.url.search, field().value]).toEqual(['?q=wa', 'water']);
    await pause();
    expect(page.url.search).toBe('?q=water');
  });

  test('does not come back after the filters are cleared', async () => {
    await user.type(field(), 'wa');
    await pause();
    await user.type(field(), 'ter');
    await user.click(screen.getByRole('button', { name: 'Clear filters' }));
    await pause();
    expect([page.url.search, field().value]).toEqual(['', '']);
  });

  test('does not come back after the user has gone back', async () => {
    await user.type(field(), 'wa');
    window.dispatchEvent(new PopStateEvent('popstate'));
    await pause();
    expect([page.url.search, field().value]).toEqual(['', '']);
  });

  test('is part of any other change that follows at once', async () => {
    await user.type(field(), 'wa');
    address.show({ view: 'list' });
    await pause();
    expect([page.url.search, field().value]).toEqual(['?view=list&q=wa', 'wa']);
  });

  test('is cut to the limit of the service, in code points', async () => {
    await user.click(field());
    await user.paste(`\t${'🥛'.repeat(250)}`);
    expect(field().value).toBe(` ${'🥛'.repeat(199)}`);
    await pause();
  });
});
