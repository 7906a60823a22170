import type { Task, TaskPatch } from '#lib/api/tasks.ts';

/** The fields of a task that a person can change. */
export const FIELDS = ['title', 'description', 'status', 'priority', 'labels', 'due_time'] as const;
export type FieldName = (typeof FIELDS)[number];
export type Content = Pick<Task, FieldName>;

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
