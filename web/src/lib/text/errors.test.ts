// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { ApiError } from '#lib/api/errors.ts';
import { fieldErrors, errorText } from './errors';

function invalid(...violations: { field: string; description: string }[]): ApiError {
  return new ApiError(422, 'INVALID_FIELD', 'detail', 'request-1', violations);
}

describe('the text for an error', () => {
  test.each([0, 401, 403, 404, 409, 412, 413, 422, 429, 502, 503, 504])('of status %i is specific to it', (status) => {
    const { message, requestId } = errorText(new ApiError(status, 'REASON', 'detail of the API', 'request-1'));
    expect(message).not.toBe(errorText(new Error()).message);
    expect(message).not.toContain('detail of the API');
    expect(requestId).toBe('request-1');
  });

  test.each([400, 418, 500, 501])('of status %i asks the user to report the request ID', (status) => {
    expect(errorText(new ApiError(status, 'REASON', 'detail'))).toEqual({
      message: errorText(null).message,
      requestId: '',
    });
  });

  test('of 429 says when to try again, if known', () => {
    const textFor = (seconds?: number) => errorText(new ApiError(429, 'LIMIT', '', '', [], seconds)).message;
    expect(textFor(1)).toBe('Too many requests. Try again in 1 second.');
    expect(textFor(30)).toBe('Too many requests. Try again in 30 seconds.');
    expect(textFor()).toBe('Too many requests.');
  });

  test('with violations uses the field names of the page', () => {
    const error = invalid(
      { field: 'due_time', description: 'must not be before 1970' },
      { field: 'labels[2]', description: 'must not be blank' },
      { field: 'page_size', description: 'must not be negative' },
    );
    expect(errorText(error).message).toBe(
      'Due must not be before 1970. Labels must not be blank. page_size must not be negative.',
    );
  });

  test.each([new TypeError('x is undefined'), undefined, 'text'])(
    'of the page itself shows no internal details: %o',
    (error) => {
      expect(errorText(error)).toEqual({ message: errorText(null).message, requestId: '' });
    },
  );
});

describe('the text for a field', () => {
  test('combines all violations of the field', () => {
    const error = invalid(
      { field: 'title', description: 'must not be blank' },
      { field: 'labels[0]', description: 'must not be blank' },
      { field: 'labels[12]', description: 'must be at most 50 characters' },
      { field: 'task.due_time', description: 'must not be before 1970' },
    );
    expect(fieldErrors(error)).toEqual({
      title: 'Title must not be blank.',
      labels: 'Labels must not be blank. Labels must be at most 50 characters.',
      due_time: 'Due must not be before 1970.',
    });
  });

  test.each(['Idempotency-Key', 'If-Match', 'page_token', '', '[0]', 'constructor'])(
    'is absent if “%s” is not a field of a task',
    (field) => expect(fieldErrors(invalid({ field, description: 'is wrong' }))).toEqual({}),
  );

  test('is absent if the error has no violations', () => {
    expect(fieldErrors(undefined)).toEqual({});
    expect(fieldErrors(new ApiError(500, 'INTERNAL', ''))).toEqual({});
  });
});
