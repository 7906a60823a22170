import { afterEach, vi } from 'vitest';
import { goto } from './page.svelte';

vi.mock('$app/state', () => import('./page.svelte'));
vi.mock('$app/navigation', () => import('./page.svelte'));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  return goto('?');
});
