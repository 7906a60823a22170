const TICK_MS = 20_000;

/** The time, for what is shown relative to it. */
export class Clock {
  now = $state.raw(new Date());

  /** Goes on until the returned function is called. */
  start(): () => void {
    const timer = setInterval(() => (this.now = new Date()), TICK_MS);
    return () => clearInterval(timer);
  }
}
