/** Elects one tab of the browser: the one that holds a Web Lock. When it closes, the next tab gets the lock. */
import type { Locks } from './dependencies';

export class Election {
  readonly #locks: Locks;
  readonly #name: string;
  readonly #onchange: (isElected: boolean) => void;
  #queue = new AbortController();
  #claim: object | undefined; // the current lock request; results of older ones are ignored
  #release: (() => void) | undefined;

  constructor(locks: Locks, name: string, onchange: (isElected: boolean) => void) {
    this.#locks = locks;
    this.#name = name;
    this.#onchange = onchange;
  }

  /** Request the lock; this tab is elected when no other tab holds it. */
  stand(): void {
    this.#queue = new AbortController();
    void this.#request({ signal: this.#queue.signal });
  }

  /** Take the lock from a tab that does not respond. That tab is notified as soon as it runs again. */
  seize(): void {
    this.#queue.abort();
    void this.#request({ steal: true });
  }

  withdraw(): void {
    this.#claim = undefined;
    this.#queue.abort();
    this.#release?.();
  }

  async #request(options: LockOptions): Promise<void> {
    const claim = (this.#claim = {});
    let isElected = false;
    try {
      await this.#locks.request(this.#name, options, () => {
        if (claim !== this.#claim) return Promise.resolve();
        isElected = true;
        const held = new Promise<void>((resolve) => (this.#release = resolve));
        this.#onchange(true);
        return held;
      });
    } catch {
      if (claim !== this.#claim) return;
      if (isElected) {
        this.stand();
        this.#onchange(false);
      } else {
        this.#onchange(true); // locks are not permitted here, so each tab elects itself
      }
    }
  }
}
