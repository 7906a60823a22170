import type { ListTasksData, NewTask, Task, TaskPage, TaskPatch } from './generated';
import { send } from './send';

export type { NewTask, Task, TaskPage, TaskPatch };
export type TaskStatus = Task['status'];
export type TaskPriority = Task['priority'];
export type TaskQuery = NonNullable<ListTasksData['query']>;
export type TaskOrder = NonNullable<TaskQuery['order_by']>;

const PATH = '/api/v1/tasks';

/** A page of the caller's tasks. */
export function listTasks(query: TaskQuery, signal?: AbortSignal): Promise<TaskPage> {
  return send(PATH, { query, signal });
}

/** One task, deleted or not. */
export function getTask(id: string): Promise<Task> {
  return send(pathOf(id), { query: { show_deleted: true } });
}

/** Creates a task; under the same key it is created once, however often this is called. */
export function createTask(task: NewTask, key: string): Promise<Task> {
  return send(PATH, { method: 'POST', body: task, headers: { 'Idempotency-Key': key }, isRepeatable: true });
}

/** Changes what the patch names, if the task still has this etag; throws an ApiError of status 412 if not. */
export function updateTask(id: string, patch: TaskPatch, etag: string): Promise<Task> {
  return send(pathOf(id), { method: 'PATCH', body: patch, headers: ifMatch(etag) });
}

/** Deletes a task, if it still has this etag; throws an ApiError of status 412 if not. */
export function deleteTask(id: string, etag: string): Promise<void> {
  return send(pathOf(id), { method: 'DELETE', headers: ifMatch(etag) });
}

/** Takes a deletion back. */
export function undeleteTask(id: string): Promise<Task> {
  return send(`${pathOf(id)}:undelete`, { method: 'POST' });
}

function pathOf(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}`;
}

function ifMatch(etag: string): Record<string, string> {
  return { 'If-Match': `"${etag}"` };
}
