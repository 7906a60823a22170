import type { Violation } from '#lib/api/generated/index.ts';
import type { NewTask, Task, TaskPage, TaskPatch, TaskQuery } from '#lib/api/tasks.ts';
import { pageOf } from './listing';
import { aTask } from './factories';
import { DESCRIPTION_MAX, LABEL_MAX, LABELS_MAX, TITLE_MAX } from '#lib/text/limits.ts';
import { isInvisible, lengthOf, oneLine } from '#lib/text/unicode.ts';
import { Refusal } from './refusal';

/** A fake of the task service for one user, in memory. It validates, versions and lists tasks as the service does. */
export class FakeTasks {
  /** Called on each write, like a live event. */
  onwrite: (task: Task) => void = () => undefined;
  /** The maximum number of tasks scanned for one page, so that pages can be short or empty. */
  scannedMax = 5000;
  readonly #tasks = new Map<string, Task>();
  readonly #creations = new Map<string, { id: string; body: string }>();
  #clock = Date.UTC(2026, 0, 1, 12) * 1000;

  /** All tasks, deleted or not. */
  get all(): Task[] {
    return [...this.#tasks.values()];
  }

  /** Store a task as if it was created elsewhere. */
  add(task: Partial<Task> = {}): Task {
    const now = this.#now();
    const id = `01JD${String(this.#tasks.size + 1).padStart(22, '0')}`;
    const times = { create_time: now, update_time: now, complete_time: task.status === 'DONE' ? now : null };
    return this.#write(aTask({ id, ...times, ...task }), 1);
  }

  /** Remove a task permanently, as the service eventually does with deleted tasks. */
  purge(id: string): void {
    this.#tasks.delete(id);
  }

  create(body: NewTask, key: string): Task {
    const made = this.#creations.get(key);
    if (made && made.body !== JSON.stringify(body)) throw new Refusal(422, 'REQUEST_ID_REUSED');
    if (made) return this.get(made.id, true);
    check(body);
    const task = this.add(body as Partial<Task>);
    this.#creations.set(key, { id: task.id, body: JSON.stringify(body) });
    return task;
  }

  get(id: string, showDeleted = false): Task {
    const task = this.#tasks.get(id);
    if (!task || (task.delete_time !== null && !showDeleted)) throw new Refusal(404, 'TASK_NOT_FOUND');
    return task;
  }

  list(query: TaskQuery): TaskPage {
    return pageOf(this.all, query, this.scannedMax);
  }

  update(id: string, patch: TaskPatch, etag?: string): Task {
    const task = this.#current(id, etag);
    const given = { ...patch, description: patch.description ?? '', labels: patch.labels ?? [] };
    const changed = Object.fromEntries(Object.keys(patch).map((name) => [name, given[name as keyof TaskPatch]]));
    check({ ...task, ...changed } as NewTask);
    const next: Task = { ...task, ...changed };
    if (JSON.stringify(next) === JSON.stringify(task)) return task;
    const completeTime = task.status === 'DONE' ? task.complete_time : this.#now();
    return this.#write({ ...next, complete_time: next.status === 'DONE' ? completeTime : null }, task.revision + 1);
  }

  delete(id: string, etag?: string): void {
    const task = this.#current(id, etag);
    this.#write({ ...task, delete_time: this.#now() }, task.revision + 1);
  }

  undelete(id: string): Task {
    const task = this.get(id, true);
    if (task.delete_time === null) throw new Refusal(409, 'NOT_DELETED');
    return this.#write({ ...task, delete_time: null }, task.revision + 1);
  }

  #current(id: string, etag?: string): Task {
    const task = this.get(id);
    if (etag !== undefined && etag !== `"${task.etag}"`) throw new Refusal(412, 'ETAG_MISMATCH');
    return task;
  }

  #write(task: Omit<Task, 'revision' | 'etag'>, revision: number): Task {
    const update_time = revision > 1 ? this.#now() : task.update_time;
    const written = { ...task, update_time, revision, etag: `r${revision}` };
    this.#tasks.set(task.id, written);
    this.onwrite(written);
    return written;
  }

  /** Return a different time for each write, 7 µs apart. */
  #now(): string {
    const time = (this.#clock += 7);
    return `${new Date(Math.floor(time / 1000)).toISOString().slice(0, -1)}${String(time % 1000).padStart(3, '0')}Z`;
  }
}

function check({ title, description = '', labels }: NewTask): void {
  const violations = [
    ...lineViolations('title', title, TITLE_MAX),
    ...lengthViolations('description', description, DESCRIPTION_MAX),
    ...(labels ?? []).flatMap((label, i) => lineViolations(`labels[${i}]`, label, LABEL_MAX)),
    ...((labels?.length ?? 0) > LABELS_MAX ? [{ field: 'labels', description: 'must be at most 20 labels' }] : []),
  ];
  if (violations.length) throw new Refusal(422, 'INVALID_FIELD', { violations });
}

function lineViolations(field: string, line: string, max: number): Violation[] {
  const found = lengthViolations(field, line, max);
  if (!line.trim()) found.push({ field, description: 'must not be blank' });
  else if (isInvisible(line)) found.push({ field, description: 'must have a visible character' });
  if (oneLine(line) !== line) found.push({ field, description: 'must have no control characters and no line breaks' });
  return found;
}

function lengthViolations(field: string, text: string, max: number): Violation[] {
  return lengthOf(text) > max ? [{ field, description: `must be at most ${max} characters` }] : [];
}
