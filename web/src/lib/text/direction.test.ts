import { screen } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { expect, test } from 'vitest';
import Card from '#lib/board/Card.svelte';
import NewTask from '#lib/editor/NewTask.svelte';
import FilterFields from '#lib/filters/FilterFields.svelte';
import Toolbar from '#lib/filters/Toolbar.svelte';
import LoginForm from '#lib/login/LoginForm.svelte';
import { aTask } from '#lib/testing/factories.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import Toasts from '#lib/toasts/Toasts.svelte';

const RIGHT_TO_LEFT = 'שלום';

/** The direction of the block or field that has an element's text. */
function directionOf(element: Element): string | undefined {
  return element.closest<HTMLElement>('[dir], article')?.dir;
}

test.each([
  ['new task', NewTask],
  ['search', Toolbar],
  ['filters', FilterFields],
  ['login', LoginForm],
])('each text field has the direction of its text: %s', async (_, form) => {
  renderIn(anApp(), form, {});
  const details = screen.queryByRole('button', { name: 'Details' });
  if (details) await userEvent.click(details);
  const fields = document.querySelectorAll<HTMLElement>('textarea, input:not([type]), input[type=search]');
  expect(fields.length).toBeGreaterThan(0);
  expect([...fields].map(directionOf)).toEqual([...fields].map(() => 'auto'));
});

test('each text on a card has its own direction', () => {
  const task = aTask({ title: 'Buy milk', description: `${RIGHT_TO_LEFT} 1`, labels: [`${RIGHT_TO_LEFT} 2`] });
  renderIn(anApp(), Card, { task });
  const texts = [task.title, task.description, ...task.labels];
  expect(texts.map((each) => directionOf(screen.getByText(each)))).toEqual(['auto', 'auto', 'auto']);
});

test('a toast has the direction of the page, whatever its user text', () => {
  const app = anApp();
  app.toasts.show({ kind: 'info', title: RIGHT_TO_LEFT });
  renderIn(app, Toasts, {});
  expect(directionOf(screen.getByText(RIGHT_TO_LEFT))).toBeUndefined();
});
