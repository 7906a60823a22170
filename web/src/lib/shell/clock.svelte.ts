const TICK_MS = 20_000;

/** The page's only clock and time zone. Both follow the system's, which can change at any time. */
export class Clock {
  now = $state.raw(new Date());
  zone = $state(systemZone());

  /** Start. Return a function that stops it. */
  start(): () => void {
    const life = new AbortController();
    const tick = () => document.hidden || this.tick();
    const timer = setInterval(tick, TICK_MS);
    // After a sleep, or after the user has changed the clock or the zone, the page gets the focus back.
    document.addEventListener('visibilitychange', tick, life);
    for (const event of ['focus', 'pageshow']) window.addEventListener(event, tick, life);
    return () => {
      clearInterval(timer);
      life.abort();
    };
  }

  /** Read the system's clock and zone. */
  tick(): void {
    this.now = new Date();
    this.zone = systemZone();
  }
}

function systemZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
