const HIDDEN_MS = 1_000; // a hidden page has no frames
const SHARE = 4;

/**
 * Collects values and handles them together, at most once per frame.
 *
 * If handling a batch takes long, the next one waits longer, so that most of the time is left for the user's input.
 */
export class FrameBatch<T> {
  #values: T[] = [];
  #tookMs = 0;

  /** `handle` is called with the collected values. */
  constructor(private readonly handle: (values: readonly T[]) => void) {}

  /** Add a value to the next batch. */
  add(value: T): void {
    this.#values.push(value);
    if (this.#values.length > 1) return;
    if (document.hidden) setTimeout(() => this.#run(), HIDDEN_MS);
    else setTimeout(() => requestAnimationFrame(() => this.#run()), this.#tookMs * SHARE);
  }

  #run(): void {
    const values = this.#values;
    this.#values = [];
    const begin = performance.now();
    this.handle(values);
    // After the frame is painted, including what the page has rendered for this batch.
    setTimeout(() => (this.#tookMs = performance.now() - begin));
  }
}
