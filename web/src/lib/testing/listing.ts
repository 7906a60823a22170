import { folded } from '#lib/filters/folded.ts';
import type { Task, TaskPage, TaskPriority, TaskQuery, TaskStatus } from '#lib/api/tasks.ts';
import { Refusal } from './refusal';

const RANKS: Record<TaskPriority, number> = { LOW: 1, MEDIUM: 2, HIGH: 3, URGENT: 4 };
const PAGE_SIZE = 50;
const PAGE_SIZE_MAX = 200;

/** A sort key: whether the value is absent, the value as sortable text, and the ID. */
type Key = readonly [isUnset: boolean, value: string, id: string];

/** Return a page of tasks as the service does: after `scannedMax` scanned tasks it stops early, with a page token. */
export function pageOf(tasks: readonly Task[], query: TaskQuery, scannedMax: number): TaskPage {
  const size = Math.min(query.page_size || PAGE_SIZE, PAGE_SIZE_MAX);
  const [name = '', direction = ''] = (query.order_by ?? 'create_time desc').split(' ');
  const after = query.page_token ? keyIn(query.page_token, query) : undefined;
  const ahead = tasks
    .filter((task) => task.delete_time === null || query.show_deleted)
    .map((task) => ({ task, key: keyOf(task, name) }))
    .sort((a, b) => compareKeys(a.key, b.key, direction))
    .filter(({ key }) => !after || compareKeys(after, key, direction) < 0);
  const found: (typeof ahead)[number][] = [];
  for (const [i, each] of ahead.entries()) {
    if (i === scannedMax) return pageWith(found, ahead[i - 1]?.key, query);
    if (found.length === size && passes(each.task, query)) return pageWith(found, found.at(-1)?.key, query);
    if (passes(each.task, query)) found.push(each);
  }
  return pageWith(found, undefined, query);
}

function pageWith(found: readonly { task: Task }[], next: Key | undefined, query: TaskQuery): TaskPage {
  return {
    tasks: found.map(({ task }) => task),
    next_page_token: next ? btoa(JSON.stringify([next, argumentsOf(query)])) : '',
  };
}

function keyIn(token: string, query: TaskQuery): Key {
  const [key, args] = JSON.parse(atob(token)) as [Key, string];
  if (args !== argumentsOf(query)) throw new Refusal(400, 'INVALID_PAGE_TOKEN');
  return key;
}

function argumentsOf(query: TaskQuery): string {
  const args = Object.entries(query).filter(([name]) => name !== 'page_size' && name !== 'page_token');
  return encodeURIComponent(JSON.stringify(args.sort()));
}

function keyOf(task: Task, name: string): Key {
  const value = name === 'priority' ? String(RANKS[task.priority]) : task[name as 'due_time'];
  return [value === null, value === null ? '' : padded(value), task.id];
}

function padded(time: string): string {
  const [whole = '', fraction = ''] = time.replace('Z', '').split('.');
  return `${whole}.${fraction.padEnd(6, '0')}`;
}

/** Keys without a value come last in both directions. */
function compareKeys(a: Key, b: Key, direction: string): number {
  if (a[0] !== b[0]) return a[0] ? 1 : -1;
  const rising = a[1] === b[1] ? (a[2] < b[2] ? -1 : Number(a[2] > b[2])) : a[1] < b[1] ? -1 : 1;
  return direction === 'desc' ? -rising : rising;
}

function passes(task: Task, query: TaskQuery): boolean {
  const wanted = folded(query.query ?? '');
  const due = task.due_time === null ? undefined : padded(task.due_time);
  return [
    !query.statuses?.length || query.statuses.includes(task.status satisfies TaskStatus),
    !query.priorities?.length || query.priorities.includes(task.priority),
    new Set(task.labels).isSupersetOf(new Set(query.labels?.map((label) => label.normalize('NFC')))),
    !query.due_after || (due !== undefined && due >= padded(query.due_after)),
    !query.due_before || (due !== undefined && due < padded(query.due_before)),
    folded(`${task.title}\n${task.description}`).includes(wanted),
  ].every(Boolean);
}
