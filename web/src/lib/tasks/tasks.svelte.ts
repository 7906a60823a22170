import { ApiError } from '#lib/api/errors.ts';
import * as api from '#lib/api/tasks.ts';
import type { NewTask, Task, TaskPatch } from '#lib/api/tasks.ts';
import { TaskCache, type Overlay } from './cache.svelte';
import { BLANK, differences, fieldsOf, isApplied, type FieldName } from './changes';

/** Somebody else changed the same fields first. `latest` is the task as it is now, `fields` what was changed. */
export class Conflict extends Error {
  constructor(
    readonly latest: Task,
    readonly fields: readonly FieldName[],
  ) {
    super('The task has changed meanwhile');
    this.name = 'Conflict';
  }
}

const DRAFT = '~'; // begins no id of the service, and sorts behind them all

/**
 * What can be done with tasks. Each change is shown at once, and taken back if it fails.
 *
 * Changes of one task are sent one after the other, each on top of what the one before left.
 */
export class Tasks {
  readonly cache = new TaskCache();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #creations = new Set<Promise<unknown>>();

  constructor(private readonly calls: typeof api = api) {}

  /** Whether the task is not yet as the service knows it. */
  isPending(id: string): boolean {
    return isDraft(id) || this.cache.isPending(id);
  }

  /** Takes in what a live event tells. */
  receive(task: Task): void {
    if (this.cache.confirmed(task.id) || !this.#creations.size) {
      this.cache.put(task);
      return;
    }
    // It may be the one whose draft is still shown: both would be there until the answer comes.
    void Promise.allSettled(this.#creations).then(() => this.cache.put(task));
  }

  /** Creates a task; repeating it under the same key creates nothing more. Throws ApiError. */
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
   * Changes a task. Fields that somebody else changed meanwhile stay; where they are the same fields, it throws
   * Conflict. Throws ApiError, also when the task is gone.
   *
   * `seen` is the task that the change was decided on, the newest one when not given.
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

  /** Deletes a task. Throws Conflict when it was changed since it was seen, and ApiError. */
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

  /** Takes a deletion back. Throws ApiError. */
  async restore(id: string): Promise<void> {
    await this.#inTurn(id, { delete_time: null }, async () => {
      try {
        this.cache.put(await this.calls.undeleteTask(id));
      } catch (error) {
        const latest = await this.#afterFailure(error, id);
        if (latest.delete_time !== null) throw error;
      }
    });
  }

  /** The task, asked for when it is not known yet. Throws ApiError. */
  async find(id: string): Promise<Task> {
    const known = this.cache.confirmed(id);
    return known ?? (await this.#ask(id));
  }

  async #inTurn(id: string, overlay: Overlay, change: () => Promise<void>): Promise<void> {
    const uncover = this.cache.overlay(id, overlay);
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(change, change).finally(uncover);
    this.#turns.set(id, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    }
  }

  /** The task as it is after a change that failed, or of which nobody knows whether it did. Throws what it got else. */
  async #afterFailure(error: unknown, id: string): Promise<Task> {
    if (!(error instanceof ApiError && (error.isPassing || [409, 412].includes(error.status)))) {
      if (error instanceof ApiError && error.status === 404) this.cache.drop(id);
      throw error;
    }
    return this.#ask(id);
  }

  async #ask(id: string): Promise<Task> {
    const task = await this.calls.getTask(id);
    this.cache.put(task);
    return task;
  }

  #confirmed(id: string): Task {
    const task = this.cache.confirmed(id);
    if (!task) throw new ApiError(404, 'TASK_NOT_FOUND', 'There is no such task');
    return task;
  }
}

/** Whether this is a task that the service does not know yet. */
export function isDraft(id: string): boolean {
  return id.startsWith(DRAFT);
}

/** A name for a request, by which the service knows it again. */
export function newKey(): string {
  // randomUUID is there on https and localhost alone.
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
