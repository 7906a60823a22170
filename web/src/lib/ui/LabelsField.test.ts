import { fireEvent, screen } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { anApp, renderIn } from '#lib/testing/render.ts';
import LabelsField from './LabelsField.svelte';

const user = userEvent.setup();
const FAMILY = '👨‍👩‍👧‍👦';

function show(labels: string[] = []): void {
  const app = anApp();
  onTestFinished(app.typing.start());
  renderIn(app, LabelsField, { label: 'Labels', labels, typed: '' });
}

function input(): HTMLInputElement {
  return screen.getByLabelText('Labels');
}

function labels(): (string | undefined)[] {
  return screen.queryAllByRole('listitem').map(({ textContent }) => textContent?.trim());
}

function error(): string {
  const ids = input().getAttribute('aria-describedby')?.split(' ') ?? [];
  return ids.map((id) => document.getElementById(id)?.textContent).join(' ');
}

describe('a label', () => {
  beforeEach(() => show());

  test('is added on Enter, and a comma is a part of it', async () => {
    await user.type(input(), ' milk, bread {Enter}home{Enter}');
    expect([labels(), input().value]).toEqual([['milk, bread', 'home'], '']);
    expect(screen.getByText('Label “home” added')).toBeTruthy();
  });

  test('is added when the focus leaves the input', async () => {
    await user.type(input(), 'home');
    await user.tab();
    expect(labels()).toEqual(['home']);
  });

  test('is added once, in whatever Unicode form', async () => {
    await user.type(input(), 'Caf\u00e9{Enter}Cafe\u0301{Enter}');
    expect([labels(), input().value, error()]).toEqual([['Café'], '', 'Press Enter after each label.']);
  });

  test('is not added while an input method composes', async () => {
    await user.type(input(), '火');
    await fireEvent.keyDown(input(), { key: 'Enter', isComposing: true });
    expect([labels(), input().value]).toEqual([[], '火']);
  });

  test.each([
    ['is too long', FAMILY.repeat(8), 'A label has at most 50 characters, and this has 56. One emoji can be several'],
    ['is invisible', '\u3164\u200b', 'A label needs a visible character.'],
  ])('that %s stays in the input, with the reason', async (_, label, reason) => {
    await user.click(input());
    await user.paste(label);
    await user.keyboard('{Enter}');
    expect([labels(), input().value, input().validity.valid]).toEqual([[], label, false]);
    expect(error()).toContain(reason);
    await user.clear(input());
    await user.type(input(), 'home{Enter}');
    expect([labels(), input().validity.valid, error()]).toEqual([['home'], true, 'Press Enter after each label.']);
  });
});

test('of 50 code points, a label is added', async () => {
  show();
  await user.click(input());
  await user.paste(`${FAMILY.repeat(7)}!`);
  await user.keyboard('{Enter}');
  expect(labels()).toHaveLength(1);
});

test('several lines or cells are pasted as several labels, at the caret', async () => {
  show(['home']);
  await user.type(input(), 'work', { initialSelectionStart: 0 });
  input().setSelectionRange(4, 4);
  await user.paste('shop\r\n\r\nhome\tgarden\n');
  expect([labels(), input().value]).toEqual([['home', 'workshop', 'garden'], '']);
});

test('pasted labels beyond the maximum stay in the input, with the reason', async () => {
  show(Array.from({ length: 19 }, (_, i) => `label ${i}`));
  await user.click(input());
  await user.paste('one\ntwo\nthree');
  expect([labels().at(-1), labels().length, input().value]).toEqual(['one', 20, 'two three']);
  expect(error()).toContain('There are at most 20 labels.');
});

describe('removing', () => {
  beforeEach(() => show(['a', 'b', 'c']));

  test('moves the focus to the next label, and after the last one to the input', async () => {
    await user.click(screen.getByRole('button', { name: 'Remove label b' }));
    expect(labels()).toEqual(['a', 'c']);
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Remove label c' }));
    await user.keyboard('{Enter}');
    expect([labels(), document.activeElement]).toEqual([['a'], input()]);
    expect(screen.getByText('Label “c” removed')).toBeTruthy();
  });

  test('with Backspace starts when the input is empty, but not while the key is held down', async () => {
    await user.type(input(), 'x{Backspace}');
    expect(labels()).toEqual(['a', 'b', 'c']);
    await fireEvent.keyDown(input(), { key: 'Backspace', repeat: true });
    expect(labels()).toEqual(['a', 'b', 'c']);
    await user.keyboard('{Backspace}');
    expect([labels(), document.activeElement]).toEqual([['a', 'b'], input()]);
  });
});
