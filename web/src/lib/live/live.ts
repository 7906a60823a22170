/**
 * What happens to the user's tasks, and the user's new notifications, as it happens: what the page uses of this folder.
 *
 *     Live ─ LiveSession ┬ Tabs ─ Election                which tab of the browser has the stream and tells the others
 *                        └ Stream ─ Connection ─ Parser   the stream itself: kept up, one request of it, what is in it
 */
import { decode, type LiveEvent, type LiveEvents, type LiveName } from './events';
import type { RawEvent } from './parser';
import { browserDependencies, type Dependencies } from './dependencies';
import { LiveSession } from './live-session';
import type { LiveStatus } from './stream';

export type { LiveEvents, LiveStatus };

type Handlers = { [Name in LiveName]: Set<(data: LiveEvents[Name]) => void> };

/**
 * Begin with `start` and load after it: a `reset` follows when the stream opens, and whenever something may have been
 * missed. An event may come twice, and a task's after a newer one of the same task: its revision tells.
 */
export class Live {
  /** Hears of each change of `status`. */
  onstatus: ((status: LiveStatus) => void) | undefined;
  /** The session is over: it expired, or ended in another tab. By then this has stopped. */
  onunauthorized: (() => void) | undefined;

  readonly #dependencies: Dependencies;
  readonly #handlers: Handlers = {
    'task.created': new Set(),
    'task.updated': new Set(),
    'task.deleted': new Set(),
    notification: new Set(),
    reset: new Set(),
  };
  #status: LiveStatus = 'offline';
  #session: LiveSession | undefined;

  constructor(dependencies: Partial<Dependencies> = {}) {
    this.#dependencies = { ...browserDependencies(), ...dependencies };
  }

  /** `offline` also while it is stopped. */
  get status(): LiveStatus {
    return this.#status;
  }

  /** Returns what takes the handler away again. */
  on<Name extends LiveName>(name: Name, handler: (data: LiveEvents[Name]) => void): () => void {
    this.#handlers[name].add(handler);
    return () => void this.#handlers[name].delete(handler);
  }

  /** After the login of `user`; what was started before ends, and nothing of it is kept. */
  start(user: string): void {
    this.#session?.end();
    this.#session = new LiveSession(user, this.#dependencies, {
      onevent: (event) => this.#receive(event),
      onstatus: (status) => this.#become(status),
      onunauthorized: () => {
        this.stop();
        this.onunauthorized?.();
      },
    });
    this.#session.begin();
    this.#become('connecting'); // last, for who hears it may stop this
  }

  /** In this tab alone, as when it closes; another tab goes on. */
  stop(): void {
    this.#session?.end();
    this.#session = undefined;
    this.#become('offline');
  }

  /** In every tab of the browser, whose `onunauthorized` is called. */
  logout(): void {
    this.#session?.tellLogout();
    this.stop();
  }

  #become(status: LiveStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    calmly('onstatus', () => this.onstatus?.(status));
  }

  #receive(raw: RawEvent): void {
    let event: LiveEvent | undefined;
    try {
      event = decode(raw);
    } catch (error) {
      console.warn(`An event ${raw.name} could not be read, so everything is loaded again.`, error);
      event = { name: 'reset', data: {} };
    }
    if (event) this.#emit(event.name, event.data);
  }

  #emit<Name extends LiveName>(name: Name, data: LiveEvents[Name]): void {
    for (const handler of [...this.#handlers[name]]) calmly(name, () => handler(data));
  }
}

/** What the page does wrong in a handler stops neither its other handlers nor the stream. */
function calmly(name: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    console.error(`A handler of ${name} failed.`, error);
  }
}
