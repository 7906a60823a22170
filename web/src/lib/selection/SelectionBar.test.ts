import { screen } from '@testing-library/svelte';
import { userEvent, type UserEvent } from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Task } from '#lib/api/tasks.ts';
import ListView from '#lib/board/ListView.svelte';
import { address } from '#lib/shell/address.svelte.ts';
import type { App } from '#lib/shell/app.svelte.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import { FakeServer } from '#lib/testing/server.ts';
import SelectionBar from './SelectionBar.svelte';

let user: UserEvent;
let server: FakeServer;
let app: App;
let milk: Task;
let bread: Task;

beforeEach(async () => {
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      observe = vi.fn();
      disconnect = vi.fn();
    },
  );
  user = userEvent.setup();
  server = FakeServer.start();
  app = anApp();
  milk = server.tasks.add({ title: 'Milk' });
  bread = server.tasks.add({ title: 'Bread' });
  renderIn(app, ListView, { query: { order_by: 'create_time' } });
  renderIn(app, SelectionBar, {});
  await screen.findByText('Milk');
});

/** Press a button of the bar. By its text, because jsdom needs long to compute the names of all elements. */
async function press(label: string): Promise<void> {
  await user.click(await screen.findByText(label));
}

function title(name: string): HTMLElement {
  return screen.getByText(name);
}

test('a click with Ctrl begins to select; further clicks select, and neither open nor complete a task', async () => {
  await user.keyboard('{Control>}');
  await user.click(title('Milk'));
  await user.keyboard('{/Control}');
  await user.click(title('Bread'));
  const box = screen.getByRole('checkbox', { name: 'Select “Milk”', checked: true });
  expect([title('Milk'), title('Bread')].map((each) => each.getAttribute('aria-pressed'))).toEqual(['true', 'true']);
  await user.click(box);
  expect(app.selection.tasks.map((task) => task.title)).toEqual(['Bread']);
  expect(app.announcer.message).toBe('1 selected');
  expect([address.task, server.asked('PATCH')]).toEqual(['', []]);
});

test('Escape ends the selection, but not from a field, and the focus stays', async () => {
  title('Milk').focus();
  await user.keyboard('x');
  await press('Label');
  await user.type(await screen.findByLabelText('Label to add'), 'home');
  await user.keyboard('{Escape}');
  expect(app.selection.isOn).toBe(true);
  title('Milk').focus();
  await user.keyboard('{Escape}');
  expect(app.selection.isOn).toBe(false);
  expect(document.activeElement).toBe(title('Milk'));
});

test('a label is added to the selected tasks', async () => {
  app.selection.selectAll();
  await press('Label');
  await user.type(await screen.findByLabelText('Label to add'), ' home {Enter}');
  await vi.waitFor(() => expect(app.toasts.shown).toMatchObject([{ title: '2 tasks labelled “home”' }]));
  expect([milk, bread].map(({ id }) => server.tasks.get(id).labels)).toEqual([['home'], ['home']]);
});

test('shows the progress, and stops', async () => {
  const held = server.holdRequest('PATCH');
  app.selection.selectAll();
  await press('Complete');
  await screen.findByText('1 of 2');
  expect(screen.getByLabelText('Saving 2 tasks')).toHaveProperty('value', 1);
  await press('Stop');
  expect(screen.getByText('Stopping…').closest('button')?.disabled).toBe(true);
  held.release();
  await vi.waitFor(() => expect(app.bulk.running).toBeUndefined());
});

test('lists the tasks that could not be changed, and opens them', async () => {
  server.tasks.update(milk.id, { title: 'Oat milk' });
  app.selection.selectAll();
  await press('Complete');
  await press('1 not saved');
  const reason = await screen.findByText('Changed elsewhere: Title');
  expect(reason.parentElement?.textContent).toContain('Milk');
  await user.click(reason);
  expect(address.task).toBe(milk.id);
});
