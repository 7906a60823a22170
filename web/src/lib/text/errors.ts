import { ApiError } from '#lib/api/errors.ts';
import type { FieldName } from '#lib/tasks/changes.ts';
import { text } from '.';

/** What the page shows for an error. */
export interface ErrorText {
  message: string;
  /** Identifies the request in the logs. Empty if no request was sent or it got no response. */
  requestId: string;
}

/** The text for any thrown value. */
export function errorText(error: unknown): ErrorText {
  if (!(error instanceof ApiError)) return { message: text.errors.other, requestId: '' };
  const what = text.errors.reasons[error.reason] ?? text.errors.statuses[error.status] ?? text.errors.other;
  const when = error.retryAfterSeconds && error.status === 429 ? text.errors.retryIn(error.retryAfterSeconds) : '';
  const which = error.violations.length ? error.violations.map(ruleOf).join(' ') : '';
  return { message: [which || what, when].filter(Boolean).join(' '), requestId: error.requestId };
}

/** The text for each invalid field, by its name in the API without an index (`labels`, not `labels[2]`). */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  const texts: Record<string, string> = {};
  for (const violation of error.violations) {
    const field = nameOf(violation.field);
    if (!Object.hasOwn(text.fields, field)) continue;
    texts[field] = [texts[field], ruleOf(violation)].filter(Boolean).join(' ');
  }
  return texts;
}

function ruleOf({ field, description }: { field: string; description: string }): string {
  const name = nameOf(field);
  return text.errors.rule(Object.hasOwn(text.fields, name) ? text.fields[name as FieldName] : field, description);
}

function nameOf(field: string): string {
  return /[a-z_]+/.exec(field.split('.').at(-1) ?? '')?.[0] ?? field;
}
