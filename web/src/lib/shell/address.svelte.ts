import { goto } from '$app/navigation';
import { page } from '$app/state';
import { fromAddress, toAddress, type Filters } from '#lib/filters/filters.ts';

const TASK = 'task';

/** The page's address: which tasks it shows, and which of them is open. */
class Address {
  readonly filters = $derived(fromAddress(page.url.searchParams));
  /** The id of the task that is open for editing; empty when none is. */
  readonly task = $derived(page.url.searchParams.get(TASK) ?? '');
  /** What of the address chooses the tasks. */
  readonly query = $derived(toAddress(this.filters));

  /** Shows other tasks. Typing a word makes one entry in the history and not one for each letter. */
  show(changed: Partial<Filters>, isTyping = false): void {
    void this.#go(toAddress({ ...this.filters, ...changed }), isTyping);
  }

  /** Opens a task for editing. */
  open(id: string): void {
    const parameters = new URLSearchParams(this.query);
    parameters.set(TASK, id);
    void this.#go(`?${parameters}`, Boolean(this.task));
  }

  /** Closes the task that is open; it is closed when the promise is kept. */
  async close(): Promise<void> {
    if (this.task) await this.#go(this.query, true);
  }

  #go(query: string, replace: boolean): Promise<void> {
    // eslint-disable-next-line svelte/no-navigation-without-resolve -- the same page with another query
    return goto(query || '?', { replace, reset: false });
  }
}

export const address = new Address();
