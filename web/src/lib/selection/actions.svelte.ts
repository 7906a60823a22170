import type { TaskStatus } from '#lib/api/tasks.ts';
import type { Announcer } from '#lib/shell/announcer.svelte.ts';
import { Conflict } from '#lib/tasks/tasks.svelte.ts';
import { errorText } from '#lib/text/errors.ts';
import { text } from '#lib/text/index.ts';
import type { Toasts } from '#lib/toasts/toasts.svelte.ts';
import { isForAll, type Bulk, type Change, type Outcome, type Problem } from './bulk.svelte';
import type { Selection } from './selection.svelte';
import { addLabel, move, remove, undo, type StepOf } from './steps';

/** Actions on the selected tasks. They do not throw: a toast shows the outcome, and undoes it. */
export class SelectionActions {
  /** The tasks that the last operation could not change. */
  problems = $state.raw<readonly Problem[]>([]);

  constructor(
    private readonly selection: Selection,
    private readonly bulk: Bulk,
    private readonly toasts: Toasts,
    private readonly announcer: Announcer,
  ) {}

  /** Move the selected tasks to a status. */
  move(status: TaskStatus): Promise<void> {
    return this.#change(move(status), (n) => text.selection.moved(n, text.statuses[status]));
  }

  /** Add a label to the selected tasks. */
  addLabel(label: string): Promise<void> {
    return this.#change(addLabel(label), (n) => text.selection.labelled(n, label));
  }

  /** Delete the selected tasks. */
  remove(): Promise<void> {
    return this.#change(remove, text.selection.deleted);
  }

  /** End the selection, and discard the problems of the last operation. */
  end(): void {
    this.selection.end();
    this.problems = [];
  }

  async #change(stepOf: StepOf, title: (n: number) => string): Promise<void> {
    const tasks = this.selection.take();
    this.problems = [];
    this.announcer.say(text.selection.saving(tasks.length));
    const outcome = await this.bulk.run(tasks, stepOf);
    if (!outcome) return;
    this.selection.drop(outcome.done);
    this.#report(title(outcome.done.length), tasks.length, outcome, outcome.changes);
  }

  async #undo(changes: readonly Change[]): Promise<void> {
    const before = new Map(changes.map((change) => [change.after, change.before]));
    this.announcer.say(text.selection.saving(changes.length));
    const outcome = await this.bulk.run([...before.keys()], (after) => undo(before.get(after) ?? after, after));
    if (!outcome) return;
    const settled = new Set([...outcome.done, ...kept(outcome).map(({ task }) => task)]);
    const left = changes.filter(({ after }) => !settled.has(after));
    this.#report(text.selection.undone(outcome.done.length), changes.length, outcome, left);
  }

  /** Show the outcome, and offer to undo these changes. */
  #report(title: string, total: number, outcome: Outcome, changes: readonly Change[]): void {
    this.problems = kept(outcome);
    const conflicts = this.problems.filter(({ error }) => error instanceof Conflict).length;
    const failed = this.problems.length - conflicts;
    const left = total - outcome.done.length - this.problems.length;
    const stopped = outcome.problems.find(({ error }) => isForAll(error));
    const { message, requestId } = errorText(stopped?.error);
    this.toasts.show({
      kind: outcome.problems.length ? 'error' : 'success',
      title,
      detail: [
        conflicts && text.selection.conflicts(conflicts),
        failed && text.selection.failed(failed),
        left && text.selection.left(left),
        stopped && message,
      ]
        .filter(Boolean)
        .join(' '),
      requestId: stopped ? requestId : '',
      ...(changes.length && { action: { label: text.messages.undo, run: () => void this.#undo(changes) } }),
    });
  }
}

/** The problems of single tasks, not those that stopped the operation. */
function kept({ problems }: Outcome): Problem[] {
  return problems.filter(({ error }) => !isForAll(error));
}
