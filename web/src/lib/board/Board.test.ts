import { screen } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Task, TaskStatus } from '#lib/api/tasks.ts';
import type { App } from '#lib/shell/app.svelte.ts';
import { aTask } from '#lib/testing/factories.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import { FakeServer } from '#lib/testing/server.ts';
import Board from './Board.svelte';

const WAIT_MS = 10_000; // an upper limit for slow machines, not a delay
const STATUSES: readonly TaskStatus[] = ['TODO', 'IN_PROGRESS', 'DONE'];
let app: App;

beforeEach(async () => {
  FakeServer.start();
  vi.stubGlobal(
    'IntersectionObserver',
    vi.fn(
      class {
        observe = vi.fn();
        disconnect = vi.fn();
      },
    ),
  );
  app = anApp();
  renderIn(app, Board, { query: {} });
  await vi.waitFor(() => expect([...app.lists].filter(({ isLoaded }) => isLoaded)).toHaveLength(3));
});

function many(count: number): Task[] {
  return Array.from({ length: count }, (_, i) =>
    aTask({ id: String(i).padStart(5, '0'), title: `Task ${i}`, ...(STATUSES[i % 3] && { status: STATUSES[i % 3] }) }),
  );
}

function titles(): (string | null)[] {
  return [...document.querySelectorAll('article')].map((card) => card.querySelector('[id^=task]')?.textContent ?? null);
}

test('with ten thousand tasks, the page has at most 180 cards, and every task can be reached', async () => {
  app.tasks.receive(...many(10_000));
  await vi.waitFor(() => expect(titles()).toHaveLength(180), WAIT_MS);
  expect(titles()).toContain('Task 9999');
  await userEvent.click(screen.getAllByText('Show 3274 more tasks')[0] as HTMLElement);
  await vi.waitFor(() => expect(screen.getByText('Show 30 tasks before these')).toBeTruthy(), WAIT_MS);
  expect(titles()).not.toContain('Task 9999');
  await userEvent.click(screen.getByText('Show 30 tasks before these'));
  await vi.waitFor(() => expect(titles()).toContain('Task 9999'), WAIT_MS);
  expect(titles()).toHaveLength(180);
}, 20_000);
