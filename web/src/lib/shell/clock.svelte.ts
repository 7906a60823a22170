const TICK_MS = 20_000;

/** The current time, updated every 20 seconds. */
export class Clock {
  now = $state.raw(new Date());

  /** Start. Return a function that stops it. */
  start(): () => void {
    const timer = setInterval(() => (this.now = new Date()), TICK_MS);
    return () => clearInterval(timer);
  }
}
