import type { NewTask, Task, TaskPatch } from '#lib/api/tasks.ts';

/** A field of a task that a person can change. */
export type FieldName = keyof NewTask;
export type Content = Pick<Task, FieldName>;

/** What a new task is like when only its title is given. */
export const BLANK: Content = {
  title: '',
  description: '',
  status: 'TODO',
  priority: 'MEDIUM',
  labels: [],
  due_time: null,
};
/** All of these fields. */
export const FIELDS = Object.keys(BLANK) as FieldName[];

/** The part of a task that a person can change. */
export function contentOf(task: Task): Content {
  return Object.fromEntries(FIELDS.map((field) => [field, task[field]])) as unknown as Content;
}

/** The fields in which two versions of a task differ. */
export function differences(a: Content, b: Content): FieldName[] {
  return FIELDS.filter((field) => !isSame(field, a[field], b[field]));
}

/** The patch that makes `after` of `before`. */
export function patchBetween(before: Content, after: Content): TaskPatch {
  return Object.fromEntries(differences(before, after).map((field) => [field, after[field]]));
}

/** The fields that a patch names. */
export function fieldsOf(patch: TaskPatch): FieldName[] {
  return FIELDS.filter((field) => field in patch);
}

/** Whether the task is already as the patch would make it. */
export function isApplied(patch: TaskPatch, task: Task): boolean {
  return fieldsOf(patch).every((field) => isSame(field, patch[field], task[field]));
}

function isSame(field: FieldName, a: unknown, b: unknown): boolean {
  if (field === 'due_time' && a && b) return Date.parse(String(a)) === Date.parse(String(b));
  return JSON.stringify(a) === JSON.stringify(b);
}
