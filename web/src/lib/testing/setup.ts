import { afterEach, vi } from 'vitest';
import { sessionEnded } from '#lib/api/session-fetch.ts';
import { goto } from './page.svelte';

vi.mock('$app/state', () => import('./page.svelte'));
vi.mock('$app/navigation', () => import('./page.svelte'));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  sessionEnded();
  return goto('?');
});
