import type { Task, TaskOrder } from '#lib/api/tasks.ts';

/** A position in a list: the sort value and the ID of a task. */
export interface Place {
  value: number;
  id: string;
}

const places = new Map<TaskOrder, WeakMap<Task, Place>>(); // each change of a list needs the places of all its tasks

/** A task's position in this order, as the service has it: ties are broken by ID, tasks without due_time come last. */
export function placeOf(task: Task, order: TaskOrder): Place {
  const known = places.get(order) ?? new WeakMap<Task, Place>();
  places.set(order, known);
  const place = known.get(task) ?? { value: valueOf(task, order), id: task.id };
  known.set(task, place);
  return place;
}

/** Compare two positions in the same order, for Array.sort. */
export function compare(a: Place, b: Place, order: TaskOrder): number {
  const ascending = a.value - b.value || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  return isDescending(order) ? -ascending : ascending;
}

function valueOf(task: Task, order: TaskOrder): number {
  switch (order.split(' ')[0]) {
    case 'priority':
      return ['LOW', 'MEDIUM', 'HIGH', 'URGENT'].indexOf(task.priority);
    case 'due_time':
      return task.due_time === null ? (isDescending(order) ? -1 : Infinity) : microseconds(task.due_time);
    case 'update_time':
      return microseconds(task.update_time);
    default:
      return microseconds(task.create_time);
  }
}

function isDescending(order: TaskOrder): boolean {
  return order.endsWith(' desc');
}

// Date has only milliseconds, which would misorder two tasks of the same millisecond.
function microseconds(time: string): number {
  const [, whole = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return Date.parse(`${whole}Z`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
