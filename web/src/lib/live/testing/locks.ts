/** Fake exclusive Web Locks with `signal` and `steal`; jsdom has none. fakes.test.ts also tests the real ones. */
import type { Locks } from '#lib/live/dependencies.ts';

interface Claim {
  owner: object;
  grant: () => void;
  reject: (reason: unknown) => void;
}

export class FakeLocks {
  readonly #claims = new Map<string, Claim[]>(); // the first of each holds the lock

  /** The locks as one tab sees them; `owner` is that tab. */
  of(owner: object): Locks {
    return { request: (name, options, granted) => this.#request(owner, name, options, granted) };
  }

  /** Release the locks of a tab whose process has ended. */
  crash(owner: object): void {
    for (const claims of this.#claims.values()) {
      const wasHeld = claims[0]?.owner === owner;
      claims.splice(0, claims.length, ...claims.filter((claim) => claim.owner !== owner));
      if (wasHeld) claims[0]?.grant();
    }
  }

  #request(owner: object, name: string, { signal, steal }: LockOptions, granted: () => Promise<void>) {
    return new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted());
      const claims = this.#claims.get(name) ?? [];
      this.#claims.set(name, claims);
      const leave = () => {
        const place = claims.indexOf(claim);
        if (place >= 0) claims.splice(place, 1);
        if (place === 0) claims[0]?.grant();
      };
      const grant = () =>
        queueMicrotask(async () => {
          signal?.removeEventListener('abort', abort);
          await granted().then(resolve, reject);
          leave();
        });
      const abort = () => {
        leave();
        reject(aborted());
      };
      const claim = { owner, grant, reject };
      signal?.addEventListener('abort', abort);
      if (steal) {
        claims.shift()?.reject(aborted());
        claims.unshift(claim);
      } else {
        claims.push(claim);
      }
      if (claims[0] === claim) grant();
    });
  }
}

function aborted(): DOMException {
  return new DOMException('The request was aborted.', 'AbortError');
}
