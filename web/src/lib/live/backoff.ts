/** The pause before the next connection attempt, in milliseconds. */

const FIRST = 1_000;
const LONGEST = 30_000;
const LONGEST_ASKED = 5 * 60_000;

/** Exponential backoff with full jitter, so that clients of a failed server do not reconnect at the same time. */
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

/** Return the pause in a Retry-After header (RFC 9110, 10.2.3), at most 5 min; 0 if the header is absent or invalid. */
export function retryAfter(header: string | null): number {
  if (header === null) return 0;
  const asked = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Math.min(Math.max(asked || 0, 0), LONGEST_ASKED);
}
