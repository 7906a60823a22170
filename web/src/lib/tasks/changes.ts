import type { NewTask, Task, TaskPatch } from '#lib/api/tasks.ts';
import { labelOf, withLabel } from './labels.ts';

/** A field of a task that the user can edit. */
export type FieldName = keyof NewTask;
export type Content = Pick<Task, FieldName>;

/** The content of a form. It includes the text of a label that is not added yet. */
export interface Typed extends Content {
  typedLabel: string;
}

/** The defaults of a new task. */
export const BLANK: Content = {
  title: '',
  description: '',
  status: 'TODO',
  priority: 'MEDIUM',
  labels: [],
  due_time: null,
};
/** An empty form. */
export const EMPTY: Typed = { ...BLANK, typedLabel: '' };
/** All editable fields. */
export const FIELDS = Object.keys(BLANK) as FieldName[];

/** Return the editable fields of a task. */
export function contentOf(task: Task): Content {
  return Object.fromEntries(FIELDS.map((field) => [field, task[field]])) as unknown as Content;
}

/** Return the content to save: the label that is not added yet is added. */
export function contentToSave({ typedLabel, ...content }: Typed): Content {
  return { ...content, labels: withLabel(content.labels, labelOf(typedLabel)) };
}

/** Return the fields in which two versions of a task differ. */
export function differences(a: Content, b: Content): FieldName[] {
  return FIELDS.filter((field) => !isSame(field, a[field], b[field]));
}

/** Return the patch that turns `before` into `after`. */
export function patchBetween(before: Content, after: Content): TaskPatch {
  return Object.fromEntries(differences(before, after).map((field) => [field, after[field]]));
}

/** Return the fields of a patch. */
export function fieldsOf(patch: TaskPatch): FieldName[] {
  return FIELDS.filter((field) => field in patch);
}

/** Whether the task already has the values of the patch. */
export function isApplied(patch: TaskPatch, task: Task): boolean {
  return fieldsOf(patch).every((field) => isSame(field, patch[field], task[field]));
}

function isSame(field: FieldName, a: unknown, b: unknown): boolean {
  if (field === 'due_time' && a && b) return Date.parse(String(a)) === Date.parse(String(b));
  return JSON.stringify(a) === JSON.stringify(b);
}
