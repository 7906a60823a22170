import type { Task } from '#lib/api/tasks.ts';
import type { Announcer } from '#lib/shell/announcer.svelte.ts';
import type { TaskList } from '#lib/tasks/list.svelte.ts';
import { isDraft } from '#lib/tasks/tasks.svelte.ts';
import { text } from '#lib/text/index.ts';

/**
 * The tasks that the user has selected, by ID.
 *
 * Only those in a list of the page count. A task that is deleted or no longer matches the filters is not selected while
 * it is absent.
 */
export class Selection {
  /** Whether the cards show that they can be selected. */
  isOn = $state(false);
  #ids = $state.raw<ReadonlySet<string>>(new Set());
  #anchor: string | undefined; // where a range begins
  /** The tasks that can be selected, in the order of the page. */
  readonly selectable = $derived.by(() =>
    [...this.lists].flatMap(({ tasks }) => tasks.filter(({ id }) => !isDraft(id))),
  );
  /** The selected tasks. */
  readonly tasks = $derived.by(() => this.selectable.filter(({ id }) => this.#ids.has(id)));

  constructor(
    private readonly lists: Iterable<TaskList>,
    private readonly announcer: Announcer,
  ) {}

  /** Whether the task is selected. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Begin to select. */
  begin(): void {
    this.isOn = true;
  }

  /** Select or deselect a task. */
  toggle(id: string): void {
    const ids = new Set(this.#ids);
    if (!ids.delete(id)) ids.add(id);
    this.#anchor = id;
    this.#select(ids);
  }

  /** Select the tasks of a list between the last toggled one and this one. Without one, toggle this one. */
  extendTo(id: string): void {
    for (const { tasks } of this.lists) {
      const [from, to] = [this.#anchor, id]
        .map((end) => tasks.findIndex((task) => task.id === end))
        .sort((a, b) => a - b);
      if (from === undefined || to === undefined || from < 0) continue;
      this.#select(new Set([...this.#ids, ...tasks.slice(from, to + 1).map((task) => task.id)]));
      return;
    }
    this.toggle(id);
  }

  /** Select all tasks in the lists of the page. */
  selectAll(): void {
    this.#select(new Set(this.selectable.map(({ id }) => id)));
  }

  /** Deselect what the lists do not contain, and return the rest. */
  take(): readonly Task[] {
    this.#ids = new Set(this.tasks.map(({ id }) => id));
    return this.tasks;
  }

  /** Deselect tasks. Without any left, end. */
  drop(tasks: readonly Task[]): void {
    const ids = new Set(this.#ids);
    for (const { id } of tasks) ids.delete(id);
    this.#ids = ids;
    if (!ids.size) this.end();
  }

  /** Deselect all tasks, and show the cards as usual. */
  end(): void {
    this.isOn = false;
    this.#ids = new Set();
    this.#anchor = undefined;
  }

  #select(ids: ReadonlySet<string>): void {
    this.isOn = true;
    this.#ids = ids;
    this.announcer.say(text.selection.count(this.tasks.length));
  }
}
