import type { Task, TaskOrder } from '#lib/api/tasks.ts';

/** A place in a list: right behind the task with this value and id. */
export interface Place {
  value: number;
  id: string;
}

/** Where the service puts a task in this order; ties are broken by id, and tasks without due_time come last. */
export function placeOf(task: Task, order: TaskOrder): Place {
  return { value: valueOf(task, order), id: task.id };
}

/** Compares two places of the same order, as sort does. */
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

// Date knows milliseconds only, and two tasks of one millisecond would change places.
function microseconds(time: string): number {
  const [, whole = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return Date.parse(`${whole}Z`) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
