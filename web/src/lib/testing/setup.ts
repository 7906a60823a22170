import { afterEach, vi } from 'vitest';
import { sessionEnded } from '#lib/api/session-fetch.ts';
import { goto, page } from './page.svelte';

vi.mock('$app/state', () => import('./page.svelte'));
vi.mock('$app/navigation', () => import('./page.svelte'));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  sessionEnded();
  page.delay = undefined;
  return goto('?');
});
