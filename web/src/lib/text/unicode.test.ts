// @vitest-environment node
import { describe, expect, test } from 'vitest';
import openapi from '../../../../.cache/openapi.json';
import { text } from '.';
import * as limits from './limits';
import { cut, isInvisible, isolated, lengthOf, linesOf, oneLine } from './unicode';

const { title, description, labels } = openapi.components.schemas.NewTask.properties;
const query = openapi.paths['/api/v1/tasks'].get.parameters.find(({ name }) => name === 'query')?.schema;
const FAMILY = '👨‍👩‍👧‍👦';
const CHARACTERS = Array.from({ length: 0x110000 }, (_, i) => i)
  .filter((i) => i < 0xd800 || i > 0xdfff)
  .map((i) => String.fromCodePoint(i));

test('the limits are those of the API', () => {
  expect({ ...limits }).toEqual({
    TITLE_MAX: title.maxLength,
    DESCRIPTION_MAX: description.maxLength,
    LABELS_MAX: labels.maxItems,
    LABEL_MAX: labels.items.maxLength,
    QUERY_MAX: query && 'maxLength' in query && query.maxLength,
  });
});

test('a character can be alone in a line if the API allows it', () => {
  const line = new RegExp(title.pattern, 'u');
  const isAllowed = (each: string) => !isInvisible(each) && oneLine(each) === each;
  expect(CHARACTERS.filter((each) => isAllowed(each) !== line.test(each))).toEqual([]);
});

test('a length is a number of code points', () => {
  expect([lengthOf('milk'), lengthOf('🥛'), lengthOf(FAMILY)]).toEqual([4, 1, 7]);
  expect(cut('🥛🥛🥛', 2)).toBe('🥛🥛');
});

test('each control character in one line is a blank, so that the caret stays at its place', () => {
  expect(oneLine('Milk\t2\r\n\u2028x')).toBe('Milk 2   x');
  expect(linesOf('home\tshop\nwork')).toEqual(['home', 'shop', 'work']);
});

describe('user text in a sentence', () => {
  test.each(['שלום', '\u202eevil', '5 ריאל!'])('is isolated: %o', (title) => {
    expect(text.messages.created(title)).toBe(`“\u2068${title}\u2069” added`);
  });

  test('cannot end its isolation', () => {
    expect(isolated('a\u2069\u202eb\u2067')).toBe('\u2068a\u202eb\u2069');
  });

  test('is as it was if all of its letters are left-to-right', () => {
    expect(text.messages.created('Müsli, 2 kg')).toBe('“Müsli, 2 kg” added');
  });

  const sentences = {
    ...text.account,
    ...text.tasks,
    ...text.form,
    ...text.messages,
    ...text.inbox.kinds,
    quoted: text.quoted,
  };
  test.each([
    'menu',
    'logOut',
    'complete',
    'reopen',
    'editing',
    'removeLabel',
    'labelAdded',
    'labelRemoved',
    'moved',
    'deleted',
    'restored',
    'saved',
    'conflict',
    'TASK_CREATED',
    'TASK_DUE',
    'quoted',
  ] as const)('is isolated in %s', (name) => {
    expect(sentences[name]('שלום', '')).toContain(isolated('שלום'));
  });

  test('is isolated in the account menu', () => {
    expect(text.account.menu('שלום')).toContain(isolated('שלום'));
  });
});
