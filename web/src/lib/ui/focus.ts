import { tick } from 'svelte';

/** Focus the first element that exists of those with these IDs, after pending updates of the page. */
export async function focusOn(...ids: readonly string[]): Promise<void> {
  await tick();
  ids
    .map((id) => document.getElementById(id))
    .find(Boolean)
    ?.focus();
}
