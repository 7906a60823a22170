import { ApiError } from '#lib/api/errors.ts';
import * as api from '#lib/api/tasks.ts';
import type { NewTask, Task, TaskPatch } from '#lib/api/tasks.ts';
import { TaskCache, type Overlay } from './cache.svelte';
import { BLANK, differences, fieldsOf, isApplied, type FieldName } from './changes';

/** The same fields were changed elsewhere first. `latest` is the current task, `fields` the changed fields. */
export class Conflict extends Error {
  constructor(
    readonly latest: Task,
    readonly fields: readonly FieldName[],
  ) {
    super('The task was changed in the meantime');
    this.name = 'Conflict';
  }
}

const DRAFT = '~'; // no ID of the service starts with it, and all of them sort before it

/**
 * The operations on tasks. Each change is shown immediately, and reverted if it fails.
 *
 * Changes of one task are sent one after the other, each based on the result of the previous one.
 */
export class Tasks {
  readonly cache = new TaskCache();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #creations = new Set<Promise<unknown>>();

  constructor(private readonly calls: typeof api = api) {}

  /** Discard everything. From now on, accept only the tasks of this user. */
  clear(user: string): void {
    this.cache.clear(user);
    this.#turns.clear();
    this.#creations.clear();
  }

  /** Whether the task has changes that the service has not confirmed. */
  isPending(id: string): boolean {
    return isDraft(id) || this.cache.isPending(id);
  }

  /** Store the tasks of live events. */
  receive(...tasks: readonly Task[]): void {
    const isLate = (task: Task) => this.#creations.size > 0 && !this.cache.confirmed(task.id);
    this.cache.put(...tasks.filter((task) => !isLate(task)));
    // A late one may be the task of a draft that is still shown; both would be visible until the response arrives.
    const late = tasks.filter(isLate);
    if (late.length) void Promise.allSettled(this.#creations).then(() => this.cache.put(...late));
  }

  /** Create a task. Repeated calls with the same key create it once. Throws ApiError. */
  async create(task: NewTask, key: string): Promise<Task> {
    const draft = draftOf(task, key);
    this.cache.put(draft);
    const creation = this.calls.createTask(task, key);
    this.#creations.add(creation);
    try {
      const created = await creation;
      this.cache.put(created);
      return created;
    } finally {
      this.#creations.delete(creation);
      this.cache.drop(draft.id);
    }
  }

  /**
   * Update a task. Changes made elsewhere to other fields are kept; for the same fields, this throws Conflict. Throws
   * ApiError, also if the task no longer exists.
   *
   * `seen` is the version of the task that the user edited; by default the newest one.
   */
  async update(id: string, patch: TaskPatch, seen?: Task): Promise<void> {
    await this.#inTurn(id, patch as Overlay, async () => {
      const base = seen ?? this.#confirmed(id);
      try {
        this.cache.put(await this.calls.updateTask(id, patch, base.etag));
      } catch (error) {
        const latest = await this.#afterFailure(error, id);
        if (isApplied(patch, latest)) return;
        if (!isConflict(error)) throw error;
        const changed = differences(base, latest);
        if (fieldsOf(patch).some((field) => changed.includes(field))) throw new Conflict(latest, changed);
        this.cache.put(await this.calls.updateTask(id, patch, latest.etag));
      }
    });
  }

  /** Delete a task. Throws Conflict if it has changed since the last known version, and ApiError. */
  async remove(id: string): Promise<void> {
    const deleted = { delete_time: new Date().toISOString() };
    await this.#inTurn(id, deleted, async () => {
      const base = this.#confirmed(id);
      try {
        await this.calls.deleteTask(id, base.etag);
        this.cache.put({ ...base, ...deleted, revision: base.revision + 1 });
      } catch (error) {
        const latest = await this.#afterFailure(error, id);
        if (latest.delete_time !== null) return;
        if (!isConflict(error)) throw error;
        const changed = differences(base, latest);
        if (changed.length) throw new Conflict(latest, changed);
        await this.calls.deleteTask(id, latest.etag);
      }
    });
  }

  /** Restore a deleted task, unless that was done elsewhere. Return the task as it is now. Throws ApiError. */
  async restore(id: string): Promise<Task> {
    await this.#inTurn(id, { delete_time: null }, async () => {
      try {
        this.cache.put(await this.calls.undeleteTask(id));
      } catch (error) {
        const latest = await this.#afterFailure(error, id);
        if (latest.delete_time !== null) throw error;
      }
    });
    return this.#confirmed(id);
  }

  /** Return the task; load it if it is not in the cache. Throws ApiError. */
  async find(id: string): Promise<Task> {
    const known = this.cache.confirmed(id);
    return known ?? (await this.load(id));
  }

  /** Run a change of a task after its earlier ones. */
  async inTurn<T>(id: string, change: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(change, change);
    this.#turns.set(id, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    }
  }

  /** Load the newest revision of a task, deleted or not. Throws ApiError. */
  async load(id: string): Promise<Task> {
    const task = await this.calls.getTask(id);
    this.cache.put(task);
    return task;
  }

  async #inTurn(id: string, overlay: Overlay, change: () => Promise<void>): Promise<void> {
    const uncover = this.cache.overlay(id, overlay);
    await this.inTurn(id, () => change().finally(uncover));
  }

  /** Load the task after a conflict or an unknown outcome. Rethrow any other error. */
  async #afterFailure(error: unknown, id: string): Promise<Task> {
    if (!(error instanceof ApiError && (error.isPassing || [409, 412].includes(error.status)))) {
      if (error instanceof ApiError && error.status === 404) this.cache.drop(id);
      throw error;
    }
    return this.load(id);
  }

  #confirmed(id: string): Task {
    const task = this.cache.confirmed(id);
    if (!task) throw new ApiError(404, 'TASK_NOT_FOUND', 'Task not found');
    return task;
  }
}

/** Whether this is the ID of a task that is not stored at the service yet. */
export function isDraft(id: string): boolean {
  return id.startsWith(DRAFT);
}

/** Return a new idempotency key: 32 random hexadecimal digits. */
export function newKey(): string {
  // randomUUID is available only over HTTPS and on localhost.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 412;
}

function draftOf(task: NewTask, key: string): Task {
  const now = new Date().toISOString();
  return {
    id: `${DRAFT}${key}`,
    ...BLANK,
    owner: '',
    create_time: now,
    update_time: now,
    complete_time: null,
    delete_time: null,
    revision: 0,
    etag: '',
    ...task,
  };
}
