import { goto } from '$app/navigation';
import { page } from '$app/state';
import { fromAddress, toAddress, type Filters } from '#lib/filters/filters.ts';

const TASK = 'task';

/** The state in the page's URL: the filters, and the open task. */
class Address {
  readonly filters = $derived(fromAddress(page.url.searchParams));
  /** The ID of the task that is open for editing; empty if none is. */
  readonly task = $derived(page.url.searchParams.get(TASK) ?? '');
  /** The part of the URL's query that selects the tasks. */
  readonly query = $derived(toAddress(this.filters));

  /** Change the filters. While the user types, this replaces the history entry instead of adding one per letter. */
  show(changed: Partial<Filters>, isTyping = false): void {
    void this.#go(toAddress({ ...this.filters, ...changed }), isTyping);
  }

  /** Open a task for editing. */
  open(id: string): void {
    const parameters = new URLSearchParams(this.query);
    parameters.set(TASK, id);
    void this.#go(`?${parameters}`, Boolean(this.task));
  }

  /** Close the open task. The promise resolves when it is closed. */
  async close(): Promise<void> {
    if (this.task) await this.#go(this.query, true);
  }

  #go(query: string, replace: boolean): Promise<void> {
    // eslint-disable-next-line svelte/no-navigation-without-resolve -- the same page with another query
    return goto(query || '?', { replace, reset: false });
  }
}

export const address = new Address();
