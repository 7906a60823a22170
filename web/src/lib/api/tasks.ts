import type { ListTasksData, NewTask, Task, TaskPage, TaskPatch } from './generated';
import { send } from './send';

export type { NewTask, Task, TaskPage, TaskPatch };
export type TaskStatus = Task['status'];
export type TaskPriority = Task['priority'];
export type TaskQuery = NonNullable<ListTasksData['query']>;
export type TaskOrder = NonNullable<TaskQuery['order_by']>;

const PATH = '/api/v1/tasks';

/** Return a page of the user's tasks. */
export function listTasks(query: TaskQuery, signal?: AbortSignal): Promise<TaskPage> {
  return send(PATH, { query, signal });
}

/** Return one task, deleted or not. */
export function getTask(id: string): Promise<Task> {
  return send(pathOf(id), { query: { show_deleted: true } });
}

/** Create a task. Repeated calls with the same idempotency key create it once. */
export function createTask(task: NewTask, key: string): Promise<Task> {
  return send(PATH, { method: 'POST', body: task, headers: { 'Idempotency-Key': key }, isRepeatable: true });
}

/** Update the fields in the patch. Throws ApiError: 412 if the task no longer has this ETag. */
export function updateTask(id: string, patch: TaskPatch, etag: string): Promise<Task> {
  return send(pathOf(id), { method: 'PATCH', body: patch, headers: ifMatch(etag) });
}

/** Delete a task. Throws ApiError: 412 if it no longer has this ETag. */
export function deleteTask(id: string, etag: string): Promise<void> {
  return send(pathOf(id), { method: 'DELETE', headers: ifMatch(etag) });
}

/** Restore a deleted task. */
export function undeleteTask(id: string): Promise<Task> {
  return send(`${pathOf(id)}:undelete`, { method: 'POST' });
}

function pathOf(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}`;
}

function ifMatch(etag: string): Record<string, string> {
  return { 'If-Match': `"${etag}"` };
}
