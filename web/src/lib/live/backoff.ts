/** How long to wait before the next attempt. All in milliseconds. */

const FIRST = 1_000;
const LONGEST = 30_000;
const LONGEST_ASKED = 5 * 60_000;

/** Exponential, with full jitter: browsers that lost the same server do not come back in step. */
export class Backoff {
  #limit = FIRST;

  constructor(readonly random: () => number) {}

  next(): number {
    const limit = this.#limit;
    this.#limit = Math.min(limit * 2, LONGEST);
    return this.random() * limit;
  }

  reset(): void {
    this.#limit = FIRST;
  }
}

/** What a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date), 0 where it is absent or says nothing. */
export function retryAfter(header: string | null): number {
  if (header === null) return 0;
  const asked = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Math.min(Math.max(asked || 0, 0), LONGEST_ASKED);
}
