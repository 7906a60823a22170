/**
 * The stream of events from the edge, kept up until it is ended: it goes on behind the last id after every cut.
 *
 * It is no EventSource, which gives up for ever when an answer is not 200, and can not be told where to go on.
 */
import { Backoff } from './backoff';
import { Connection, type Outcome } from './connection';
import type { Block } from './parser';
import type { Dependencies } from './dependencies';

/**
 * `live` while a stream is open; `connecting` before the first one, and between one that the server ended in good order
 * and the next; `offline` from a failure until a stream is open again.
 */
export type LiveStatus = 'connecting' | 'live' | 'offline';

export interface StreamListener {
  /** A stream is open; not resumed: what happened before is not in it. */
  onopen(isResumed: boolean): void;
  onblock(block: Block): void;
  /** May say the same twice. */
  onstatus(status: LiveStatus): void;
  /** The session is over, and so is this stream. */
  onunauthorized(): void;
}

interface Pause {
  ms: number;
  /** The server asked for it: nothing makes it shorter. */
  isFirm: boolean;
}

const STALE_MS = 20_000; // more than a heartbeat: a page that was asleep does not trust a connection this quiet
const STEADY_MS = 10_000; // a stream that breaks sooner counts as one more failure in a row
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

  /** Begins behind `lastId`, or with what happens from now on where that is empty. */
  constructor(dependencies: Dependencies, lastId: string, listener: StreamListener) {
    this.#dependencies = dependencies;
    this.#lastId = lastId;
    this.#listener = listener;
    this.#backoff = new Backoff(dependencies.random);
  }

  /** Returns when it was ended, or is not authorized any more. */
  async run(): Promise<void> {
    const { signal } = this.#life;
    window.addEventListener('online', () => this.#freshen(), { signal });
    window.addEventListener('offline', () => this.#cut(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || this.#freshen(), { signal });
    this.#say('connecting');
    while (!signal.aborted) {
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

  /** The network is back, or somebody looks at the page: no time to wait, or to trust a connection that went quiet. */
  #freshen(): void {
    if (this.#cutPauseShort) this.#cutPauseShort();
    else if (this.#connection && this.#connection.quietMs > STALE_MS) this.#connection.cut();
  }

  /** Not until `online` again: without a network a server on the same machine still answers, so attempts go on. */
  #cut(): void {
    this.#connection?.cut();
    this.#say('offline');
  }
}

/** With any other id, fetch would refuse the header, and so every attempt from then on. Empty: begin from now. */
function canBeSent(id: string): boolean {
  return /^[!-~]{0,256}$/.test(id);
}
