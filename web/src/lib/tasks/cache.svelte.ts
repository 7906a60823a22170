import { SvelteMap } from 'svelte/reactivity';
import type { Task } from '#lib/api/tasks.ts';

/** A change that is shown before the service confirms it. */
export type Overlay = Partial<Task>;

/**
 * The newest known revision of every task, from API responses and live events.
 *
 * Deleted tasks stay in the cache with their delete_time, so that an older revision does not restore them.
 */
export class TaskCache {
  // Not a SvelteMap: reading all tasks would subscribe to each of them.
  readonly #known = new Map<string, Task>();
  #version = $state.raw({}); // replaced on each change of #known
  readonly #overlays = new SvelteMap<string, readonly Overlay[]>();
  #owner = '';
  readonly #shown = $derived.by(() => this.#all());

  /** All tasks, with pending changes applied. */
  get all(): readonly Task[] {
    return this.#shown;
  }

  /** The task with pending changes applied. */
  get(id: string): Task | undefined {
    const task = this.confirmed(id);
    return task && this.#withOverlays(task);
  }

  /** The task as last received from the service. */
  confirmed(id: string): Task | undefined {
    void this.#version;
    return this.#known.get(id);
  }

  /** Store tasks, except those of another user and those that are not newer than the known revision. */
  put(...tasks: readonly Task[]): void {
    let isChanged = false;
    for (const task of tasks) {
      if (this.#owner && task.owner && task.owner !== this.#owner) continue; // a late response for a previous user
      const known = this.#known.get(task.id);
      if (known && known.revision >= task.revision) continue;
      this.#known.set(task.id, task);
      isChanged = true;
    }
    if (isChanged) this.#version = {};
  }

  /** Remove a task. */
  drop(id: string): void {
    if (this.#known.delete(id)) this.#version = {};
  }

  /** Remove all tasks. From now on, accept only the tasks of this user. */
  clear(owner: string): void {
    this.#owner = owner;
    this.#known.clear();
    this.#version = {};
    this.#overlays.clear();
  }

  /** Apply a pending change until the returned function is called. */
  overlay(id: string, change: Overlay): () => void {
    this.#overlays.set(id, [...(this.#overlays.get(id) ?? []), change]);
    return () => {
      const left = (this.#overlays.get(id) ?? []).filter((each) => each !== change);
      if (left.length) this.#overlays.set(id, left);
      else this.#overlays.delete(id);
    };
  }

  /** Whether the task has a pending change. */
  isPending(id: string): boolean {
    return this.#overlays.has(id);
  }

  #all(): readonly Task[] {
    void this.#version;
    const all = [...this.#known.values()];
    return this.#overlays.size ? all.map((task) => this.#withOverlays(task)) : all;
  }

  #withOverlays(task: Task): Task {
    const overlays = this.#overlays.get(task.id);
    return overlays ? Object.assign({}, task, ...overlays) : task;
  }
}
