/** What can happen, by name, with what comes along; and how the text that was sent becomes that. */
import type { Notification, Task } from '#lib/api/generated/index.ts';
import type { RawEvent } from './parser';

export interface LiveEvents {
  'task.created': Task;
  /** Also a task that was undeleted. */
  'task.updated': Task;
  'task.deleted': Task;
  notification: Notification;
  /** Something may have been missed: load everything again. */
  reset: Record<string, never>;
}

export type LiveName = keyof LiveEvents;
export type LiveEvent = { [Name in LiveName]: { name: Name; data: LiveEvents[Name] } }[LiveName];

export const RESET: RawEvent = { name: 'reset', data: '{}' };

const NAMES: ReadonlySet<string> = new Set<LiveName>([
  'task.created',
  'task.updated',
  'task.deleted',
  'notification',
  'reset',
]);

/** The event, or undefined where a newer server sends one that this page does not know. Throws what JSON.parse throws. */
export function decode({ name, data }: RawEvent): LiveEvent | undefined {
  if (!NAMES.has(name)) return undefined;
  if (name === 'reset') return { name, data: {} };
  const value: unknown = JSON.parse(data);
  if (!hasId(value)) throw new SyntaxError('It has no id.');
  // The edge writes the same JSON here as in its answers, whose types these are.
  return { name, data: value } as LiveEvent;
}

function hasId(value: unknown): value is { id: string } {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}
