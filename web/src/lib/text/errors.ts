import { ApiError } from '#lib/api/errors.ts';
import type { FieldName } from '#lib/tasks/changes.ts';
import { text } from '.';

/** What went wrong, for the person who wanted it. */
export interface Words {
  message: string;
  /** By this the request is found in the logs; empty where there was none. */
  requestId: string;
}

/** The words for whatever was thrown. */
export function wordsOf(error: unknown): Words {
  if (!(error instanceof ApiError)) return { message: text.errors.other, requestId: '' };
  const what = text.errors.reasons[error.reason] ?? text.errors.statuses[error.status] ?? text.errors.other;
  const when = error.retryAfterSeconds && error.status === 429 ? text.errors.retryIn(error.retryAfterSeconds) : '';
  const which = error.violations.length ? error.violations.map(ruleOf).join(' ') : '';
  return { message: [which || what, when].filter(Boolean).join(' '), requestId: error.requestId };
}

/** The words for each field at fault, under the name that the API has for it (`labels`, not `labels[2]`). */
export function wordsByField(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  const words: Record<string, string> = {};
  for (const violation of error.violations) {
    const field = nameOf(violation.field);
    if (!Object.hasOwn(text.fields, field)) continue;
    words[field] = [words[field], ruleOf(violation)].filter(Boolean).join(' ');
  }
  return words;
}

function ruleOf({ field, description }: { field: string; description: string }): string {
  const name = nameOf(field);
  return text.errors.rule(Object.hasOwn(text.fields, name) ? text.fields[name as FieldName] : field, description);
}

function nameOf(field: string): string {
  return /[a-z_]+/.exec(field.split('.').at(-1) ?? '')?.[0] ?? field;
}
