import { pause } from './pause';

const CHECK_MS = 500;

/** The API's rate limit. While it lasts, all calls wait, because a further request would only prolong it. */
class RateLimit {
  /** The seconds until the calls continue; 0 without a limit. */
  seconds = $state(0);

  /** The server asked for a pause. */
  begin(seconds: number): void {
    if (seconds <= this.seconds) return;
    if (!this.seconds) this.#countDown(performance.now() + seconds * 1000);
    this.seconds = seconds;
  }

  /** Wait until the limit is over. Throws the signal's reason when it is aborted. */
  async wait(signal?: AbortSignal): Promise<void> {
    while (this.seconds) {
      await pause(CHECK_MS * (0.5 + Math.random()));
      signal?.throwIfAborted();
    }
  }

  #countDown(end: number): void {
    const timer = setInterval(() => {
      this.seconds = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      if (!this.seconds) clearInterval(timer);
    }, CHECK_MS);
  }
}

export const rateLimit = new RateLimit();
