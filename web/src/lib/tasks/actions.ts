import type { Task, TaskStatus } from '#lib/api/tasks.ts';
import type { Announcer } from '#lib/shell/announcer.svelte.ts';
import { text } from '#lib/text/index.ts';
import { wordsOf } from '#lib/text/errors.ts';
import type { Toasts } from '#lib/toasts/toasts.svelte.ts';
import { Conflict, type Tasks } from './tasks.svelte';

/** What a person does to a task with one gesture. They never throw: what went wrong is said in a toast. */
export class TaskActions {
  constructor(
    private readonly tasks: Tasks,
    private readonly toasts: Toasts,
    private readonly announcer: Announcer,
  ) {}

  /** Moves a task to another status. */
  async move(task: Task, status: TaskStatus): Promise<void> {
    if (task.status === status) return;
    this.announcer.say(text.said.moved(task.title, text.statuses[status]));
    await this.#attempt(task, () => this.tasks.update(task.id, { status }));
  }

  /** Deletes a task; the toast that says so takes it back. */
  async remove(task: Task): Promise<void> {
    await this.#attempt(task, async () => {
      await this.tasks.remove(task.id);
      this.toasts.show({
        kind: 'success',
        title: text.said.deleted(task.title),
        action: { label: text.said.undo, run: () => void this.#restore(task) },
      });
    });
  }

  async #restore(task: Task): Promise<void> {
    await this.#attempt(task, async () => {
      await this.tasks.restore(task.id);
      this.announcer.say(text.said.restored(task.title));
    });
  }

  async #attempt(task: Task, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const again = { label: text.said.again, run: () => void this.#attempt(task, action) };
      if (error instanceof Conflict) {
        const fields = error.fields.map((field) => text.fields[field]).join(', ');
        const detail = text.said.conflictDetail(fields);
        this.toasts.show({ kind: 'error', title: text.said.conflict(task.title), detail, action: again });
      } else {
        const { message, requestId } = wordsOf(error);
        this.toasts.show({ kind: 'error', title: task.title, detail: message, requestId });
      }
    }
  }
}
