import { text } from '#lib/text/index.ts';
import type { Toasts } from '#lib/toasts/toasts.svelte.ts';

/**
 * Return a component that is loaded on first use.
 *
 * If it cannot be loaded, because there is no network or a new version has replaced it, return undefined, call `onfail`
 * and offer a reload.
 */
export async function loadPart<T>(
  toasts: Toasts,
  part: Promise<{ default: T }>,
  onfail: () => void,
): Promise<T | undefined> {
  try {
    return (await part).default;
  } catch {
    onfail();
    const action = { label: text.errors.part.reload, run: () => location.reload() };
    toasts.show({ kind: 'error', title: text.errors.part.title, detail: text.errors.part.detail, action });
    return undefined;
  }
}
