import { afterEach, vi } from 'vitest';
import { sendAs } from '#lib/api/send.ts';
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
  for (const storage of [globalThis.sessionStorage, globalThis.localStorage]) storage?.clear();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  sessionEnded();
  sendAs('');
  page.delay = undefined;
  return goto('?');
});
