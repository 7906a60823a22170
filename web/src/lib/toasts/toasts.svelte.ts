/** A message that is shown for a while at the edge of the page. */
export interface Toast {
  id: number;
  kind: 'info' | 'success' | 'error';
  title: string;
  detail?: string;
  /** Identifies the request in the logs. */
  requestId?: string;
  /** An optional action; the toast closes when it is run. */
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 8_000;
const SHOWN_AT_ONCE_MAX = 4;

/** The visible toasts, newest last. All except errors close after 8 s, but not under the pointer or with focus. */
export class Toasts {
  shown = $state.raw<readonly Toast[]>([]);
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #last = 0;
  #isHeld = false;

  /** Show a toast. If there are more than four, the oldest notification closes, or else the oldest toast. */
  show(toast: Omit<Toast, 'id'>): void {
    const id = ++this.#last;
    if (this.shown.length === SHOWN_AT_ONCE_MAX) {
      const old = this.shown.find(({ kind }) => kind === 'info') ?? this.shown[0];
      if (old) this.dismiss(old.id);
    }
    this.shown = [...this.shown, { ...toast, id }];
    this.#start({ ...toast, id });
  }

  /** Close a toast. */
  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.shown = this.shown.filter((each) => each.id !== id);
    if (!this.shown.length) this.#isHeld = false; // the hovered or focused element may have closed with the last toast
  }

  /** Close all toasts. */
  clear(): void {
    this.shown.forEach((toast) => this.dismiss(toast.id));
  }

  /** Keep all toasts open until `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#timers.clear();
  }

  /** Restart the time of all toasts. */
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
