import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { aTask } from '#lib/testing/factories.ts';
import { drag, draggable, dropTarget } from './drag-and-drop.svelte';

const TASK = aTask();
const card = document.createElement('article');
const column = document.createElement('section');
const drop = vi.fn();
let data: Map<string, string>;
let removeCard: () => void;

beforeEach(() => {
  data = new Map();
  removeCard = draggable(() => TASK)(card) as () => void;
  dropTarget('DONE', drop)(column);
});

afterEach(() => removeCard());

/** Dispatch a drag event. Return whether the element accepted it. */
function send(name: string, element: HTMLElement): boolean {
  const dataTransfer = {
    types: [...data.keys()],
    getData: (type: string) => data.get(type) ?? '',
    setData: (type: string, value: string) => void data.set(type, value),
  };
  return !element.dispatchEvent(Object.assign(new Event(name, { cancelable: true }), { dataTransfer }));
}

test('a card is dropped in another column', () => {
  send('dragstart', card);
  expect([drag.task, send('dragover', column), send('drop', column)]).toEqual([TASK, true, true]);
  expect(drop).toHaveBeenCalledExactlyOnceWith(TASK);
  expect(drag.task).toBeUndefined();
});

test('a drag ends when its card is removed', () => {
  send('dragstart', card);
  removeCard();
  expect([drag.task, send('dragover', column), send('drop', column)]).toEqual([undefined, false, false]);
  expect(drop).not.toHaveBeenCalled();
});

test('anything else that is dragged is not accepted, even if the end of an earlier drag was missed', () => {
  send('dragstart', card);
  data = new Map([['text/plain', 'any text']]);
  expect([send('dragover', column), send('drop', column)]).toEqual([false, false]);
  expect(drop).not.toHaveBeenCalled();
});
