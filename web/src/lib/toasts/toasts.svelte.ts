/** Something that is said for a while at the edge of the page. */
export interface Toast {
  id: number;
  kind: 'info' | 'success' | 'error';
  title: string;
  detail?: string;
  /** By this the request is found in the logs. */
  requestId?: string;
  /** What can be done about it; the toast goes when it is done. */
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 8_000;
const SHOWN_AT_ONCE_MAX = 4;

/** The toasts that are shown, the newest last. They go by themselves, errors excepted, but not while they are looked at. */
export class Toasts {
  shown = $state.raw<readonly Toast[]>([]);
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #last = 0;
  #isHeld = false;

  /** Shows a toast, in place of the oldest where there are too many. */
  show(toast: Omit<Toast, 'id'>): void {
    const id = ++this.#last;
    this.shown = [...this.shown, { ...toast, id }];
    for (const old of this.shown.slice(0, -SHOWN_AT_ONCE_MAX)) this.dismiss(old.id);
    this.#start({ ...toast, id });
  }

  /** Takes a toast away. */
  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.shown = this.shown.filter((each) => each.id !== id);
    if (!this.shown.length) this.#isHeld = false; // what held them may have gone with the last one
  }

  /** Takes them all away. */
  clear(): void {
    this.shown.forEach((toast) => this.dismiss(toast.id));
  }

  /** Lets them all stay, as long as somebody looks at them. */
  hold(): void {
    this.#isHeld = true;
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#timers.clear();
  }

  /** Lets their time run again, from its beginning. */
  release(): void {
    this.#isHeld = false;
    this.shown.forEach((toast) => this.#start(toast));
  }

  #start({ id, kind }: Toast): void {
    if (kind === 'error' || this.#isHeld) return;
    clearTimeout(this.#timers.get(id));
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), SHOWN_MS),
    );
  }
}
