import { afterEach, vi } from 'vitest';
import { sessionEnded } from '#lib/api/session-fetch.ts';
import { goto, page } from './page.svelte';

vi.mock('$app/state', () => import('./page.svelte'));
vi.mock('$app/navigation', () => import('./page.svelte'));

// jsdom has no modal dialogs.
if (typeof HTMLDialogElement !== 'undefined') {
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
}

afterEach(() => {
  if (typeof sessionStorage !== 'undefined') sessionStorage.clear();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  sessionEnded();
  page.delay = undefined;
  return goto('?');
});
