/** Whether the user is typing: from the first letter in a field until they submit it or move the focus. */
export class Typing {
  isActive = $state(false);

  /** Start. Return a function that stops it. */
  start(): () => void {
    const life = new AbortController();
    const options = { capture: true, signal: life.signal };
    // Later, because an element may lose the focus while Svelte removes it, when no state may change.
    const set = (isActive: boolean) => queueMicrotask(() => (this.isActive = isActive));
    document.addEventListener('input', () => set(true), options);
    for (const end of ['submit', 'focusout']) document.addEventListener(end, () => set(false), options);
    window.addEventListener('keydown', hideWhileComposing, options);
    return () => life.abort();
  }
}

/**
 * Hide the keys of an input method from all other handlers, also from those of libraries.
 *
 * They are meant for the input method: Escape discards its suggestion and must not close a dialog.
 */
function hideWhileComposing(event: KeyboardEvent): void {
  // Safari reports the last key of a composition with this code only (UI Events, 5.2).
  if (!event.isComposing && event.keyCode !== 229) return;
  event.stopImmediatePropagation();
  if (event.key === 'Escape') event.preventDefault(); // the browser would close a modal dialog
}
