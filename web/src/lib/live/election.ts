/** Elects one tab of the browser: the one that holds a Web Lock. The browser hands it on when that tab goes. */
import type { Locks } from './dependencies';

export class Election {
  readonly #locks: Locks;
  readonly #name: string;
  readonly #onchange: (isElected: boolean) => void;
  #queue = new AbortController();
  #claim: object | undefined; // the request that counts; whatever comes of an older one is of no interest
  #release: (() => void) | undefined;

  constructor(locks: Locks, name: string, onchange: (isElected: boolean) => void) {
    this.#locks = locks;
    this.#name = name;
    this.#onchange = onchange;
  }

  /** Waits until no other tab is elected. */
  stand(): void {
    this.#queue = new AbortController();
    void this.#request({ signal: this.#queue.signal });
  }

  /** Takes the place of a tab that does not do its work: that tab learns it as soon as it does anything again. */
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
        this.#onchange(true); // locks are forbidden here, so there is no one to be one with
      }
    }
  }
}
