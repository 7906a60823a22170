// @vitest-environment node
/** The service's test of the same cases is tests/unit/task_svc/test_text.py. */
import { expect, test } from 'vitest';
import { folded } from './folded';
import cases from './folded.cases.json';

test.each(cases.found)('$text is found by each query', ({ text, queries }) => {
  expect(queries.filter((query) => !folded(text).includes(folded(query)))).toEqual([]);
});

test.each(cases.not_found)('$text is not found by any query', ({ text, queries }) => {
  expect(queries.filter((query) => folded(text).includes(folded(query)))).toEqual([]);
});
