// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { ApiError } from '#lib/api/errors.ts';
import { wordsByField, wordsOf } from './errors';

function invalid(...violations: { field: string; description: string }[]): ApiError {
  return new ApiError(422, 'INVALID_FIELD', 'detail', 'request-1', violations);
}

describe('the words for an error', () => {
  test.each([0, 401, 403, 404, 409, 412, 413, 422, 429, 502, 503, 504])('of status %i are its own', (status) => {
    const { message, requestId } = wordsOf(new ApiError(status, 'REASON', 'detail of the API', 'request-1'));
    expect(message).not.toBe(wordsOf(new Error()).message);
    expect(message).not.toContain('detail of the API');
    expect(requestId).toBe('request-1');
  });

  test.each([400, 418, 500, 501])('of status %i ask for the request id to be passed on', (status) => {
    expect(wordsOf(new ApiError(status, 'REASON', 'detail'))).toEqual({
      message: wordsOf(null).message,
      requestId: '',
    });
  });

  test('of 429 tell when to try again, where that is known', () => {
    const wordsFor = (seconds?: number) => wordsOf(new ApiError(429, 'LIMIT', '', '', [], seconds)).message;
    expect(wordsFor(1)).toBe('That was too much at once. Try again in 1 second.');
    expect(wordsFor(30)).toBe('That was too much at once. Try again in 30 seconds.');
    expect(wordsFor()).toBe('That was too much at once.');
  });

  test('with broken rules name the fields as the page does', () => {
    const error = invalid(
      { field: 'due_time', description: 'must not be before 1970' },
      { field: 'labels[2]', description: 'must not be blank' },
      { field: 'page_size', description: 'must not be negative' },
    );
    expect(wordsOf(error).message).toBe(
      'Due must not be before 1970. Labels must not be blank. page_size must not be negative.',
    );
  });

  test.each([new TypeError('x is undefined'), undefined, 'text'])('of the page itself betray nothing: %o', (error) => {
    expect(wordsOf(error)).toEqual({ message: wordsOf(null).message, requestId: '' });
  });
});

describe('the words for a field', () => {
  test('are under its name, all of them together', () => {
    const error = invalid(
      { field: 'title', description: 'must not be blank' },
      { field: 'labels[0]', description: 'must not be blank' },
      { field: 'labels[12]', description: 'must be at most 50 characters' },
      { field: 'task.due_time', description: 'must not be before 1970' },
    );
    expect(wordsByField(error)).toEqual({
      title: 'Title must not be blank.',
      labels: 'Labels must not be blank. Labels must be at most 50 characters.',
      due_time: 'Due must not be before 1970.',
    });
  });

  test.each(['Idempotency-Key', 'If-Match', 'page_token', '', '[0]', 'constructor'])(
    'are none for what is no field of a task, “%s”, so that nobody waits for them at a field',
    (field) => expect(wordsByField(invalid({ field, description: 'is wrong' }))).toEqual({}),
  );

  test('are none where there is no such error', () => {
    expect(wordsByField(undefined)).toEqual({});
    expect(wordsByField(new ApiError(500, 'INTERNAL', ''))).toEqual({});
  });
});
