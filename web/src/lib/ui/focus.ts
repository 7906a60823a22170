import { tick } from 'svelte';

/** Focus the element with this ID after pending updates of the page. */
export async function focusOn(id: string): Promise<void> {
  await tick();
  document.getElementById(id)?.focus();
}
