import { goto } from '$app/navigation';
import { page } from '$app/state';
import { fromAddress, toAddress, type Filters } from '#lib/filters/filters.ts';

const TASK = 'task';

const TYPING_PAUSE_MS = 200;

/** The state in the page's URL: the filters, and the open task. A change applies at once, before its navigation ends. */
class Address {
  #going = $state.raw<URLSearchParams>(); // the target of the navigation that is under way
  #typed = $state<string>(); // the text in the search field, until it is in the URL
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #parameters = $derived(this.#going ?? page.url.searchParams);
  readonly filters = $derived(fromAddress(this.#parameters));
  /** The ID of the task that is open for editing; empty if none is. */
  readonly task = $derived(this.#parameters.get(TASK) ?? '');
  /** The part of the URL's query that selects the tasks. */
  readonly query = $derived(toAddress(this.filters));

  /** The text in the search field. */
  get search(): string {
    return this.#typed ?? this.filters.query;
  }

  /** Search for a text that the user is typing, as soon as they pause. Adds no history entry. */
  type(text: string): void {
    this.#typed = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#go(toAddress(this.#current()), true), TYPING_PAUSE_MS);
  }

  /** Change the filters. */
  show(changed: Partial<Filters>): void {
    void this.#go(toAddress({ ...this.#current(), ...changed }), false);
  }

  /** Open a task for editing. */
  open(id: string): void {
    const parameters = new URLSearchParams(toAddress(this.#current()));
    parameters.set(TASK, id);
    void this.#go(`?${parameters}`, Boolean(this.task));
  }

  /** Close the open task. The promise resolves when it is closed. */
  async close(): Promise<void> {
    if (this.task) await this.#go(toAddress(this.#current()), true);
  }

  /** Discard the filters and close the open task. */
  clear(): void {
    void this.#go('', true);
  }

  /** Discard what is typed and not in the URL yet. */
  forgetTyping(): void {
    clearTimeout(this.#timer);
    this.#typed = undefined;
  }

  /** The filters with the text that is typed. */
  #current(): Filters {
    return { ...this.filters, query: this.search };
  }

  async #go(query: string, replace: boolean): Promise<void> {
    this.forgetTyping();
    const going = (this.#going = new URLSearchParams(query));
    try {
      // eslint-disable-next-line svelte/no-navigation-without-resolve -- the same page with another query
      await goto(query || '?', { replace, reset: false });
    } finally {
      if (this.#going === going) this.#going = undefined;
    }
  }
}

export const address = new Address();
