/** The live events by name with their data, and how they are decoded. */
import type { Notification, Task } from '#lib/api/generated/index.ts';
import type { RawEvent } from './parser';

export interface LiveEvents {
  'task.created': Task;
  /** Also sent when a task is undeleted. */
  'task.updated': Task;
  'task.deleted': Task;
  notification: Notification;
  /** Events may have been missed: reload everything. */
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

/** Decode an event; undefined if its name is unknown, e.g. from a newer server. Throws SyntaxError for invalid data. */
export function decode({ name, data }: RawEvent): LiveEvent | undefined {
  if (!NAMES.has(name)) return undefined;
  if (name === 'reset') return { name, data: {} };
  const value: unknown = JSON.parse(data);
  if (!hasId(value)) throw new SyntaxError('The event has no ID.');
  // The edge writes the same JSON in events as in REST responses, so their types apply.
  return { name, data: value } as LiveEvent;
}

function hasId(value: unknown): value is { id: string } {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}
