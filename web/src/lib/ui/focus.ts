import { tick } from 'svelte';

/** Gives the focus to the element with this id once the page has been brought up to date. */
export async function focusOn(id: string): Promise<void> {
  await tick();
  document.getElementById(id)?.focus();
}
