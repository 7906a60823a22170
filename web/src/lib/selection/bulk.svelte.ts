import { ApiError } from '#lib/api/errors.ts';
import type { Task } from '#lib/api/tasks.ts';
import { FrameBatch } from '#lib/shell/frame-batch.ts';
import { differences } from '#lib/tasks/changes.ts';
import { Conflict, type Tasks } from '#lib/tasks/tasks.svelte.ts';
import type { Step, StepOf } from './steps';

const CALLS_AT_ONCE = 4;

/** A task before and after its change. */
export interface Change {
  before: Task;
  after: Task;
}

/** A task that could not be changed. */
export interface Problem {
  task: Task;
  error: unknown;
}

/** The outcome of an operation. */
export interface Outcome {
  /** The tasks that are as the operation should make them. */
  done: readonly Task[];
  /** What the operation itself changed, which it can undo. */
  changes: readonly Change[];
  problems: readonly Problem[];
}

/** An operation that is under way. */
class Run {
  done = $state(0);
  isStopping = $state(false);

  constructor(readonly total: number) {}
}

interface Item {
  /** The version to change. */
  task: Task;
  step: Step;
  uncover: () => void;
}

/**
 * Makes the same change to many tasks, by single calls.
 *
 * All changes are shown at once. A call that fails is not retried, and a task that has changed since the start is left
 * alone. If the session has ended or the server does not respond, the rest is not sent.
 */
export class Bulk {
  /** The operation under way, if any. */
  running = $state.raw<Run>();
  #last: Promise<unknown> = Promise.resolve();
  readonly #frame = new FrameBatch<() => void>((changes) => changes.forEach((change) => change()));

  constructor(private readonly tasks: Tasks) {}

  /** Change the tasks, after the operations before. Returns undefined if the user has signed out in the meantime. */
  async run(tasks: readonly Task[], stepOf: StepOf): Promise<Outcome | undefined> {
    const operation = this.#last.then(() => this.#run(tasks, stepOf));
    this.#last = operation;
    return operation;
  }

  /** Send no more changes. Those under way are completed. */
  stop(): void {
    if (this.running) this.running.isStopping = true;
  }

  /** Abandon all operations, because the user has changed. */
  clear(): void {
    this.stop();
    this.running = undefined;
    this.#last = Promise.resolve();
  }

  async #run(tasks: readonly Task[], stepOf: StepOf): Promise<Outcome | undefined> {
    const run = (this.running = new Run(tasks.length));
    const items = tasks.map((task): Item => {
      const step = stepOf(task);
      return { task, step, uncover: this.tasks.cache.overlay(task.id, step.overlay) };
    });
    const left = new Set(items);
    const outcome = { done: [] as Task[], changes: [] as Change[], problems: [] as Problem[] };
    const work = async () => {
      for (const item of items) {
        if (run.isStopping) return;
        if (!left.delete(item)) continue;
        try {
          const change = await this.#change(item);
          if (change) outcome.changes.push(change);
          outcome.done.push(item.task);
        } catch (error) {
          outcome.problems.push({ task: item.task, error });
          if (isForAll(error)) run.isStopping = true;
        }
        run.done++;
      }
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
    left.forEach((item) => item.uncover());
    await this.#inFrame(() => undefined); // all results are shown
    if (this.running !== run) return undefined;
    this.running = undefined;
    return outcome;
  }

  /** Change one task. The worker continues when the call ends; the next change of this task waits until it is shown. */
  #change(item: Item): Promise<Change | undefined> {
    const sent = Promise.withResolvers<Change | undefined>();
    void this.tasks.inTurn(item.task.id, async () => {
      const sending = this.#send(item);
      sent.resolve(sending);
      const change = await sending.catch(() => undefined);
      await this.#inFrame(() => {
        if (change) this.tasks.cache.put(change.after);
        item.uncover();
      });
    });
    return sent.promise;
  }

  /** Send the change. Returns undefined if nothing had to be changed. Throws Conflict and ApiError. */
  async #send({ task, step }: Item): Promise<Change | undefined> {
    try {
      const before = await this.tasks.find(task.id);
      if (step.isApplied(before)) return undefined;
      if (before.revision !== task.revision) throw new Conflict(before, differences(task, before));
      return { before, after: await step.send(before) };
    } catch (error) {
      return await this.#afterFailure(error, task, step);
    }
  }

  async #afterFailure(error: unknown, before: Task, step: Step): Promise<Change | undefined> {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) {
      this.tasks.cache.drop(before.id);
      if (step.isDoneIfGone) return undefined;
    }
    const isConflict = [409, 412].includes(error.status);
    if (!isConflict && !error.isPassing) throw error;
    const latest = await this.tasks.load(before.id);
    if (!step.isApplied(latest)) throw isConflict ? new Conflict(latest, differences(before, latest)) : error;
    // After an unknown outcome, the next revision is the one that this step made.
    return error.isPassing && latest.revision === before.revision + 1 ? { before, after: latest } : undefined;
  }

  #inFrame(change: () => void): Promise<void> {
    return new Promise((resolve) =>
      this.#frame.add(() => {
        change();
        resolve();
      }),
    );
  }
}

/** Whether the error concerns all calls: the session has ended, the limit is long, or the server does not respond. */
export function isForAll(error: unknown): boolean {
  return error instanceof ApiError && (error.isPassing || [401, 429].includes(error.status));
}
