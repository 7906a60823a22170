import { SvelteMap } from 'svelte/reactivity';
import type { Task } from '#lib/api/tasks.ts';

/** A change that is shown before the service has confirmed it. */
export type Overlay = Partial<Task>;

/**
 * Every task that the page has heard of, in its newest revision, whoever told of it: an answer or a live event.
 *
 * Deleted tasks stay, with their delete_time, so that nothing older brings them back.
 */
export class TaskCache {
  readonly #known = new SvelteMap<string, Task>();
  readonly #overlays = new SvelteMap<string, readonly Overlay[]>();
  #owner = '';
  readonly #shown = $derived([...this.#known.values()].map((task) => this.#withOverlays(task)));

  /** All of them, as they are to be shown. */
  get all(): readonly Task[] {
    return this.#shown;
  }

  /** The task as it is to be shown. */
  get(id: string): Task | undefined {
    const task = this.#known.get(id);
    return task && this.#withOverlays(task);
  }

  /** The task as the service told of it last. */
  confirmed(id: string): Task | undefined {
    return this.#known.get(id);
  }

  /** Takes in what was told of a task, unless it is somebody else's or something newer is known already. */
  put(...tasks: readonly Task[]): void {
    for (const task of tasks) {
      if (this.#owner && task.owner && task.owner !== this.#owner) continue; // an answer that came after its user had left
      const known = this.#known.get(task.id);
      if (!known || known.revision < task.revision) this.#known.set(task.id, task);
    }
  }

  /** Forgets a task. */
  drop(id: string): void {
    this.#known.delete(id);
  }

  /** Forgets all of them. From now on there are this user's alone. */
  clear(owner: string): void {
    this.#owner = owner;
    this.#known.clear();
    this.#overlays.clear();
  }

  /** Shows a change until the returned function is called. */
  overlay(id: string, change: Overlay): () => void {
    this.#overlays.set(id, [...(this.#overlays.get(id) ?? []), change]);
    return () => {
      const left = (this.#overlays.get(id) ?? []).filter((each) => each !== change);
      if (left.length) this.#overlays.set(id, left);
      else this.#overlays.delete(id);
    };
  }

  /** Whether a change of the task is still on its way. */
  isPending(id: string): boolean {
    return this.#overlays.has(id);
  }

  #withOverlays(task: Task): Task {
    const overlays = this.#overlays.get(task.id);
    return overlays ? Object.assign({}, task, ...overlays) : task;
  }
}
