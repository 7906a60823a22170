import type { Task } from '#lib/api/tasks.ts';
import { FIELDS, type Content } from '#lib/tasks/changes.ts';

/** What was typed and not yet saved, and the task that it was typed over. */
export interface Draft {
  seen: Task;
  content: Content;
}

/** What a new task is like when only its title is given. */
export const BLANK: Content = {
  title: '',
  description: '',
  status: 'TODO',
  priority: 'MEDIUM',
  labels: [],
  due_time: null,
};

/** The part of a task that a person can change. */
export function contentOf(task: Task): Content {
  return Object.fromEntries(FIELDS.map((field) => [field, task[field]])) as unknown as Content;
}
