import { folded } from '#lib/filters/folded.ts';
import { faultOf, withLabel } from '#lib/tasks/labels.ts';
import { QUERY_MAX } from '#lib/text/limits.ts';
import { cut, oneLine } from '#lib/text/unicode.ts';
import type { Task, TaskOrder, TaskPriority, TaskQuery, TaskStatus } from '#lib/api/tasks.ts';

export const STATUSES = ['TODO', 'IN_PROGRESS', 'DONE'] as const satisfies readonly TaskStatus[];
export const PRIORITIES = ['URGENT', 'HIGH', 'MEDIUM', 'LOW'] as const satisfies readonly TaskPriority[];
export const DUES = ['overdue', 'today', 'week'] as const;
export const ORDERS = [
  'create_time desc',
  'create_time',
  'update_time desc',
  'due_time',
  'priority desc',
] as const satisfies readonly TaskOrder[];
const MINUTE_MS = 60_000; // the query changes, and is sent again, once a minute
export const VIEWS = ['board', 'list'] as const;

export type View = (typeof VIEWS)[number];
export type Due = (typeof DUES)[number];

/** The filters, order and view of the tasks. All of them are in the URL, so that they can be bookmarked and shared. */
export interface Filters {
  view: View;
  query: string;
  statuses: TaskStatus[];
  priorities: TaskPriority[];
  labels: string[];
  due: Due | '';
  order: TaskOrder;
}

/** Parse the filters from a URL's query. Absent and invalid parameters set no filter. */
export function fromAddress(parameters: Pick<URLSearchParams, 'get' | 'getAll'>): Filters {
  return {
    view: oneOf(VIEWS, parameters.get('view')) ?? 'board',
    query: cut(parameters.get('q') ?? '', QUERY_MAX),
    statuses: parameters.getAll('status').flatMap((each) => oneOf(STATUSES, each) ?? []),
    priorities: parameters.getAll('priority').flatMap((each) => oneOf(PRIORITIES, each) ?? []),
    labels: parameters.getAll('label').reduce(withValid, []),
    due: oneOf(DUES, parameters.get('due')) ?? '',
    order: oneOf(ORDERS, parameters.get('sort')) ?? 'create_time desc',
  };
}

function withValid(labels: string[], each: string): string[] {
  const label = oneLine(each).normalize('NFC'); // not trimmed: a label of another client may start with a blank
  return faultOf(label, labels) ? labels : withLabel(labels, label);
}

/** Return the URL query for these filters; empty if all have their defaults. */
export function toAddress(filters: Filters): string {
  const pairs = [
    ['view', filters.view === 'board' ? '' : filters.view],
    ['q', filters.query],
    ...filters.statuses.map((each) => ['status', each]),
    ...filters.priorities.map((each) => ['priority', each]),
    ...filters.labels.map((each) => ['label', each]),
    ['due', filters.due],
    ['sort', filters.order === 'create_time desc' ? '' : filters.order],
  ].filter(([, value]) => value);
  return pairs.length ? `?${new URLSearchParams(pairs)}` : '';
}

/** Whether any filter is set. */
export function isFiltered(filters: Filters): boolean {
  return Boolean(
    filters.query || filters.statuses.length || filters.priorities.length || filters.labels.length || filters.due,
  );
}

/** Return the API query for these filters. `now` is the reference time of the due filters. */
export function toQuery(filters: Filters, now: Date): TaskQuery {
  return {
    query: filters.query,
    statuses: filters.due === 'overdue' && !filters.statuses.length ? ['TODO', 'IN_PROGRESS'] : filters.statuses,
    priorities: filters.priorities,
    labels: filters.labels,
    order_by: filters.order,
    ...dueRange(filters.due, now),
  };
}

/** Return whether the API would list a task for this query. Decides which lists show a task from a live event. */
export function matcher(query: TaskQuery): (task: Task) => boolean {
  const text = folded(query.query ?? '');
  const [after, before] = [query.due_after, query.due_before].map((time) => (time ? Date.parse(time) : undefined));
  const isDue = ({ due_time }: Task) => {
    if (after === undefined && before === undefined) return true;
    const due = due_time === null ? NaN : Date.parse(due_time);
    return due >= (after ?? -Infinity) && due < (before ?? Infinity);
  };
  return (task) =>
    task.delete_time === null &&
    (!query.statuses?.length || query.statuses.includes(task.status)) &&
    (!query.priorities?.length || query.priorities.includes(task.priority)) &&
    (query.labels ?? []).every((label) => task.labels.includes(label.normalize('NFC'))) &&
    isDue(task) &&
    (!text || searchable(task).includes(text));
}

const searchableTexts = new WeakMap<Task, string>(); // each change of a list needs those of all tasks

function searchable(task: Task): string {
  const known = searchableTexts.get(task);
  if (known !== undefined) return known;
  const text = folded(`${task.title}\n${task.description}`);
  searchableTexts.set(task, text);
  return text;
}

function dueRange(due: Due | '', now: Date): Pick<TaskQuery, 'due_after' | 'due_before'> {
  const midnight = (daysOn: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + daysOn).toISOString();
  switch (due) {
    case 'overdue':
      return { due_before: new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS).toISOString() };
    case 'today':
      return { due_after: midnight(0), due_before: midnight(1) };
    case 'week':
      return { due_after: midnight(0), due_before: midnight(7) };
    default:
      return {};
  }
}

function oneOf<T extends string>(known: readonly T[], value: string | null): T | undefined {
  return known.find((each) => each === value);
}
