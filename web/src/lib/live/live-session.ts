/**
 * One user's events from login to logout. All state of the events is in this class, so no event and no ID outlives the
 * session or reaches the next user.
 */
import { RESET } from './events';
import type { Block, RawEvent } from './parser';
import type { Dependencies } from './dependencies';
import { type LiveStatus, Stream } from './stream';
import { type Standing, Tabs } from './tabs';

export interface SessionListener {
  onevent(event: RawEvent): void;
  onstatus(status: LiveStatus): void;
  onunauthorized(): void;
}

const REMEMBERED_IDS = 256;

export class LiveSession {
  readonly #dependencies: Dependencies;
  readonly #listener: SessionListener;
  readonly #tabs: Tabs | undefined;
  readonly #seen = new Set<string>();
  #stream: Stream | undefined;
  #status: LiveStatus = 'connecting';
  #lastId = '';
  #isOver = false;

  constructor(user: string, dependencies: Dependencies, listener: SessionListener) {
    this.#dependencies = dependencies;
    this.#listener = listener;
    if (dependencies.locks && dependencies.openChannel) {
      this.#tabs = new Tabs(user, dependencies.openChannel, dependencies.locks, {
        onlead: (isLeading) => this.#lead(isLeading),
        onblock: (block) => this.#receive(block),
        onstanding: (standing) => this.#follow(standing),
        onsessionover: () => this.#listener.onunauthorized(),
        standing: () => ({ status: this.#status, lastId: this.#lastId }),
      });
    }
  }

  begin(): void {
    if (this.#tabs) this.#tabs.join();
    else this.#lead(true); // without Web Locks or BroadcastChannel, each tab has its own stream
  }

  end(): void {
    this.#isOver = true;
    this.#stream?.end();
    this.#tabs?.leave();
  }

  /** End the session in the other tabs. */
  sendLogout(): void {
    this.#tabs?.sendLogout();
  }

  #lead(isLeading: boolean): void {
    this.#stream?.end();
    this.#stream = undefined;
    if (!isLeading) return;
    this.#stream = new Stream(this.#dependencies, this.#lastId, {
      // A stream without a last ID starts with new events. Data that the page loaded before it may be out of date.
      onopen: (isResumed) => isResumed || this.#share({ id: undefined, event: RESET }),
      onblock: (block) => this.#share(block),
      onstatus: (status) => {
        this.#become(status);
        this.#tabs?.sendStanding();
      },
      onunauthorized: () => this.#listener.onunauthorized(),
    });
    void this.#stream.run();
  }

  #follow({ status, lastId }: Standing): void {
    // The leader sends all blocks before this message. A different last ID means that this tab missed blocks.
    const hasMissed = lastId !== '' && this.#lastId !== '' && lastId !== this.#lastId;
    if (lastId !== '') this.#lastId = lastId;
    this.#become(status);
    if (hasMissed) this.#receive({ id: undefined, event: RESET });
  }

  #become(status: LiveStatus): void {
    if (status === this.#status || this.#isOver) return;
    this.#status = status;
    this.#listener.onstatus(status);
  }

  #share(block: Block): void {
    this.#tabs?.sendBlock(block);
    this.#receive(block);
  }

  #receive({ id, event }: Block): void {
    if (id !== undefined) this.#lastId = id;
    if (!event || this.#isOver || (id && this.#isRepeated(id, event))) return;
    this.#listener.onevent(event);
  }

  /** A new leader may resume from an older ID than this tab has seen, and so repeat events. */
  #isRepeated(id: string, event: RawEvent): boolean {
    if (event.name === RESET.name) return false;
    if (this.#seen.has(id)) return true;
    this.#seen.add(id);
    const [oldest] = this.#seen;
    if (this.#seen.size > REMEMBERED_IDS && oldest !== undefined) this.#seen.delete(oldest);
    return false;
  }
}
