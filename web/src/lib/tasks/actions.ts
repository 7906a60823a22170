import type { Task, TaskStatus } from '#lib/api/tasks.ts';
import type { Announcer } from '#lib/shell/announcer.svelte.ts';
import { text } from '#lib/text/index.ts';
import { errorText } from '#lib/text/errors.ts';
import { isolated } from '#lib/text/unicode.ts';
import type { Toasts } from '#lib/toasts/toasts.svelte.ts';
import { differences } from './changes';
import { Conflict, type Tasks } from './tasks.svelte';

/** One-step actions on a task. They do not throw: errors are shown in a toast. */
export class TaskActions {
  constructor(
    private readonly tasks: Tasks,
    private readonly toasts: Toasts,
    private readonly announcer: Announcer,
  ) {}

  /** Move a task to another status. */
  async move(task: Task, status: TaskStatus): Promise<void> {
    if (task.status === status) return;
    this.announcer.say(text.messages.moved(task.title, text.statuses[status]));
    await this.#attempt(task, () => this.tasks.update(task.id, { status }));
  }

  /** Delete a task, and show a toast with an undo action. */
  async remove(task: Task): Promise<void> {
    await this.#attempt(task, async () => {
      await this.tasks.remove(task.id);
      this.toasts.show({
        kind: 'success',
        title: text.messages.deleted(task.title),
        action: { label: text.messages.undo, run: () => void this.#restore(task) },
      });
    });
  }

  async #restore(task: Task): Promise<void> {
    await this.#attempt(task, async () => {
      const restored = await this.tasks.restore(task.id);
      const changed = differences(task, restored).map((field) => text.fields[field]);
      const title = text.messages.restored(restored.title);
      if (changed.length) this.toasts.show({ kind: 'info', title, detail: text.messages.kept(changed.join(', ')) });
      else this.announcer.say(title);
    });
  }

  async #attempt(task: Task, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      const again = { label: text.messages.again, run: () => void this.#attempt(task, action) };
      if (error instanceof Conflict) {
        const fields = error.fields.map((field) => text.fields[field]).join(', ');
        const detail = text.messages.conflictDetail(fields);
        this.toasts.show({ kind: 'error', title: text.messages.conflict(task.title), detail, action: again });
      } else {
        const { message, requestId } = errorText(error);
        this.toasts.show({ kind: 'error', title: isolated(task.title), detail: message, requestId });
      }
    }
  }
}
