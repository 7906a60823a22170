import * as api from '#lib/api/tasks.ts';
import type { Task, TaskPatch, TaskStatus } from '#lib/api/tasks.ts';
import type { Overlay } from '#lib/tasks/cache.svelte.ts';
import { isApplied, patchBetween } from '#lib/tasks/changes.ts';
import { withLabel } from '#lib/tasks/labels.ts';

/** The change of one task in a bulk operation. */
export interface Step {
  /** What to show until it is saved. */
  overlay: Overlay;
  /** Send it once, for this version of the task. Returns the changed task. Throws ApiError. */
  send(seen: Task): Promise<Task>;
  /** Whether the task is already as the step would make it. */
  isApplied(task: Task): boolean;
  /** Whether the step has nothing left to do if the task does not exist. */
  isDoneIfGone?: boolean;
}

/** Returns the step for one of the tasks. */
export type StepOf = (task: Task) => Step;

/** Move tasks to a status. */
export function move(status: TaskStatus): StepOf {
  return () => update({ status });
}

/** Add a label to the labels of tasks. */
export function addLabel(label: string): StepOf {
  return ({ labels }) => update({ labels: withLabel(labels, label) });
}

/** Delete tasks. */
export function remove(): Step {
  const delete_time = new Date().toISOString();
  return {
    overlay: { delete_time },
    async send(seen) {
      await api.deleteTask(seen.id, seen.etag);
      return { ...seen, delete_time, revision: seen.revision + 1 };
    },
    isApplied: (task) => task.delete_time !== null,
    isDoneIfGone: true,
  };
}

/** The step that turns a changed task back into `before`. */
export function undo(before: Task, after: Task): Step {
  return after.delete_time === null ? update(patchBetween(after, before)) : restore;
}

const restore: Step = {
  overlay: { delete_time: null },
  send: ({ id }) => api.undeleteTask(id),
  isApplied: (task) => task.delete_time === null,
};

function update(patch: TaskPatch): Step {
  return {
    overlay: patch as Overlay,
    send: (seen) => api.updateTask(seen.id, patch, seen.etag),
    isApplied: (task) => isApplied(patch, task),
  };
}
