/**
 * The public API of this folder: live events of the user's tasks and notifications.
 *
 *     Live ─ LiveSession ┬ Tabs ─ Election                elects the tab with the stream and shares its events
 *                        └ Stream ─ Connection ─ Parser   reconnects, makes one request, parses it
 */
import { decode, type LiveEvent, type LiveEvents, type LiveName } from './events';
import type { RawEvent } from './parser';
import { browserDependencies, type Dependencies } from './dependencies';
import { LiveSession } from './live-session';
import type { LiveStatus } from './stream';

export type { LiveEvents, LiveStatus };

type Handlers = { [Name in LiveName]: Set<(data: LiveEvents[Name]) => void> };

/**
 * Live events for the page. Call `start` first and load data on `reset`, which is emitted when the stream opens and
 * whenever events may have been missed. Events can be repeated or out of order: compare the revisions of a task.
 */
export class Live {
  /** Called on each change of `status`. */
  onstatus: ((status: LiveStatus) => void) | undefined;
  /** Called when the session has expired or was ended in another tab, after this object has stopped. */
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

  /** The connection status; `offline` while stopped. */
  get status(): LiveStatus {
    return this.#status;
  }

  /** Register a handler. Return a function that removes it. */
  on<Name extends LiveName>(name: Name, handler: (data: LiveEvents[Name]) => void): () => void {
    this.#handlers[name].add(handler);
    return () => void this.#handlers[name].delete(handler);
  }

  /** Start for `user` after a login. A session that was started before ends, and its state is discarded. */
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
    this.#become('connecting'); // last, because a handler may call stop
  }

  /** Stop in this tab only, as if it were closed. Another tab takes over. */
  stop(): void {
    this.#session?.end();
    this.#session = undefined;
    this.#become('offline');
  }

  /** Stop in every tab of the browser. The other tabs call `onunauthorized`. */
  logout(): void {
    this.#session?.sendLogout();
    this.stop();
  }

  #become(status: LiveStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    callSafely('onstatus', () => this.onstatus?.(status));
  }

  #receive(raw: RawEvent): void {
    let event: LiveEvent | undefined;
    try {
      event = decode(raw);
    } catch (error) {
      console.warn(`Could not decode a live event (${raw.name}). Reloading all data.`, error);
      event = { name: 'reset', data: {} };
    }
    if (event) this.#emit(event.name, event.data);
  }

  #emit<Name extends LiveName>(name: Name, data: LiveEvents[Name]): void {
    for (const handler of [...this.#handlers[name]]) callSafely(name, () => handler(data));
  }
}

/** Call a handler. If it throws, the other handlers and the stream continue. */
function callSafely(name: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    console.error(`A handler for ${name} failed.`, error);
  }
}
