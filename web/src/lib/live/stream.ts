/**
 * The event stream from the edge. It reconnects until it is ended, and resumes after the last ID.
 *
 * EventSource is not suitable: it stops for good on a response other than 200, and its start position cannot be set.
 */
import { Backoff } from './backoff';
import { Connection, type Outcome } from './connection';
import type { Block } from './parser';
import type { Dependencies } from './dependencies';

/**
 * `live` while a stream is open; `connecting` before the first stream, and after the server has ended one normally;
 * `offline` from a failure until a stream is open again.
 */
export type LiveStatus = 'connecting' | 'live' | 'offline';

export interface StreamListener {
  /** A stream is open. If it is not resumed, it contains only new events. */
  onopen(isResumed: boolean): void;
  onblock(block: Block): void;
  /** May be called with the current status again. */
  onstatus(status: LiveStatus): void;
  /** The session has ended, and so has this stream. */
  onunauthorized(): void;
}

interface Pause {
  ms: number;
  /** The server asked for the pause, so it cannot be cut short. */
  isFirm: boolean;
}

const STALE_MS = 20_000; // longer than the heartbeat interval: after a sleep, such a connection may be dead
// After a longer sleep there may be thousands of events: loading the data again is cheaper. A failed attempt is no sleep.
const ASLEEP_MS = 10 * 60_000;
const STEADY_MS = 10_000; // a stream that breaks sooner counts as another consecutive failure
const RETRY_MS = { usual: 3_000, least: 500, most: 60_000 };

export class Stream {
  readonly #dependencies: Dependencies;
  readonly #listener: StreamListener;
  readonly #backoff: Backoff;
  readonly #life = new AbortController();
  #lastId: string;
  #retry = RETRY_MS.usual;
  #connection: Connection | undefined;
  #cutPauseShort: (() => void) | undefined;

  /** Start after `lastId`; if it is empty, with new events. */
  constructor(dependencies: Dependencies, lastId: string, listener: StreamListener) {
    this.#dependencies = dependencies;
    this.#lastId = lastId;
    this.#listener = listener;
    this.#backoff = new Backoff(dependencies.random);
  }

  /** Run until `end` is called or the session ends. */
  async run(): Promise<void> {
    const { signal } = this.#life;
    window.addEventListener('online', () => this.#freshen(), { signal });
    window.addEventListener('offline', () => this.#cut(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || this.#freshen(), { signal });
    this.#say('connecting');
    while (!signal.aborted) {
      if (this.#connection && this.#connection.quietMs > ASLEEP_MS) this.#lastId = '';
      this.#connection = new Connection(this.#dependencies.fetch, {
        onopen: () => this.#open(),
        onblock: (block) => this.#take(block),
        onretry: (ms) => (this.#retry = Math.min(Math.max(ms, RETRY_MS.least), RETRY_MS.most)),
      });
      const outcome = await this.#connection.run(this.#lastId);
      if (signal.aborted) return;
      const pause = this.#pauseAfter(outcome);
      if (!signal.aborted) await this.#wait(pause);
    }
  }

  end(): void {
    this.#life.abort();
    this.#connection?.cut();
    this.#cutPauseShort?.();
  }

  #open(): void {
    if (this.#life.signal.aborted) return;
    this.#say('live');
    this.#listener.onopen(this.#lastId !== '');
  }

  #take({ id, event }: Block): void {
    const usable = id !== undefined && canBeSent(id) ? id : undefined;
    this.#lastId = usable ?? this.#lastId;
    this.#listener.onblock({ id: usable, event });
  }

  #pauseAfter(outcome: Outcome): Pause {
    if (outcome.kind === 'ended') {
      this.#backoff.reset();
      this.#say('connecting');
      return { ms: this.#retry, isFirm: false };
    }
    let asked = 0;
    if (outcome.kind === 'broken') {
      if (outcome.openMs >= STEADY_MS) this.#backoff.reset();
    } else if (outcome.status === 401) {
      this.end();
      this.#listener.onunauthorized();
    } else if (outcome.status === 429 || outcome.status === 503) {
      asked = outcome.retryAfter;
    }
    this.#say('offline');
    return { ms: asked + this.#backoff.next(), isFirm: asked > 0 };
  }

  async #wait({ ms, isFirm }: Pause): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#cutPauseShort = () => {
        if (isFirm && !this.#life.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#cutPauseShort = undefined;
  }

  #say(status: LiveStatus): void {
    if (!this.#life.signal.aborted) this.#listener.onstatus(status);
  }

  /** The network is back or the page is visible again: reconnect now if waiting, or if the connection is stale. */
  #freshen(): void {
    if (this.#cutPauseShort) this.#cutPauseShort();
    else if (this.#connection && this.#connection.quietMs > STALE_MS) this.#connection.cut();
  }

  /** Disconnect, but keep retrying while offline: a server on the same machine is still reachable. */
  #cut(): void {
    this.#connection?.cut();
    this.#say('offline');
  }
}

/** Whether an ID can be sent in a header. With any other ID, fetch would fail on every attempt. */
function canBeSent(id: string): boolean {
  return /^[!-~]{0,256}$/.test(id);
}
